import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createWarehouses } from '../../packages/server/src/iceberg/warehouse/open-warehouse.ts';
import { openS3Warehouse } from '../../packages/server/src/iceberg/warehouse/s3.ts';
import { openS3Clients } from '../../packages/server/src/iceberg/warehouse/s3-clients.ts';
import type { Warehouse } from '../../packages/server/src/iceberg/warehouse/warehouse.ts';
import { createBucket, OWN_KEYS, openClient, openProxy, useMoto } from './moto.ts';

const ROOT = 's3://lake/wh';
const silent = { debug() {}, info() {}, warn() {}, error() {} };
const options = { dataDir: '/nowhere', s3RoleArn: null, now: () => Date.now(), log: silent };
const open = async (root = ROOT): Promise<Warehouse> => createWarehouses(options).open(root);

const outside = openClient(OWN_KEYS);
const keys = async () =>
  ((await outside.send(new ListObjectsV2Command({ Bucket: 'lake' }))).Contents ?? []).map(({ Key }) => Key);
const refusal = (code: string, message: RegExp) =>
  expect.objectContaining({ code, message: expect.stringMatching(message) });

beforeEach(async () => {
  await useMoto();
  await createBucket('lake');
});
afterEach(() => void vi.unstubAllEnvs());

describe('files', () => {
  test('a file is made under its key, and read back byte by byte', async () => {
    const warehouse = await open();
    const bytes = Buffer.alloc(3_000_000, 'pangolin\0ä');
    await warehouse.create(`${ROOT}/ns/t/metadata/a.json`, bytes);
    await warehouse.create(`${ROOT}/ns/t/metadata/b.json`, 'ä');
    await warehouse.create(`${ROOT}/ns/t/metadata/empty`, '');
    expect((await warehouse.read(`s3a://lake/wh/ns/t/metadata/a.json`)).equals(bytes)).toBe(true);
    expect(await warehouse.read(`${ROOT}/ns/t/metadata/b.json`)).toEqual(Buffer.from('ä'));
    expect(await warehouse.read(`${ROOT}/ns/t/metadata/empty`)).toEqual(Buffer.from(''));
    expect(await keys()).toEqual(['a.json', 'b.json', 'empty'].map((name) => `wh/ns/t/metadata/${name}`));
  });

  test('keys are raw: neither a percent sign nor anything else is decoded or encoded on the way', async () => {
    const warehouse = await open();
    const names = ['day=2026%2F01', 'a b+c', 'ä', '*', '&<>"\'', `\${aws:username}`, ';=,@'];
    for (const name of names) await warehouse.create(`${ROOT}/${name}`, name);
    expect(new Set(await keys())).toEqual(new Set(names.map((name) => `wh/${name}`)));
    for (const name of names) expect(String(await warehouse.read(`${ROOT}/${name}`))).toBe(name);
    await warehouse.remove(names.map((name) => `${ROOT}/${name}`));
    expect(await keys()).toEqual([]);
  });

  test('an existing file is never replaced', async () => {
    const warehouse = await open();
    await warehouse.create(`${ROOT}/a.json`, 'first');
    for (const content of ['second', 'first']) {
      await expect(warehouse.create(`${ROOT}/a.json`, content)).rejects.toEqual(
        refusal('already_exists', /^There is a file already: s3:\/\/lake\/wh\/a\.json$/),
      );
    }
    expect(String(await warehouse.read(`${ROOT}/a.json`))).toBe('first');
  });

  test('of two that create one file at once, exactly one wins', async () => {
    const warehouses = [await open(), await open()];
    const outcomes = await Promise.allSettled(
      Array.from({ length: 8 }, (_, n) => warehouses[n % 2]?.create(`${ROOT}/a.json`, `${n}`)),
    );
    const won = outcomes.flatMap(({ status }, n) => (status === 'fulfilled' ? [`${n}`] : []));
    expect(won).toEqual([String(await warehouses[0]?.read(`${ROOT}/a.json`))]);
  });

  test('a file that was written although the answer was lost counts as created; another’s does not', async () => {
    const proxy = await openProxy();
    vi.stubEnv('AWS_ENDPOINT_URL_S3', proxy.url);
    const warehouse = await open();
    try {
      proxy.loseAnswerTo('PUT');
      await warehouse.create(`${ROOT}/a.json`, 'mine');
      expect(proxy.seen.filter(({ method }) => method === 'PUT')).toHaveLength(2);
      proxy.loseAnswerTo('PUT');
      await expect(warehouse.create(`${ROOT}/a.json`, 'another')).rejects.toMatchObject({ code: 'already_exists' });
      expect(String(await warehouse.read(`${ROOT}/a.json`))).toBe('mine');
    } finally {
      proxy.close();
    }
  });

  test('a missing file is said to be missing in the words clients look for', async () => {
    await expect((await open()).read(`${ROOT}/none.json`)).rejects.toEqual(
      refusal('file_not_found', /^Failed to open input stream for file: s3:\/\/lake\/wh\/none\.json$/),
    );
  });

  test('a file larger than the most that is read is refused unread', async () => {
    const warehouse = openS3Warehouse(ROOT, {
      clients: await openS3Clients(),
      roleArn: null,
      now: Date.now,
      log: silent,
      maxFileBytes: 10,
    });
    await warehouse.create(`${ROOT}/small`, '0123456789');
    await warehouse.create(`${ROOT}/large`, Buffer.alloc(2_000_000));
    expect((await warehouse.read(`${ROOT}/small`)).length).toBe(10);
    await expect(warehouse.read(`${ROOT}/large`)).rejects.toEqual(refusal('invalid_request', /larger than 10 bytes/));
  });

  test('thousands of files are removed, and those that are not there count as removed', async () => {
    const warehouse = await open();
    await warehouse.create(`${ROOT}/t/0`, 'x');
    await warehouse.create(`${ROOT}/t/2000`, 'x');
    await warehouse.create(`${ROOT}/u/0`, 'x');
    await warehouse.remove(Array.from({ length: 2_001 }, (_, n) => `${ROOT}/t/${n}`));
    expect(await keys()).toEqual(['wh/u/0']);
    await warehouse.remove([]);
  });

  test('what lies beside the warehouse is reached by nothing', async () => {
    const warehouse = await open();
    await outside.send(new PutObjectCommand({ Bucket: 'lake', Key: 'whale/a', Body: 'x' }));
    for (const location of ['s3://lake/whale/a', `${ROOT}/../whale/a`, 's3://other/wh/a', 'file:///wh/a', ROOT]) {
      const refused = refusal('invalid_request', /does not lie within the catalog's warehouse s3:\/\/lake\/wh$/);
      await expect(warehouse.read(location)).rejects.toEqual(refused);
      await expect(warehouse.create(location, 'y')).rejects.toEqual(refused);
      await expect(warehouse.remove([location])).rejects.toEqual(refused);
    }
    const { Body } = await outside.send(new GetObjectCommand({ Bucket: 'lake', Key: 'whale/a' }));
    expect(await Body?.transformToString()).toBe('x');
  });
});

describe('a storage that does not serve', () => {
  const failing = async (root: string, environment: Record<string, string | undefined>, message: RegExp) => {
    for (const [name, value] of Object.entries({ AWS_MAX_ATTEMPTS: '1', ...environment })) vi.stubEnv(name, value);
    const warehouse = await open(root);
    const uses = [
      () => warehouse.create(`${root}/a`, 'x'),
      () => warehouse.read(`${root}/a`),
      () => warehouse.remove([`${root}/a`]),
    ];
    for (const use of uses) {
      const error = await use().catch((error) => error);
      expect(error).toEqual(refusal('unavailable', message));
      expect(error.message).not.toContain(OWN_KEYS.secretAccessKey);
    }
  };

  test('a bucket that does not exist is named', () =>
    failing(
      's3://ocean/wh',
      {},
      /^The storage of s3:\/\/ocean fails \(NoSuchBucket\): there is no such bucket; make it/,
    ));

  test('an address where nobody listens is told apart', () =>
    failing(
      ROOT,
      { AWS_ENDPOINT_URL: 'http://127.0.0.1:1' },
      /\(ECONNREFUSED\): it cannot be reached; set AWS_ENDPOINT/,
    ));

  test('a region that was not set is asked for', () =>
    failing(ROOT, { AWS_REGION: undefined }, /^The storage of s3:\/\/lake fails \(\w+\): set AWS_REGION/));

  test('credentials that are nowhere are asked for', () =>
    failing(
      ROOT,
      { AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined },
      /^The storage of s3:\/\/lake fails \(CredentialsProviderError\): set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY/,
    ));

  test('an endpoint that is no address is asked for', () =>
    failing(
      ROOT,
      { AWS_ENDPOINT_URL: 'minio' },
      /^The storage of s3:\/\/lake fails \(\w+\): .*set AWS_ENDPOINT_URL_S3/,
    ));
});
