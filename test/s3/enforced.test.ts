import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Python } from '../interop/python.ts';
import { type Lake, openLake } from './lake.ts';
import { openClient, runPython } from './moto.ts';

const TABLE = 'guarded.t';

let lake: Lake;
let python: Python;
let own: { accessKeyId: string; secretAccessKey: string; roleArn: string };

/** From here on moto checks who asks, and lets the role do what the sessions for one table may. */
beforeAll(async () => {
  lake = await openLake();
  python = lake.openPython();
  await python.call('connect', lake.as(lake.token));
  await python.call('create', { name: TABLE, numbers: [1] });
  await python.call('create', { name: 'guarded.u', numbers: [1] });
  own = (await runPython('identities.py', lake.sessions()[0]?.policy ?? '')) as typeof own;
  await lake.restart({
    AWS_ACCESS_KEY_ID: own.accessKeyId,
    AWS_SECRET_ACCESS_KEY: own.secretAccessKey,
    PANGOLIN_S3_ROLE_ARN: own.roleArn,
  });
});
afterAll(async () => {
  await python?.close();
  await lake?.close();
});

const denied = (call: Promise<unknown> | undefined) => expect(call).rejects.toThrow(/ACCESS_DENIED|AccessDenied/);

test('where the storage lets a session do what its policy says and no more, PyIceberg has all it needs', async () => {
  await python.call('append', { name: TABLE, numbers: [2, 3] });
  await python.call('delete', { name: TABLE, row_filter: 'id = 2' });
  expect(await python.call('read', { name: TABLE })).toEqual([1, 3]);
  await python.call('overwrite', { name: TABLE, numbers: [4] });
  expect(await python.call('read', { name: TABLE })).toEqual([4]);
  await python.call('write_file', { name: TABLE, location: 's3://lake/wh/guarded/t/data/x' });
});

test('beside the table it reaches nothing', async () => {
  await denied(python.call('append', { name: 'guarded.u', numbers: [2] }));
  await denied(python.call('read', { name: 'guarded.u' }));
  for (const location of ['s3://lake/wh/guarded/u/data/x', 's3://lake/wh/guarded/tt/x', 's3://lake/x']) {
    await denied(python.call('write_file', { name: TABLE, location }));
  }
});

test('the server purges with rights of its own', async () => {
  await python.call('drop', { name: 'guarded.u', purge: true });
  const listing = new ListObjectsV2Command({ Bucket: 'lake', Prefix: 'wh/guarded/u/' });
  expect(await openClient(own).send(listing)).toMatchObject({ KeyCount: 0 });
});
