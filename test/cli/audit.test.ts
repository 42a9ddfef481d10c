import { createHash, generateKeyPairSync } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readJwksFile } from '../../packages/admin-cli/src/commands/audit/read-jwks.ts';
import { verifyExport } from '../../packages/admin-cli/src/commands/audit/verify-export.ts';
import { openEmbedded } from '../../packages/server/src/embedded.ts';
import { openDatabase } from '../../packages/server/src/store/database.ts';
import { startTestServer } from '../server/start-test-server.ts';
import { admin, UNKNOWN_ID, UUID, user } from './programs.ts';
import { type Home, openHome } from './run-cli.ts';

let home: Home;
let served: Awaited<ReturnType<typeof startTestServer>> | undefined;
let exported: string;
let lines: string[];
let jwks: string;

beforeAll(async () => {
  home = await openHome();
  for (const name of ['etl', 'dbt', 'täglich"\\']) await home.run(admin, ['create-service-user', '--name', name]);
  const { stdout, code } = await home.run(admin, ['export-audit']);
  expect(code).toBe(0);
  exported = stdout;
  lines = exported.split('\n').slice(0, -1);
  jwks = await saveJwks(home.dataDir, 'jwks.json');
}, 90_000);
afterAll(() => home.remove());

/** The keys as a server of this data directory publishes them, in a file. */
async function saveJwks(dataDir: string, name: string): Promise<string> {
  const server = await openEmbedded({ dataDir, create: false, ownerName: 'ada' });
  const { text } = await server.send({ method: 'GET', path: '/.well-known/jwks.json', headers: {} });
  await server.close();
  const file = join(home.folder, name);
  await writeFile(file, text);
  return file;
}

let files = 0;
/** Verifies a text, or bytes, that somebody may have changed; neither a server nor a data directory is there. */
async function verify(content: string | Uint8Array, keys = jwks) {
  files += 1;
  const file = join(home.folder, `export-${files}.jsonl`);
  await writeFile(file, content);
  return home.run(admin, ['verify-audit', '--file', file, '--jwks', keys], {
    env: { PANGOLIN_DATA_DIR: join(home.folder, 'nothing') },
  });
}

const text = (...changed: string[]) => changed.map((line) => `${line}\n`).join('');
const line = (n: number) => lines[n - 1] ?? '';

describe('export-audit', () => {
  test('writes every event in order as canonical JSON, then a checkpoint', async () => {
    const events = lines.slice(0, -1).map((one) => JSON.parse(one));
    expect(events.map(({ seq }) => seq)).toEqual([1, 2, 3, 4]);
    expect(events.map(({ action }) => action)).toEqual([
      'service_user.created',
      'service_user.created',
      'service_user.created',
      'audit_checkpoint.created',
    ]);
    for (const [i, event] of events.entries()) {
      expect(
        JSON.stringify(Object.fromEntries(Object.entries(event).sort(([a], [b]) => (a < b ? -1 : 1)))),
      ).toHaveLength(line(i + 1).length);
      expect(Object.keys(event)).toEqual(Object.keys(event).sort());
    }
    const checkpoint = JSON.parse(line(5));
    expect(checkpoint).toMatchObject({ type: 'checkpoint', seq: 4, hash: events[3].hash, chain: events[0].chain });
  });

  test('says on stderr what it wrote, and with --json nothing but lines', async () => {
    const piped = await home.run(admin, ['export-audit', '--format', 'jsonl']);
    expect(piped.stderr).toMatch(/^5 events of chain [0-9a-f-]{36}, up to \S+Z, signed by \S+\.\n$/);
    const json = await home.run(admin, ['export-audit', '--chain', 'system', '--json']);
    expect(json).toMatchObject({ stderr: '', code: 0 });
    const [first] = json.stdout.split('\n');
    expect(JSON.parse(first ?? '')).toMatchObject({ seq: 1, chain: 'system', action: 'installation.created' });
    const refused = await home.run(admin, ['export-audit', '--format', 'csv']);
    expect(refused).toMatchObject({ stdout: '', code: 2 });
  });

  test('ends quietly when nobody reads on, and with an error when it cannot be written', async () => {
    const closed = Object.assign(new Error('closed'), { code: 'EPIPE' });
    expect(await home.run(admin, ['export-audit'], { stdoutError: closed })).toEqual({
      stdout: '',
      stderr: '',
      code: 0,
    });
    const full = Object.assign(new Error('full'), { code: 'ENOSPC' });
    const { stderr, code } = await home.run(admin, ['export-audit'], { stdoutError: full });
    expect(code).toBe(1);
    expect(stderr).toMatch(/incomplete[\s\S]*could not be written/);
  });

  test('that does not get all there should be fails, and lacks the checkpoint', async () => {
    const other = await openHome();
    for (const name of ['a', 'b', 'c']) await other.run(admin, ['create-service-user', '--name', name]);
    const db = await openDatabase({ file: join(other.dataDir, 'pangolin.db') });
    await db.transact((tx) =>
      tx.deleteFrom('audit_events').where('chain', '<>', 'system').where('seq', '=', 2).execute(),
    );
    await db.close();
    const { stdout, stderr, code } = await other.run(admin, ['export-audit']);
    expect({ code, checkpoints: stdout.split('"type":"checkpoint"').length - 1 }).toEqual({ code: 1, checkpoints: 0 });
    expect(stderr).toMatch(/incomplete[\s\S]*has no event 2/);
    expect((await verify(stdout)).code).toBe(1);
    await other.remove();
  });

  test('needs the privilege to see the audit log, over HTTP as well, where it writes the same', async () => {
    served ??= await startTestServer({ dataDir: home.dataDir });
    const url = `http://127.0.0.1:${served.port}`;
    const token = async (role: string) => (await home.run(user, ['get-token', '--role', role])).stdout.trim();
    const over = (secret: string) =>
      home.run(admin, ['export-audit'], { env: { PANGOLIN_URL: url, PANGOLIN_TOKEN: secret } });
    expect(await over(await token('tenant-user'))).toMatchObject({ stdout: '', code: 4 });
    const { stdout, code } = await over(await token('tenant-admin'));
    expect(code).toBe(0);
    expect(stdout.startsWith(text(...lines.slice(0, -1)))).toBe(true);
    expect(await verify(stdout)).toMatchObject({ stderr: '', code: 0 });
    await served.close();
    served = undefined;
  });
});

describe('verify-audit of the server’s log', () => {
  test('says how much is verified, and who vouches for it', async () => {
    const other = await openHome();
    await other.run(admin, ['create-service-user', '--name', 'etl']);
    const before = await other.run(admin, ['verify-audit']);
    expect(before).toMatchObject({ stderr: '', code: 0 });
    expect(before.stdout).toMatch(
      /^1 event, chain [0-9a-f-]{36}, verified up to seq 1 of \S+Z, not signed yet: pangolin-admin export-audit signs it\n$/,
    );
    await other.run(admin, ['export-audit']);
    const after = await other.run(admin, ['verify-audit'], { terminal: true });
    expect(after.stdout).toMatch(
      /^2 events, chain \S+, verified up to seq 2 of \S+Z, signed by \S+ up to seq 2 of \S+Z\n$/,
    );
    const json = await other.run(admin, ['verify-audit', '--chain', 'system', '--json']);
    expect(JSON.parse(json.stdout)).toMatchObject({ valid: true, complete: true, chain: 'system', broken: null });
    await other.remove();
  });

  test('names the first event that is not as it was, and fails', async () => {
    const other = await openHome();
    for (const name of ['a', 'b', 'c']) await other.run(admin, ['create-service-user', '--name', name]);
    const db = await openDatabase({ file: join(other.dataDir, 'pangolin.db') });
    await db.transact((tx) =>
      tx
        .updateTable('audit_events')
        .set({ resource_name: 'x' })
        .where('chain', '<>', 'system')
        .where('seq', '=', 2)
        .execute(),
    );
    await db.close();
    const { stdout, stderr, code } = await other.run(admin, ['verify-audit']);
    expect({ stdout, code }).toEqual({ stdout: '', code: 1 });
    expect(stderr).toMatch(/^Error: In chain \S+, event 2 \(id \S+\) was changed: its content has another hash/);
    const json = await other.run(admin, ['verify-audit', '--json']);
    expect(JSON.parse(json.stderr).error).toMatchObject({ code: 'audit_log_broken', exit_code: 1 });
    await other.remove();
  });

  test.each([
    [['--jwks', 'x']],
    [['--file', 'x', '--chain', 'system']],
    [['--chain', 'mine']],
    [['--file', 'there-is-no-such-file', '--jwks', 'x']],
  ])('refuses %j', async (argv) => {
    expect(await home.run(admin, ['verify-audit', ...argv])).toMatchObject({ stdout: '', code: 2 });
  });
});

describe('verify-audit of a file', () => {
  test('needs neither server nor data, and says what is verified', async () => {
    const { stdout, stderr, code } = await verify(exported);
    expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
    const { chain, time, kid } = JSON.parse(line(5));
    expect(stdout).toBe(`4 events, chain ${chain}, verified up to seq 4 of ${time}, signed by ${kid}\n`);
  });

  test('reads stdin, and asks the server for the keys where no file holds them', async () => {
    const found = await home.run(admin, ['verify-audit', '--file', '-', '--json'], { stdin: exported });
    expect({ stderr: found.stderr, code: found.code }).toEqual({ stderr: '', code: 0 });
    expect(JSON.parse(found.stdout)).toMatchObject({
      events: 4,
      seq: 4,
      issuer: expect.stringMatching(/^urn:pangolin:/),
    });
  });

  test('fails for any byte that is changed, naming the line', { timeout: 240_000 }, async () => {
    const keys = await readJwksFile(jwks);
    const bytes = Buffer.from(exported);
    const accepted: string[] = [];
    for (let i = 0; i < bytes.length; i += 1) {
      for (const flip of [0x01, 0x20, 0x80]) {
        const changed = Buffer.from(bytes);
        changed[i] = (changed[i] ?? 0) ^ flip;
        const at = bytes.subarray(0, i).filter((byte) => byte === 0x0a).length + 1;
        const outcome = await verifyExport(toStream(changed), keys).then(
          () => 'accepted',
          (error) => (error.code === 'audit_log_broken' ? error.message : `threw ${error}`),
        );
        // A line end that is changed joins two lines; the last one's leaves a line that does not end.
        if (!outcome.startsWith(`Line ${at} `)) accepted.push(`byte ${i} of line ${at} ^ ${flip}: ${outcome}`);
      }
    }
    expect(accepted).toEqual([]);
  });

  const CASES: Record<string, [() => string | Uint8Array, RegExp]> = {
    'a line was dropped': [
      () => text(line(1), line(3), line(4), line(5)),
      /^Error: Line 2 is event 3: event 2 is missing\.$/m,
    ],
    'lines were dropped': [() => text(line(1), line(4), line(5)), /Line 2 is event 4: events 2 to 3 are missing/],
    'the first line was dropped': [() => text(...lines.slice(1)), /Line 1 is event 2: event 1 is missing/],
    'the last event was dropped': [
      () => text(line(1), line(2), line(3), line(5)),
      /Line 4 is a checkpoint for event 4, but/,
    ],
    'two lines were swapped': [() => text(line(1), line(3), line(2), line(4), line(5)), /Line 2 is event 3/],
    'a line is there twice': [() => text(line(1), line(1), ...lines.slice(1)), /Line 2 repeats or goes back/],
    'an event was appended': [() => text(...lines, line(4)), /Line 6 follows the checkpoint/],
    'an empty line was appended': [() => `${exported}\n`, /Line 6 follows the checkpoint/],
    'the checkpoint is missing': [
      () => text(...lines.slice(0, -1)),
      /Line 5 should be the checkpoint, but the file ends/,
    ],
    'there is nothing': [() => '', /Line 1 should be the checkpoint/],
    'a line was cut': [() => exported.slice(0, -100), /Line 5 is cut off/],
    'the last line end was cut': [() => exported.slice(0, -1), /Line 5 is cut off/],
    'it begins with a byte order mark': [() => `\ufeff${exported}`, /Line 1 begins with a byte order mark/],
    'it has the line ends of Windows': [() => exported.replaceAll('\n', '\r\n'), /Line 1 ends with a carriage return/],
    'it was stored as UTF-16': [() => Buffer.from(exported, 'utf16le'), /Line 1 is not/],
    'a space was added': [() => exported.replace('{"action":', '{ "action":'), /Line 1 is not written as an export/],
    'a name is there twice': [
      () => exported.replace('{"action":', '{"action":"x","action":'),
      /Line 1 is not written as/,
    ],
    'a name was added': [() => exported.replace('{"action":', '{"aaa":1,"action":'), /Line 1 is not written as/],
    'members are in another order': [
      () => text(JSON.stringify(Object.fromEntries(Object.entries(JSON.parse(line(1))).reverse())), ...lines.slice(1)),
      /Line 1 is not written as/,
    ],
    'a character is escaped': [() => exported.replace('tä', 't\\u00e4'), /Line 3 is not written as/],
    'an event was changed, with a hash of its own': [
      () => rehash(1, (event) => ({ ...event, username: 'x' })),
      /Line 2 does not follow event 1/,
    ],
    'a line is no object': [() => text('[]', ...lines.slice(1)), /Line 1 is not a JSON object/],
    'a line is no event': [() => text('{}', ...lines.slice(1)), /Line 1 is no audit event: its action is not text/],
    'a line is endless': [() => `{"action":"${'x'.repeat(1_000_000)}`, /Line 1 is longer than any line/],
    'a line is very long': [
      () => text(`{"action":"${'x'.repeat(300_000)}"}`, ...lines),
      /Line 1 is longer than any line/,
    ],
    'a line is deeply nested': [() => text(`${'['.repeat(100_000)}`, ...lines), /Line 1 is/],
    'details are deeply nested': [
      () =>
        text(
          line(1).replace('"details":{', `"details":{"a":${'['.repeat(50_000)}${']'.repeat(50_000)},`),
          ...lines.slice(1),
        ),
      /Line 1 is/,
    ],
  };

  test.each(Object.entries(CASES))('fails where %s', async (_, [make, message]) => {
    const { stdout, stderr, code } = await verify(make());
    expect({ stdout, code, stderr }).toEqual({ stdout: '', code: 1, stderr: expect.stringMatching(message) });
  });

  test('fails with a checkpoint of another chain, an older one, or one of another installation', async () => {
    const system = (await home.run(admin, ['export-audit', '--chain', 'system'])).stdout.split('\n').slice(0, -1);
    expect((await verify(text(...lines.slice(0, -1), system.at(-1) ?? ''))).stderr).toMatch(
      /Line 5 is the checkpoint of another chain/,
    );
    expect((await verify(text(line(1), ...system.slice(1)))).stderr).toMatch(/Line 2 /);
    const later = (await home.run(admin, ['export-audit'])).stdout.split('\n').slice(0, -1);
    expect((await verify(text(...later.slice(0, -1), line(5)))).stderr).toMatch(
      /is a checkpoint for event 4, but the events before it go to/,
    );
    const other = await openHome();
    await other.run(admin, ['create-service-user', '--name', 'etl']);
    const theirs = (await other.run(admin, ['export-audit'])).stdout;
    const keys = await saveJwks(other.dataDir, 'theirs.json');
    expect((await verify(theirs)).stderr).toMatch(
      /Line 3 is a checkpoint signed by the key \S+, which is not among the keys given/,
    );
    expect((await verify(exported, keys)).code).toBe(1);
    expect((await verify(theirs, keys)).code).toBe(0);
    await other.remove();
  });

  test('fails with keys that cannot have signed it, whatever their names', async () => {
    const published = JSON.parse(await readFile(jwks, 'utf8'));
    const { kid } = JSON.parse(line(5));
    const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' });
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ format: 'jwk' });
    const withKey = async (key: object) => {
      const file = join(home.folder, 'keys.json');
      await writeFile(file, JSON.stringify({ keys: [key] }));
      return (await verify(exported, file)).stderr;
    };
    const [mine] = published.keys.filter((key: { kid: string }) => key.kid === kid);
    expect(await withKey({ ...stranger, kid })).toMatch(/whose signature does not verify/);
    for (const key of [
      { ...rsa, kid },
      { kty: 'oct', k: 'AAAA', kid },
      { ...mine, alg: 'ES512' },
      { ...mine, use: 'enc' },
    ])
      expect(await withKey(key)).toMatch(/is not one for signatures with ES256/);
    expect(await withKey({ ...mine, x: 'AAAA' })).toMatch(/is damaged/);
    for (const content of ['', '{', '[]', '{"keys":{}}', '{"keys":[{}]}', JSON.stringify({ keys: [mine, mine] })]) {
      const file = join(home.folder, 'keys.json');
      await writeFile(file, content);
      expect(await verify(exported, file)).toMatchObject({ stdout: '', code: 2 });
    }
  });

  test('never takes a token for a checkpoint', async () => {
    const token = (await home.run(user, ['get-token'])).stdout.trim();
    const checkpoint = { ...JSON.parse(line(5)), signature: token };
    expect((await verify(text(...lines.slice(0, -1), JSON.stringify(checkpoint)))).stderr).toMatch(
      /Line 5 is a checkpoint whose signature is not that of a checkpoint/,
    );
  });
});

/** The export with one event changed and hashed anew. */
function rehash(n: number, change: (event: Record<string, unknown>) => object): string {
  const { hash: _, ...event } = JSON.parse(line(n));
  const sorted = (value: object) =>
    JSON.stringify(Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))));
  const changed = change(event);
  const hash = createHash('sha256').update(sorted(changed)).digest('hex');
  return text(...lines.slice(0, n - 1), sorted({ ...changed, hash }), ...lines.slice(n));
}

async function* toStream(bytes: Uint8Array) {
  yield bytes;
}

describe('count-audit-events', () => {
  test('prints how many there are, in a pipe, on a terminal and with --json', async () => {
    const argv = ['count-audit-events', '--action', 'service_user.created'];
    expect(await home.run(admin, argv)).toEqual({ stdout: '3\n', stderr: '', code: 0 });
    expect((await home.run(admin, argv, { terminal: true })).stdout).toBe('3\n');
    expect(JSON.parse((await home.run(admin, [...argv, '--json'])).stdout)).toEqual({ count: 3 });
    expect(await home.run(admin, ['count-audit-events', '--since', 'yesterday'])).toMatchObject({
      stdout: '',
      code: 2,
    });
  });
});

describe('get-audit-event', () => {
  test('shows all of an event, in a pipe, on a terminal and with --json', async () => {
    const id = JSON.parse(line(1)).id;
    const piped = await home.run(admin, ['get-audit-event', id]);
    expect({ stderr: piped.stderr, code: piped.code }).toEqual({ stderr: '', code: 0 });
    expect(piped.stdout).toContain(`id\t${id}\n`);
    expect(piped.stdout).toContain('action\tservice_user.created\n');
    expect((await home.run(admin, ['get-audit-event', id], { terminal: true })).stdout).toMatch(
      /^action +service_user/m,
    );
    expect(JSON.parse((await home.run(admin, ['get-audit-event', id, '--json'])).stdout)).toEqual(JSON.parse(line(1)));
    expect(await home.run(admin, ['get-audit-event', UNKNOWN_ID])).toMatchObject({ stdout: '', code: 1 });
    expect(await home.run(admin, ['get-audit-event', 'x'])).toMatchObject({ stdout: '', code: 2 });
  });

  test('of a chain that is not asked for is not found', async () => {
    const { stdout } = await home.run(admin, ['list-audit-events', '--chain', 'system']);
    const id = UUID.exec(stdout.split('\t').at(-1) ?? '')?.[0] ?? '';
    expect(await home.run(admin, ['get-audit-event', id])).toMatchObject({ stdout: '', code: 1 });
    expect(await home.run(admin, ['get-audit-event', id, '--chain', 'system'])).toMatchObject({ stderr: '', code: 0 });
  });
});
