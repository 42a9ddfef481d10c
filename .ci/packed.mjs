// Installs the packed tarballs in a folder of their own, with an empty home, and uses them as a stranger would.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const root = fileURLToPath(new URL('..', import.meta.url));
const box = await mkdtemp(join(tmpdir(), 'pangolin-packed-'));
const elsewhere = join(box, 'elsewhere');
const tarballs = join(box, 'tarballs');
const env = {
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(PANGOLIN_|XDG_|CI$|GITHUB_)/.test(name))),
  HOME: join(box, 'home'),
};

const run = async (command, args, options = {}) => {
  const { stdout, stderr } = await promisify(execFile)(command, args, { cwd: elsewhere, env, ...options });
  return { stdout, stderr };
};
const bin = (name) => join(elsewhere, 'node_modules', '.bin', name);

const CONSUMER = `
import { createClient, PangolinError, type PangolinClient, type Token } from '@pangolin/shared';
import { CreateToken, ERRORS, type ErrorCode } from '@pangolin/shared/contract';

export async function newest(client: PangolinClient): Promise<string | undefined> {
  const text: string = await client.auth.pats.generate({ name: 'notebook', expiryDate: '31/12/2026', timezone: 'Asia/Tokyo' });
  const [first] = await client.auth.pats.list();
  const expires: Date | null | undefined = first?.expiresAt;
  await first?.revoke();
  const days: number = await client.auth.pats.maximumAllowedTokenDuration();
  const user: string = (await client.auth.getActiveUser()).username;
  return [text, expires?.toISOString(), days, user].join(' ');
}
export const client = createClient({ dataDir: './data' });
export const status = (code: ErrorCode): number => ERRORS[code].status;
export const wrong = new PangolinError('conflict', 'taken').exitCode;
export const parsed: CreateToken = CreateToken.parse({ name: 'x' });
export const isValid = (token: Token): boolean => token.is_valid;
// @ts-expect-error an unknown code is no code
status('no_such_code');
// @ts-expect-error the name is not optional
client.auth.pats.generate({});
`;

const LIBRARY = `
import { createClient } from '@pangolin/shared';
import { ERRORS } from '@pangolin/shared/contract';
const client = createClient({ dataDir: './library-data' });
const token = await client.auth.pats.generate({ name: 'notebook' });
const listed = await client.auth.pats.list();
await listed[0].revoke();
const [again] = await client.auth.pats.list();
const me = await client.auth.getActiveUser();
const refused = await client.auth.pats.generate({ name: 'n', expiryDate: '31/02/2099' }).catch((error) => error.code);
await client.close();
console.log(JSON.stringify({
  isToken: /^eyJ/.test(token), name: listed[0].name, revoked: again.revokedAt instanceof Date, role: me.role, refused,
  known: 'conflict' in ERRORS,
}));
`;

const steps = {
  async 'npm pack makes a tarball of every package, and of nothing but what is published'() {
    await run('npm', ['pack', '--workspaces', '--pack-destination', tarballs], { cwd: root });
    const names = await readdir(tarballs);
    assert.equal(names.length, 4, names.join(', '));
    for (const name of names) {
      const { stdout } = await run('tar', ['-tzf', join(tarballs, name)]);
      const published = /^package\/(package\.json|README\.md|LICENSE|bin\/[^/]+\.js|dist\/.+\.(js|d\.ts))$/;
      assert.deepEqual(
        stdout
          .trim()
          .split('\n')
          .filter((path) => !published.test(path)),
        [],
        name,
      );
    }
  },
  async 'the tarballs install in an empty folder'() {
    await writeFile(join(elsewhere, 'package.json'), JSON.stringify({ private: true, type: 'module' }));
    const files = (await readdir(tarballs)).map((name) => join(tarballs, name));
    await run('npm', ['install', '--no-audit', '--no-fund', ...files]);
  },
  async 'both commands tell their version'() {
    for (const name of ['pangolin-user', 'pangolin-admin']) {
      assert.match((await run(bin(name), ['--version'])).stdout, /^\d+\.\d+\.\d+\n$/);
    }
  },
  async 'get-token prints a token in a pipe, and a running server lets it in'() {
    const { stdout, stderr } = await run(bin('pangolin-user'), ['get-token']);
    assert.match(stdout, /^eyJ[\w-]+\.[\w-]+\.[\w-]+\n$/);
    assert.equal(stderr, '');
    const key = (await run(bin('pangolin-admin'), ['create-service-user', '--name', 'etl'])).stdout.trim();
    assert.match(key, /^pgl_/);
    const server = spawn(bin('pangolin-admin'), ['serve', '--port', '0', '--json', '--quiet'], {
      cwd: elsewhere,
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      const [line] = await once(server.stdout, 'data', { signal: AbortSignal.timeout(20_000) });
      const { url } = JSON.parse(line);
      const ask = async (path, headers) => (await fetch(`${url}${path}`, { headers })).status;
      assert.equal(await ask('/api/v1/users/me', { authorization: `Bearer ${stdout.trim()}` }), 200);
      assert.equal(await ask('/api/v1/catalogs', { 'x-api-key': key }), 200);
      assert.equal(await ask('/api/v1/users/me', {}), 401);
    } finally {
      const ended = once(server, 'exit');
      server.kill();
      assert.deepEqual(await ended, [0, null]);
    }
  },
  async 'a script of its own mints, lists and revokes with the library'() {
    await writeFile(join(elsewhere, 'library.mjs'), LIBRARY);
    const { stdout, stderr } = await run(process.execPath, ['library.mjs']);
    assert.equal(stderr, '');
    assert.deepEqual(JSON.parse(stdout), {
      isToken: true,
      name: 'notebook',
      revoked: true,
      role: 'root',
      refused: 'invalid_argument',
      known: true,
    });
  },
  'the types check in a program of its own, as Node resolves them': () => checkTypes('nodenext', 'nodenext'),
  'the types check in a program of its own, as bundlers resolve them': () => checkTypes('esnext', 'bundler'),
};

async function checkTypes(module, moduleResolution) {
  await writeFile(join(elsewhere, 'consumer.ts'), CONSUMER);
  const compilerOptions = {
    module,
    moduleResolution,
    target: 'es2023',
    lib: ['es2023'],
    types: ['node'],
    typeRoots: [join(root, 'node_modules', '@types')],
    strict: true,
    noEmit: true,
    skipLibCheck: false,
  };
  await writeFile(join(elsewhere, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['consumer.ts'] }));
  const tsc = join(createRequire(import.meta.url).resolve('typescript/package.json'), '..', 'bin', 'tsc');
  await run(process.execPath, [tsc, '-p', 'tsconfig.json']);
}

await Promise.all([mkdir(elsewhere), mkdir(tarballs), mkdir(env.HOME)]);
let failed = 0;
for (const [sentence, step] of Object.entries(steps)) {
  try {
    await step();
    console.log(`✓ ${sentence}`);
  } catch (error) {
    failed += 1;
    console.log(`✗ ${sentence}\n${error.stack}\n${error.stdout ?? ''}${error.stderr ?? ''}`);
  }
}
await rm(box, { recursive: true, force: true });
console.log(`\n${Object.keys(steps).length - failed} passed, ${failed} failed`);
if (failed > 0) process.exitCode = 1;
