import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { mintToken } from '../interop/lakehouse.ts';
import { openPython, type Python } from '../interop/python.ts';
import { type Lake, openLake } from './lake.ts';
import { OWN_KEYS, type Seen } from './moto.ts';

let lake: Lake;
let python: Python;
beforeAll(async () => {
  lake = await openLake();
  python = lake.openPython();
  await python.call('connect', lake.as(lake.token));
});
afterAll(async () => {
  await python?.close();
  await lake?.close();
});

const isOwn = ({ headers }: Seen) => headers.authorization?.includes(OWN_KEYS.accessKeyId) === true;
const isVended = ({ headers }: Seen) => /^AWS4-HMAC-SHA256 Credential=ASIA/.test(headers.authorization ?? '');

describe('PyIceberg with a token, and nothing of the storage', () => {
  test('has no settings of its own', async () => {
    expect(await python.call('surroundings')).toEqual({ variables: ['AWS_EC2_METADATA_DISABLED'], files: [] });
  });

  test('opens files with exactly what was vended', async () => {
    await python.call('create', { name: 'told.t', numbers: [1] });
    expect(await python.call('load_io', { name: 'told.t' })).toEqual({
      type: 'PyArrowFileIO',
      told: {
        's3.access-key-id': expect.stringMatching(/^ASIA/),
        's3.secret-access-key': expect.any(String),
        's3.session-token': expect.any(String),
        's3.session-token-expires-at-ms': expect.stringMatching(/^\d{13}$/),
        's3.region': 'eu-central-1',
        'client.region': 'eu-central-1',
        's3.endpoint': lake.storage.url,
        's3.path-style-access': 'true',
        'client.refresh-credentials-endpoint': 'v1/namespaces/told/tables/t/credentials',
      },
    });
  });

  test.each([
    ['appends, and reads what it appended', 'test_append'],
    ['writes every type and reads it back', 'test_types'],
    ['filters', 'test_filters'],
    ['overwrites a table', 'test_overwrite'],
    ['overwrites rows within a file', 'test_overwrite_filter'],
    ['deletes rows', 'test_delete'],
    ['upserts', 'test_upsert'],
    ['overwrites partitions', 'test_dynamic_overwrite'],
    ['writes several times in one transaction', 'test_transaction'],
    ['is refused a commit whose requirement no longer holds', 'test_stale_commit'],
    ['adds a column', 'test_add_column'],
    ['renames a column', 'test_rename_column'],
    ['widens columns', 'test_widen_column'],
    ['reads a table of format version 3', 'test_version_3'],
    ['creates a table together with its rows', 'test_create_in_transaction'],
    ['creates nothing by a transaction that fails', 'test_abandoned_creation'],
    ['renames a table, which stays where it is', 'test_rename'],
    ['takes a table back to an earlier metadata file', 'test_register_overwrites'],
    ['writes data where the table’s properties say', 'test_paths'],
    ['keeps views', 'test_create'],
    ['is shown a replaced view', 'test_replace'],
  ])('%s', async (_, call) => {
    await python.call(call);
  });

  test('reads and writes all data itself, by vended credentials; the server writes metadata, never over a file', async () => {
    lake.storage.seen.length = 0;
    await python.call('create', { name: 'signed.t', numbers: [1, 2] });
    await python.call('overwrite', { name: 'signed.t', numbers: [3] });
    expect(await python.call('read', { name: 'signed.t' })).toEqual([3]);
    const files = lake.storage.seen.filter(({ url }) => url.startsWith('/lake/'));
    const isMetadata = ({ url }: Seen) => url.includes('.metadata.json');
    expect(files.filter(isMetadata).filter((one) => !isOwn(one))).toEqual([]);
    expect(files.filter((one) => !isMetadata(one)).filter((one) => !isVended(one))).toEqual([]);
    const written = files.filter((one) => isMetadata(one) && one.method === 'PUT');
    expect(written.map(({ headers }) => headers['if-none-match'])).toEqual(['*', '*', '*']);
  });

  test('purges a table: nothing of it is left in the bucket, and everything of others', async () => {
    await python.call('create', { name: 'purged.t', numbers: [1, 2, 3] });
    await python.call('create', { name: 'purged.kept', numbers: [1] });
    const kept = (await lake.keys()).filter((key) => !key.startsWith('wh/purged/t/'));
    await python.call('overwrite', { name: 'purged.t', numbers: [4, 5] });
    await python.call('delete', { name: 'purged.t', row_filter: 'id = 4' });
    expect((await lake.keys('wh/purged/t/')).length).toBeGreaterThan(10);
    await python.call('drop', { name: 'purged.t', purge: true });
    expect(await lake.keys()).toEqual(kept);
    expect(await python.call('read', { name: 'purged.kept' })).toEqual([1]);
  });

  test('reads with a token for reading, by credentials that cannot write', async () => {
    await python.call('create', { name: 'guarded.t', numbers: [1] });
    const reader = lake.openPython();
    try {
      await reader.call('connect', lake.as(await mintToken(lake.box, ['--scope', 'catalog:read'])));
      const before = lake.sessions().length;
      expect(await reader.call('read', { name: 'guarded.t' })).toEqual([1]);
      const asked = lake.sessions().slice(before);
      expect(asked.map(({ actions }) => actions)).toEqual([['s3:GetObject', 's3:ListBucket', 's3:GetBucketLocation']]);
      await expect(reader.call('append', { name: 'guarded.t', numbers: [2] })).rejects.toMatchObject({
        name: 'ForbiddenError',
      });
    } finally {
      await reader.close();
    }
    expect(await python.call('read', { name: 'guarded.t' })).toEqual([1]);
  });

  test('finds everything again after the server was restarted', async () => {
    await python.call('create', { name: 'lasting.t', numbers: [1, 2] });
    await python.call('create_view', { name: 'lasting.v' });
    await lake.restart();
    expect(await python.call('read', { name: 'lasting.t' })).toEqual([1, 2]);
    expect(await python.call('read_view', { name: 'lasting.v' })).toBe('SELECT * FROM people');
    await python.call('append', { name: 'lasting.t', numbers: [3] });
    expect(await python.call('read', { name: 'lasting.t' })).toEqual([1, 2, 3]);
  });
});

describe('create-catalog --with-sample-data', () => {
  test('lays a table into the bucket, which PyIceberg reads', async () => {
    const env = { PANGOLIN_URL: lake.server().url, PANGOLIN_TOKEN: lake.token };
    const argv = ['create-catalog', 'demo', '--warehouse', 's3://lake/demo', '--with-sample-data'];
    expect(await lake.box.admin(argv, { env })).toMatchObject({ code: 0 });
    expect((await lake.keys('demo/')).length).toBeGreaterThan(4);
    const properties = lake.as(lake.token, 'demo');
    const sample = openPython('sample.py', lake.box.home, { properties, warehouse: '' });
    try {
      for (const call of ['test_read', 'test_filter']) await sample.call(call);
    } finally {
      await sample.close();
    }
  });
});

describe('secrets', () => {
  test('the server’s own keys are in none of its answers; neither they nor what it vends are in its log and files', async () => {
    await python.call('create', { name: 'secret.t', numbers: [1] });
    expect(await python.call('read', { name: 'secret.t' })).toEqual([1]);
    const answers = lake.front.seen.map(({ answer }) => answer).join('\n');
    expect(answers).not.toContain(OWN_KEYS.accessKeyId);
    expect(answers).not.toContain(OWN_KEYS.secretAccessKey);
    const vended = [...answers.matchAll(/"s3\.(?:secret-access-key|session-token)":"([^"]+)"/g)].map(
      ([, text]) => text,
    );
    expect(vended.length).toBeGreaterThan(0);
    const kept = readdirSync(lake.box.home, { recursive: true, encoding: 'utf8' })
      .map((name) => join(lake.box.home, name))
      .filter((path) => statSync(path).isFile())
      .map((path) => readFileSync(path, 'latin1'));
    const everything = [lake.server().log(), ...kept].join('\n');
    const secrets = new Set([...Object.values(OWN_KEYS), ...vended]);
    expect([...secrets].filter((secret) => secret !== undefined && everything.includes(secret))).toEqual([]);
  });
});
