// Bundles every package with its workspace siblings, ESM and code-split, so that a command loads only what it needs.
import { rm } from 'node:fs/promises';
import { build } from 'esbuild';

const external = ['@node-rs/argon2', '@napi-rs/keyring', '@napi-rs/keyring/keytar'];

const packages = [
  {
    name: 'shared',
    entries: { index: 'index.ts', contract: 'contract/index.ts', cli: 'cli/index.ts' },
    alsoExternal: ['zod', 'zod/mini'],
  },
  { name: 'server', entries: { index: 'index.ts' } },
  { name: 'user-cli', entries: { main: 'main.ts' } },
  { name: 'admin-cli', entries: { main: 'main.ts' } },
];

/**
 * Modules that hardly any process needs and that reach into the large libraries: bundled apart, with copies of what they
 * use. Split in the ordinary way, they would put the rarely used half of those libraries on everybody's path.
 */
const late = {
  openapi: 'packages/server/src/http/openapi.ts',
  'run-migrations': 'packages/server/src/store/migrations/run-migrations.ts',
};

const lateModules = {
  name: 'late-modules',
  setup({ onResolve }) {
    onResolve({ filter: /\/(openapi|run-migrations)\.ts$/ }, ({ kind, path }) =>
      kind === 'dynamic-import' ? { path: `./${path.split('/').at(-1).replace('.ts', '.js')}`, external: true } : null,
    );
  },
};

/** Loads SQLite's prebuilt addon by its name; looking for it, which this falls back to, takes 5 ms. */
const loadPrebuilt = `
  import { existsSync } from 'node:fs';
  import { createRequire } from 'node:module';
  import { dirname } from 'node:path';
  const require = createRequire(import.meta.url);
  export default function load() {
    const root = dirname(require.resolve('@photostructure/sqlite/package.json'));
    const libc = process.platform !== 'linux' ? '' : existsSync('/etc/alpine-release') ? '.musl' : '.glibc';
    try {
      return require(root + '/prebuilds/' + process.platform + '-' + process.arch + '/@photostructure+sqlite' + libc + '.node');
    } catch {
      return require(require.resolve('node-gyp-build', { paths: [root] }))(root);
    }
  }`;

/** What costs a command milliseconds at its start and gives it nothing. */
const quickStart = {
  name: 'quick-start',
  setup({ onResolve, onLoad }) {
    const replacements = {
      'node-gyp-build': loadPrebuilt,
      // commander can run subcommands as programs of their own; ours are functions.
      'node:child_process': 'module.exports = {};',
      // Required as a module it opens stdin, whatever is done with it.
      'node:process': 'module.exports = globalThis.process;',
    };
    onResolve({ filter: /^(node-gyp-build|node:child_process|node:process)$/ }, ({ path, importer }) => {
      const isForCommander = /[\\/]commander[\\/]/.test(importer);
      return path === 'node-gyp-build' || isForCommander ? { path, namespace: 'quick-start' } : null;
    });
    onLoad({ filter: /.*/, namespace: 'quick-start' }, ({ path }) => ({ contents: replacements[path], loader: 'js' }));
  },
};

/** In dist itself, not in a folder: then a late module is found beside every file that asks for it. */
const common = {
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  conditions: ['@pangolin/source'],
  // Its module, of which what is not used can be left out.
  alias: { graphql: 'graphql/index.mjs' },
  minify: true,
  // The AWS SDK tells whoever runs Node 20 to update it by 2027; the copy in the bundle would not change by that.
  define: { 'process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED': '"true"' },
  legalComments: 'none',
  chunkNames: '[name]-[hash]',
  // CommonJS libraries inside the bundle still call require for Node's own modules.
  banner: {
    js: "import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);",
  },
  logLevel: 'warning',
};

await Promise.all(
  packages.map(async ({ name, entries, alsoExternal = [] }) => {
    const root = `packages/${name}`;
    const options = { ...common, outdir: `${root}/dist`, external: [...external, ...alsoExternal] };
    await rm(options.outdir, { recursive: true, force: true });
    await build({
      ...options,
      entryPoints: Object.fromEntries(Object.entries(entries).map(([out, file]) => [out, `${root}/src/${file}`])),
      splitting: true,
      plugins: [lateModules, quickStart],
    });
    await build({ ...options, entryPoints: late });
  }),
);
