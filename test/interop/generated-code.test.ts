import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createServiceUser, type Lakehouse, mintToken, openLakehouse } from './lakehouse.ts';
import { openPython, runPython } from './python.ts';

/** Names that end literals, and split at dots or slashes, where nobody quotes them. */
const HARD = ["it's", 'a.b/c "d"%41+$é'] as const;

let lakehouse: Lakehouse;
let env: Record<string, string>;
let asServiceUser: Record<string, string>;
beforeAll(async () => {
  lakehouse = await openLakehouse();
  const { box, settings } = lakehouse;
  const python = openPython('session.py', box.home, settings);
  await python.call('connect', settings.properties);
  await python.call('create', { name: 'my_namespace.my_table', numbers: [11, 12] });
  await python.call('create_at', { namespace: ['my_namespace', 'in ner'], name: 'deep', numbers: [13] });
  await python.call('create_at', { namespace: [HARD[0]], name: HARD[1], numbers: [14] });
  await python.close();
  env = { PANGOLIN_TOKEN: await mintToken(box, ['--scope', 'catalog:read']) };
  const { id, key } = await createServiceUser(box, 'snippets');
  asServiceUser = { PANGOLIN_CLIENT_ID: id, PANGOLIN_CLIENT_SECRET: key };
});
afterAll(() => lakehouse?.close());

/** What `generate-code` prints, for the server at its free port. */
async function generate(...argv: string[]): Promise<string> {
  const { box, server } = lakehouse;
  const { stdout, stderr, code } = await box.user(['generate-code', '--url', server.url, ...argv]);
  if (code !== 0) throw new Error(`generate-code ended with ${code}: ${stderr}`);
  return stdout;
}

const runShell = (home: string, script: string, variables: Record<string, string>) =>
  spawnSync('sh', ['-c', script], {
    cwd: home,
    env: { PATH: process.env.PATH, HOME: home, ...variables },
    encoding: 'utf8',
  });

const quoted = (name: string) => `"${name.replaceAll('"', '""')}"`;
const HARD_TABLE = `default.${HARD.map(quoted).join('.')}`;

describe('generate-code --language pyiceberg, run as printed', () => {
  test('lists the tables of the catalog, also of nested namespaces', async () => {
    const { stdout, stderr, code } = await runPython(
      lakehouse.box.home,
      await generate('--language', 'pyiceberg'),
      env,
    );
    expect(code, stderr).toBe(0);
    for (const name of [`('my_namespace', 'my_table')`, `('my_namespace', 'in ner', 'deep')`, HARD[1]])
      expect(stdout).toContain(name);
  });

  test('reads a table', async () => {
    const code = await generate('--language', 'pyiceberg', '--table', 'default.my_namespace.my_table');
    const ran = await runPython(lakehouse.box.home, code, env);
    expect(ran.code, ran.stderr).toBe(0);
    expect(ran.stdout).toMatch(/\[\[11,12\]\]/);
  });

  test('reads a table whose name needs every kind of quoting', async () => {
    const ran = await runPython(
      lakehouse.box.home,
      await generate('--language', 'pyiceberg', '--table', HARD_TABLE),
      env,
    );
    expect(ran.code, ran.stderr).toBe(0);
    expect(ran.stdout).toMatch(/\[\[14\]\]/);
  });

  test('opens the catalog with a service user’s credential', async () => {
    const code = await generate(
      '--language',
      'pyiceberg',
      '--auth',
      'credential',
      '--table',
      'default.my_namespace.my_table',
    );
    const ran = await runPython(lakehouse.box.home, code, asServiceUser);
    expect(ran.code, ran.stderr).toBe(0);
    expect(ran.stdout).toMatch(/\[\[11,12\]\]/);
  });
});

describe('generate-code --language curl, run as printed', () => {
  test('lists the tables of the catalog, also of nested namespaces', async () => {
    const { stdout, stderr, status } = runShell(lakehouse.box.home, await generate('--language', 'curl'), env);
    expect(status, stderr).toBe(0);
    for (const line of [
      'namespace my_namespace',
      'table     my_table',
      'namespace my_namespace%1Fin%20ner',
      'table     deep',
    ])
      expect(stdout.split('\n')).toContain(line);
    expect(stdout).toContain(encodeURIComponent(HARD[1]).replaceAll("'", '%27'));
  });

  test.each([['default.my_namespace.my_table'], [HARD_TABLE]])('loads %s', async (table) => {
    const script = await generate('--language', 'curl', '--table', table);
    const { stdout, stderr, status } = runShell(lakehouse.box.home, script, env);
    expect(status, stderr).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ metadata: { 'format-version': 2, refs: { main: { type: 'branch' } } } });
  });

  test('opens the catalog with a service user’s credential', async () => {
    const script = await generate('--language', 'curl', '--auth', 'credential');
    const { stdout, stderr, status } = runShell(lakehouse.box.home, script, asServiceUser);
    expect(status, stderr).toBe(0);
    expect(stdout).toContain('table     my_table');
  });

  test('fails, and says why, with a token that is refused', async () => {
    const script = await generate('--language', 'curl', '--table', 'default.my_namespace.my_table');
    const { stdout, stderr, status } = runShell(lakehouse.box.home, script, { PANGOLIN_TOKEN: 'made-up' });
    expect(status).not.toBe(0);
    expect(`${stdout}${stderr}`).toMatch(/NotAuthorizedException|401/);
  });
});
