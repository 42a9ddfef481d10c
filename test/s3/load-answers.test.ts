import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { mintToken } from '../interop/lakehouse.ts';
import { bearer, request } from '../process/request.ts';
import { type Lake, openLake, SCHEMA } from './lake.ts';

const TABLES = 'namespaces/ns/tables';
const T = `${TABLES}/t`;

let lake: Lake;
beforeAll(async () => {
  lake = await openLake();
  await lake.send('namespaces', { json: { namespace: ['ns'] } });
  expect(await lake.send(TABLES, { json: { name: 't', schema: SCHEMA } })).toMatchObject({ status: 200 });
});
afterAll(() => lake?.close());

const vended = (refresh = `v1/${T}/credentials`) => ({
  's3.access-key-id': expect.stringMatching(/^ASIA/),
  's3.secret-access-key': expect.stringMatching(/./),
  's3.session-token': expect.stringMatching(/./),
  's3.session-token-expires-at-ms': expect.stringMatching(/^\d{13}$/),
  's3.region': 'eu-central-1',
  'client.region': 'eu-central-1',
  's3.endpoint': lake.storage.url,
  's3.path-style-access': 'true',
  'client.refresh-credentials-endpoint': refresh,
});

describe('what a client is told to open a table’s files with', () => {
  test.each([
    ['load', {}, 't'],
    ['create', { name: 'created', schema: SCHEMA }, 'created'],
    ['staged create', { name: 'staged', schema: SCHEMA, 'stage-create': true }, 'staged'],
  ])('a %s says it in config and in storage-credentials, the same in both', async (_, json, name) => {
    const answer = 'name' in json ? await lake.send(TABLES, { json }) : await lake.send(T);
    expect(answer.status).toBe(200);
    const { config, 'storage-credentials': storage } = JSON.parse(answer.text);
    expect(config).toEqual(vended(`v1/${TABLES}/${name}/credentials`));
    expect(storage).toEqual([{ prefix: `s3://lake/wh/ns/${name}/`, config }]);
  });

  test('so does a registration', async () => {
    const { 'metadata-location': location } = JSON.parse((await lake.send(T)).text);
    await lake.send(T, { method: 'DELETE' });
    const json = { name: 't', 'metadata-location': location };
    const { config, 'storage-credentials': storage } = JSON.parse(
      (await lake.send('namespaces/ns/register', { json })).text,
    );
    expect(config).toEqual(vended());
    expect(storage).toEqual([{ prefix: 's3://lake/wh/ns/t/', config }]);
  });

  test('GET …/credentials says it in the same shape, whatever the header', async () => {
    const loaded = JSON.parse((await lake.send(T)).text);
    for (const headers of [{}, { 'x-iceberg-access-delegation': '' }]) {
      const answer = await lake.send(`${T}/credentials`, { headers });
      expect(answer.status).toBe(200);
      expect(JSON.parse(answer.text)).toEqual({ 'storage-credentials': loaded['storage-credentials'] });
    }
  });

  test('a table whose data lies elsewhere has a prefix for each place', async () => {
    const properties = { 'write.data.path': 's3://lake/wh/elsewhere' };
    const { text } = await lake.send(TABLES, { json: { name: 'apart', schema: SCHEMA, properties } });
    const { config, 'storage-credentials': storage } = JSON.parse(text);
    expect(storage).toEqual(
      ['s3://lake/wh/ns/apart/', 's3://lake/wh/elsewhere/'].map((prefix) => ({ prefix, config })),
    );
  });

  test('the address to renew at is one below the catalog’s, in every base shape and for every name', async () => {
    const [namespace, name] = [['a b/c', 'ü'], 'x%y z'];
    for (const levels of [namespace.slice(0, 1), namespace])
      await lake.send('namespaces', { json: { namespace: levels } });
    const path = `namespaces/${namespace.map(encodeURIComponent).join('%1F')}/tables`;
    expect(await lake.send(path, { json: { name, schema: SCHEMA } })).toMatchObject({ status: 200 });
    for (const [address, prefix] of [
      ['/v1/lake', 'v1'],
      ['', 'v1/lake'],
    ]) {
      const headers = { ...bearer(lake.token), 'x-iceberg-access-delegation': 'vended-credentials' };
      const loaded = await request(`${lake.front.url}${address}/${prefix}/${path}/${encodeURIComponent(name)}`, {
        headers,
      });
      const { config, 'storage-credentials': storage } = JSON.parse(loaded.text);
      const endpoint = config['client.refresh-credentials-endpoint'];
      expect(endpoint).toMatch(new RegExp(`^${prefix}/namespaces/.*/credentials$`));
      const renewed = await request(`${lake.front.url}${address}/${endpoint}`, { headers });
      expect(JSON.parse(renewed.text)).toEqual({ 'storage-credentials': storage });
    }
  });

  test.each([['remote-signing'], ['']])('a client that wishes for %j is told nothing', async (wish) => {
    const { status, text } = await lake.send(T, { headers: { 'x-iceberg-access-delegation': wish } });
    expect(status).toBe(200);
    expect(JSON.parse(text)).toEqual({
      'metadata-location': expect.any(String),
      metadata: expect.any(Object),
      config: {},
    });
  });

  test('a wish among others is heard', async () => {
    const headers = { 'x-iceberg-access-delegation': 'remote-signing, Vended-Credentials' };
    expect(JSON.parse((await lake.send(T, { headers })).text).config).toEqual(vended());
  });
});

describe('a client that has the table already', () => {
  test('is told 304 only where it wishes for no credentials', async () => {
    const { etag = '' } = (await lake.send(T)).headers;
    for (const match of [etag, `W/${etag}`, '*']) {
      const again = await lake.send(T, { headers: { 'if-none-match': match } });
      expect(again.status).toBe(200);
      expect(JSON.parse(again.text).config).toEqual(vended());
      const headers = { 'if-none-match': match, 'x-iceberg-access-delegation': '' };
      expect(await lake.send(T, { headers })).toMatchObject({ status: 304, text: '' });
    }
  });
});

describe('who may do less', () => {
  test.each([
    ['in the catalog', 'r1', ['catalog:read']],
    ['in this namespace', 'r2', ['catalog:read', 'catalog:write:lake.other']],
  ])('gets credentials to read with, where it is no more than reading %s', async (_, name, scopes) => {
    const token = await mintToken(lake.box, ['--role', 'tenant-admin', '--scope', ...scopes]);
    await lake.send(TABLES, { json: { name, schema: SCHEMA } });
    const before = lake.sessions().length;
    for (const path of [`${TABLES}/${name}`, `${TABLES}/${name}/credentials`]) {
      expect(await lake.send(path, { headers: bearer(token) })).toMatchObject({ status: 200 });
    }
    // One session: what was vended a moment ago is given again.
    const sessions = lake.sessions().slice(before);
    expect(sessions.map(({ actions }) => actions)).toEqual([['s3:GetObject', 's3:ListBucket', 's3:GetBucketLocation']]);
  });

  test('gets none for a table that is not theirs to see', async () => {
    const token = await mintToken(lake.box, ['--scope', 'catalog:read:lake.other']);
    for (const address of [T, `${T}/credentials`]) {
      const { status, text } = await lake.send(address, { headers: bearer(token) });
      expect({ status, error: JSON.parse(text).error }).toMatchObject({
        status: 403,
        error: { type: 'ForbiddenException' },
      });
    }
  });
});

describe('a bucket in another region', () => {
  test('clients are told the region, and sign for it', async () => {
    const far = await openLake('ap-southeast-2');
    const python = far.openPython();
    try {
      await python.call('connect', far.as(far.token));
      await python.call('create', { name: 'ns.t', numbers: [1, 2] });
      expect(await python.call('read', { name: 'ns.t' })).toEqual([1, 2]);
      expect(await python.call('load_io', { name: 'ns.t' })).toMatchObject({
        told: { 's3.region': 'ap-southeast-2', 'client.region': 'ap-southeast-2' },
      });
      const regions = far.storage.seen.map(
        ({ headers }) => /Credential=\w+\/\d+\/([\w-]+)\//.exec(headers.authorization ?? '')?.[1],
      );
      expect(new Set(regions)).toEqual(new Set(['ap-southeast-2']));
    } finally {
      await python.close();
      await far.close();
    }
  });
});
