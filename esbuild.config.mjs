// Bundles every package with its workspace siblings, ESM and code-split, so that a command loads only what it needs.
import { rm } from 'node:fs/promises';
import { build } from 'esbuild';

const native = ['@photostructure/sqlite', '@node-rs/argon2', '@napi-rs/keyring', '@napi-rs/keyring/keytar'];

const packages = [
  {
    name: 'shared',
    entries: { index: 'index.ts', contract: 'contract/index.ts', cli: 'cli/index.ts' },
    external: ['zod', 'zod/mini'],
  },
  { name: 'server', entries: { index: 'index.ts' }, external: [] },
  { name: 'user-cli', entries: { main: 'main.ts' }, external: [] },
  { name: 'admin-cli', entries: { main: 'main.ts' }, external: [] },
];

await Promise.all(
  packages.map(async ({ name, entries, external }) => {
    const root = `packages/${name}`;
    await rm(`${root}/dist`, { recursive: true, force: true });
    await build({
      entryPoints: Object.fromEntries(Object.entries(entries).map(([out, file]) => [out, `${root}/src/${file}`])),
      outdir: `${root}/dist`,
      bundle: true,
      splitting: true,
      format: 'esm',
      platform: 'node',
      target: 'node20.19',
      conditions: ['@pangolin/source'],
      external: [...native, ...external],
      minify: true,
      legalComments: 'none',
      chunkNames: 'chunks/[name]-[hash]',
      // CommonJS libraries inside the bundle still call require for Node's own modules.
      banner: {
        js: "import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);",
      },
      logLevel: 'warning',
    });
  }),
);
