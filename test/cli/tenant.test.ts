import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { startAnsweringServer } from '../shared/answering-server.ts';
import { admin, UNKNOWN_ID, user } from './programs.ts';
import { type CliOptions, type Home, openHome } from './run-cli.ts';

let home: Home;
beforeEach(async () => {
  home = await openHome();
  await home.run(user, ['get-token', '--name', 'first']);
});
afterEach(() => home.remove());

describe('catalogs', () => {
  test('are created, listed by both programs, and deleted after a question', async () => {
    const created = await home.run(admin, ['create-catalog', 'sales', '--warehouse', 's3://bucket/sales']);
    expect({ stderr: created.stderr, code: created.code }).toEqual({ stderr: '', code: 0 });
    expect(created.stdout).toContain('name\tsales\n');
    for (const program of [user, admin]) {
      const piped = await home.run(program, ['list-catalogs']);
      expect({ stderr: piped.stderr, code: piped.code }).toEqual({ stderr: '', code: 0 });
      expect(piped.stdout).toMatch(/^sales\ts3:\/\/bucket\/sales\t/m);
      const json = await home.run(program, ['list-catalogs', '--json']);
      expect(
        JSON.parse(json.stdout)
          .map((one: { name: string }) => one.name)
          .sort(),
      ).toEqual(['default', 'sales']);
    }
    const table = await home.run(user, ['list-catalogs'], { terminal: true });
    expect(table.stdout).toMatch(/^NAME +WAREHOUSE +ID +CREATED\n/);
    const asked = await home.run(admin, ['delete-catalog', 'sales'], { terminal: true, answers: ['y'] });
    expect({ stdout: asked.stdout, code: asked.code }).toEqual({ stdout: '', code: 0 });
    const gone = await home.run(admin, ['delete-catalog', 'sales', '--json']);
    expect({ stdout: gone.stdout, code: gone.code }).toEqual({ stdout: '', code: 1 });
    expect(JSON.parse(gone.stderr)).toMatchObject({ error: { code: 'not_found', exit_code: 1 } });
  });

  test.each([user, admin])('show where their files are, also in a narrow terminal ($name)', async (program) => {
    const location = `s3://bucket/${'deep/'.repeat(30)}end`;
    await home.run(admin, ['create-catalog', 'sales', '--warehouse', location]);
    const lines = (await home.run(program, ['list-catalogs'], { terminal: true })).stdout.split('\n');
    const line = lines.find((one) => one.startsWith('sales ')) ?? '';
    expect(line).toMatch(/^sales {2,}s3:\/\/bucket\/deep\/.*… {2}[0-9a-f-]{36} {2}\d{4}-\d{2}-\d{2} \d{2}:\d{2}$/);
    expect((await home.run(program, ['list-catalogs'])).stdout).toContain(`sales\t${location}\t`);
    const extra = await home.run(program, ['list-catalogs', 'sales']);
    expect({ stdout: extra.stdout, code: extra.code }).toEqual({ stdout: '', code: 2 });
  });

  /** Creates a catalog at a server that only notes what it is asked. */
  async function createAtServer(argv: string[], options: CliOptions = {}) {
    const catalog = { id: UNKNOWN_ID, name: 'demo', catalog_type: 'internal', warehouse_location: 's3://bucket/demo' };
    const server = await startAnsweringServer(() => ({
      status: 201,
      body: { ...catalog, created_at: '2026-11-22T12:00:00Z' },
    }));
    onTestFinished(() => server.close());
    const env = { PANGOLIN_URL: server.origin, PANGOLIN_TOKEN: 'a.b.c' };
    const result = await home.run(admin, ['create-catalog', ...argv], { ...options, env });
    return { ...result, origin: server.origin, asked: JSON.parse(server.received.at(-1)?.text ?? 'null') };
  }

  test('are created with sample data only where it is asked for', async () => {
    const plain = await createAtServer(['demo']);
    expect(plain.asked).toEqual({ name: 'demo' });
    expect({ stderr: plain.stderr, code: plain.code }).toEqual({ stderr: '', code: 0 });
    const argv = ['demo', '--with-sample-data', '--warehouse', 's3://bucket/demo'];
    const sample = await createAtServer([...argv, '--json'], { terminal: true });
    expect(sample.asked).toEqual({ name: 'demo', warehouse_location: 's3://bucket/demo', with_sample_data: true });
    expect({ stderr: sample.stderr, code: sample.code }).toEqual({ stderr: '', code: 0 });
    expect(JSON.parse(sample.stdout)).toMatchObject({ name: 'demo', warehouse_location: 's3://bucket/demo' });
  });

  test('say on a terminal, once created, what to try next', async () => {
    const plain = await createAtServer(['demo'], { terminal: true });
    expect(plain.stdout).toMatch(/^warehouse_location +s3:\/\/bucket\/demo$/m);
    expect(plain.stderr).toContain(`load_catalog('demo', uri='${plain.origin}/v1/demo', token='<TOKEN>')`);
    for (const [name, table] of [
      ['demo', 'demo.sample.sightings'],
      ['my.demo', `'"my.demo".sample.sightings'`],
    ] as const) {
      const sample = await createAtServer([name, '--with-sample-data'], { terminal: true });
      expect(sample.stderr).toContain(`pangolin-user generate-code --language pyiceberg --table ${table}\n`);
      const typed = table.replaceAll("'", '');
      const code = await home.run(user, ['generate-code', '--language', 'pyiceberg', '--table', typed]);
      expect(code.stdout).toContain(`load_table("sample.sightings")`);
    }
  });

  test.each([['create-catalog'], ['create-catalog', '../up'], ['delete-catalog']])('refuse %s %s', async (...argv) => {
    const { stdout, stderr, code } = await home.run(admin, argv);
    expect({ stdout, code }).toEqual({ stdout: '', code: 2 });
    expect(stderr).toMatch(/^Error: /);
  });
});

describe('list-audit-events', () => {
  test('lists what was done, newest first, in a pipe, on a terminal and with --json', async () => {
    await home.run(admin, ['create-service-user', '--name', 'etl']);
    const argv = ['list-audit-events', '--action', 'service_user.created'];
    const piped = await home.run(admin, argv);
    expect({ stderr: piped.stderr, code: piped.code }).toEqual({ stderr: '', code: 0 });
    expect(piped.stdout.split('\t').slice(2, 5)).toEqual(['ada', 'service_user.created', 'service_user']);
    const table = await home.run(admin, argv, { terminal: true });
    expect(table.stdout).toMatch(/^TIME +WHO +ACTION +ON WHAT +RESULT +FROM +CREDENTIAL\n/);
    const json = await home.run(admin, ['list-audit-events', '--limit', '1', '--json']);
    expect(JSON.parse(json.stdout)).toMatchObject([{ action: 'service_user.created', result: 'success' }]);
  });

  test('filters by time, result, principal and resource', async () => {
    const none = await home.run(admin, ['list-audit-events', '--until', '2001-01-01']);
    expect({ stdout: none.stdout, code: none.code }).toEqual({ stdout: '', code: 0 });
    expect(none.stderr).toContain('list-audit-events');
    const some = await home.run(admin, [
      'list-audit-events',
      '--since',
      '2001-01-01',
      '--resource-type',
      'token',
      '--json',
    ]);
    expect(JSON.parse(some.stdout).length).toBeGreaterThan(0);
  });

  test.each([
    ['--limit', '0'],
    ['--result', 'perhaps'],
    ['--since', 'yesterday'],
    ['--user-id', 'ada'],
  ])('refuses %s %s', async (...argv) => {
    const { stdout, stderr, code } = await home.run(admin, ['list-audit-events', ...argv]);
    expect({ stdout, code }).toEqual({ stdout: '', code: 2 });
    expect(stderr).toContain(argv[0]);
  });
});

describe('whoami', () => {
  test.each([user, admin])('shows the identity and where it comes from ($name)', async (program) => {
    const piped = await home.run(program, ['whoami']);
    expect({ stderr: piped.stderr, code: piped.code }).toEqual({ stderr: '', code: 0 });
    expect(piped.stdout).toContain('username\tada\nkind\towner\n');
    expect(piped.stdout).toContain('source\tembedded owner\n');
    const shown = await home.run(program, ['whoami'], { terminal: true });
    expect(shown.stdout).toMatch(/source +embedded owner\n/);
    const json = await home.run(program, ['whoami', '--json']);
    expect(JSON.parse(json.stdout)).toMatchObject({ kind: 'owner', role: 'root', source: 'embedded owner' });
    const refused = await home.run(program, ['whoami', 'me']);
    expect({ stdout: refused.stdout, code: refused.code }).toEqual({ stdout: '', code: 2 });
  });
});
