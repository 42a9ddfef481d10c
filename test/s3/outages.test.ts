import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Python } from '../interop/python.ts';
import type { Answer } from '../process/request.ts';
import { type Lake, openLake, SCHEMA } from './lake.ts';

const TABLES = 'namespaces/ns/tables';
const CLOSED = 'http://127.0.0.1:1';
const WITHOUT = { 'x-iceberg-access-delegation': '' };

let lake: Lake;
let python: Python;
beforeAll(async () => {
  lake = await openLake();
  python = lake.openPython();
  await python.call('connect', lake.as(lake.token));
  await python.call('create', { name: 'ns.t', numbers: [1] });
});
afterAll(async () => {
  await python?.close();
  await lake?.close();
});

const expectUnavailable = ({ status, text }: Answer, message: RegExp) =>
  expect({ status, answer: JSON.parse(text) }).toEqual({
    status: 503,
    answer: { error: { message: expect.stringMatching(message), type: 'ServiceUnavailableException', code: 503 } },
  });
const NO_CREDENTIALS =
  /^No credentials for s3:\/\/lake \(ECONNREFUSED\): it cannot be reached; set AWS_ENDPOINT_URL_STS/;
const NO_STORAGE = /^The storage of s3:\/\/lake fails \(ECONNREFUSED\): it cannot be reached; set AWS_ENDPOINT_URL_S3/;

describe('while STS cannot be reached', () => {
  beforeAll(() => lake.restart({ AWS_ENDPOINT_URL_STS: CLOSED }));

  test('what was committed is answered: a create and a registration say 200, without credentials', async () => {
    const created = await lake.send(TABLES, { json: { name: 'new', schema: SCHEMA } });
    expect(created.status).toBe(200);
    const { 'metadata-location': location, ...rest } = JSON.parse(created.text);
    expect(rest).toEqual({ metadata: expect.objectContaining({ location: 's3://lake/wh/ns/new' }), config: {} });
    await lake.send(`${TABLES}/new`, { method: 'DELETE' });
    const json = { name: 'new', 'metadata-location': location };
    expect(await lake.send('namespaces/ns/register', { json })).toEqual(
      expect.objectContaining({ status: 200, text: created.text }),
    );
    expect(await lake.send(`${TABLES}/new`, { headers: WITHOUT })).toMatchObject({ status: 200 });
  });

  test('who loads a table, or asks for credentials, is told 503 in Iceberg’s shape', async () => {
    expectUnavailable(await lake.send(`${TABLES}/t`), NO_CREDENTIALS);
    expectUnavailable(await lake.send(`${TABLES}/t/credentials`), NO_CREDENTIALS);
    await expect(python.call('read', { name: 'ns.t' })).rejects.toMatchObject({ name: 'ServiceUnavailableError' });
  });

  test('a create that is only staged is refused, for nothing of it was kept', async () => {
    const json = { name: 'staged', schema: SCHEMA, 'stage-create': true };
    expectUnavailable(await lake.send(TABLES, { json }), NO_CREDENTIALS);
    expect(await lake.send(`${TABLES}/staged`, { headers: WITHOUT })).toMatchObject({ status: 404 });
  });

  test('who wishes for no credentials loads and commits', async () => {
    expect(await lake.send(`${TABLES}/t`, { headers: WITHOUT })).toMatchObject({ status: 200 });
    const json = { requirements: [], updates: [{ action: 'set-properties', updates: { owner: 'ada' } }] };
    expect(await lake.send(`${TABLES}/t`, { json })).toMatchObject({ status: 200 });
  });
});

describe('while the storage cannot be reached', () => {
  beforeAll(() => lake.restart({ AWS_ENDPOINT_URL_S3: CLOSED }));

  test('nothing is created, committed or loaded, and each is told 503', async () => {
    expectUnavailable(await lake.send(TABLES, { json: { name: 'lost', schema: SCHEMA } }), NO_STORAGE);
    expectUnavailable(await lake.send(`${TABLES}/t`), NO_STORAGE);
    const json = { requirements: [], updates: [{ action: 'set-properties', updates: { owner: 'grace' } }] };
    expectUnavailable(await lake.send(`${TABLES}/t`, { json }), NO_STORAGE);
  });

  test('a catalog whose sample data cannot be written is not created', async () => {
    const env = { PANGOLIN_URL: lake.server().url, PANGOLIN_TOKEN: lake.token };
    const argv = ['create-catalog', 'demo', '--warehouse', 's3://lake/demo', '--with-sample-data'];
    const { code, stderr } = await lake.box.admin(argv, { env });
    expect(code).not.toBe(0);
    expect(stderr).toContain('set AWS_ENDPOINT_URL_S3');
    expect((await lake.box.user(['list-catalogs', '--json'])).stdout).not.toContain('demo');
  });
});

describe('when both are back', () => {
  beforeAll(() => lake.restart());

  test('everything is there that was acknowledged, and nothing that was refused', async () => {
    expect(await python.call('read', { name: 'ns.t' })).toEqual([1]);
    expect(await python.call('properties', { name: 'ns.t' })).toMatchObject({ owner: 'ada' });
    expect(await python.call('read', { name: 'ns.new' })).toEqual([]);
    const { identifiers } = JSON.parse((await lake.send(TABLES)).text);
    expect(identifiers.map(({ name }: { name: string }) => name)).toEqual(['new', 't']);
  });
});
