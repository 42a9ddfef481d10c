import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand, S3ServiceException } from '@aws-sdk/client-s3';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createWarehouses } from '../../packages/server/src/iceberg/warehouse/open-warehouse.ts';
import { openS3Clients } from '../../packages/server/src/iceberg/warehouse/s3-clients.ts';
import { createVending } from '../../packages/server/src/iceberg/warehouse/vending.ts';
import type { VendedCredentials, VendRequest } from '../../packages/server/src/iceberg/warehouse/warehouse.ts';
import {
  createBucket,
  motoEndpoint,
  OWN_KEYS,
  openClient,
  openProxy,
  type RecordingProxy,
  runPython,
  useMoto,
} from './moto.ts';

const ROOT = 's3://lake/wh';
const TABLE = `${ROOT}/ns/t`;
const HOUR = 3_600_000;

let proxy: RecordingProxy;
let nowMs: number;
let warnings: string[];
let locationsWarnedOf: unknown[];

beforeEach(async () => {
  proxy = await openProxy();
  await useMoto({ AWS_ENDPOINT_URL_STS: proxy.url });
  await createBucket('lake');
  nowMs = Date.now();
  warnings = [];
  locationsWarnedOf = [];
});
afterEach(() => {
  vi.unstubAllEnvs();
  proxy.close();
});

const options = () => ({
  now: () => nowMs,
  log: {
    debug() {},
    info() {},
    error() {},
    warn(details: object, message: string) {
      warnings.push(message);
      if ('location' in details) locationsWarnedOf.push(details.location);
    },
  },
});
const open = (s3RoleArn: string | null = null) =>
  createWarehouses({ ...options(), dataDir: '/nowhere', s3RoleArn }).open(ROOT);
const ask = (changes: Partial<VendRequest> = {}): VendRequest => ({
  locations: [TABLE],
  access: 'write',
  principal: 'etl',
  endsAtMs: null,
  ...changes,
});
const asked = () => proxy.seen.map(({ body }) => Object.fromEntries(new URLSearchParams(body)));
const policies = () => asked().map(({ Policy }) => JSON.parse(Policy ?? ''));

function clientOf(vended: VendedCredentials | null) {
  const config: VendedCredentials['config'] = vended?.config ?? {};
  return openClient({
    accessKeyId: config['s3.access-key-id'] ?? '',
    secretAccessKey: config['s3.secret-access-key'] ?? '',
    sessionToken: config['s3.session-token'] ?? '',
  });
}

describe('what is vended', () => {
  test('credentials of a session, with all that a client needs to use them', async () => {
    const vended = await (await open()).vend(ask());
    expect(vended).toEqual({
      prefixes: [`${TABLE}/`],
      config: {
        's3.access-key-id': expect.stringMatching(/^ASIA/),
        's3.secret-access-key': expect.any(String),
        's3.session-token': expect.any(String),
        's3.session-token-expires-at-ms': `${vended?.expiresAtMs}`,
        's3.region': 'eu-central-1',
        'client.region': 'eu-central-1',
        's3.endpoint': motoEndpoint(),
        's3.path-style-access': 'true',
      },
      expiresAtMs: expect.any(Number),
    });
    expect(Math.abs((vended?.expiresAtMs ?? 0) - nowMs - HOUR)).toBeLessThan(60_000);
    expect(asked()).toMatchObject([
      { Action: 'AssumeRole', RoleSessionName: 'etl', RoleArn: 'arn:aws:iam::000000000000:role/pangolin' },
    ]);
  });

  test('nothing of the server’s own keys, whatever is asked', async () => {
    const warehouse = await open();
    for (const request of [ask(), ask({ access: 'read' }), ask({ endsAtMs: nowMs }), ask({ locations: [] })]) {
      const vended = JSON.stringify(await warehouse.vend(request).catch((error) => String(error)));
      expect(vended).not.toContain(OWN_KEYS.accessKeyId);
      expect(vended).not.toContain(OWN_KEYS.secretAccessKey);
    }
    expect(JSON.stringify(proxy.seen)).not.toContain(OWN_KEYS.secretAccessKey);
  });

  test('the policy of a writing session reaches what lies under the prefix, and nothing else', async () => {
    await (await open()).vend(ask());
    expect(policies()).toEqual([
      {
        Version: '2012-10-17',
        Statement: [
          {
            Effect: 'Allow',
            Action: [
              's3:GetObject',
              's3:PutObject',
              's3:DeleteObject',
              's3:AbortMultipartUpload',
              's3:ListMultipartUploadParts',
            ],
            Resource: ['arn:aws:s3:::lake/wh/ns/t/*'],
          },
          {
            Effect: 'Allow',
            Action: ['s3:ListBucket'],
            Resource: ['arn:aws:s3:::lake'],
            Condition: { StringLike: { 's3:prefix': ['wh/ns/t/*'] } },
          },
          { Effect: 'Allow', Action: ['s3:GetBucketLocation'], Resource: ['arn:aws:s3:::lake'] },
        ],
      },
    ]);
  });

  test('a reading session may get and list', async () => {
    await (await open()).vend(ask({ access: 'read' }));
    const [policy] = policies();
    expect(policy.Statement.flatMap(({ Action }: { Action: string[] }) => Action)).toEqual([
      's3:GetObject',
      's3:ListBucket',
      's3:GetBucketLocation',
    ]);
  });

  test('a prefix that lies in another is said once, and one that is spelled s3a is also returned as it was', async () => {
    const other = `${ROOT}/files/t`;
    const vended = await (await open()).vend(ask({ locations: ['s3a://lake/wh/ns/t', `${TABLE}/data`, other, other] }));
    expect(vended?.prefixes).toEqual([`${TABLE}/`, `${other}/`, 's3a://lake/wh/ns/t/']);
    expect(policies()[0].Statement[0].Resource).toEqual([
      'arn:aws:s3:::lake/wh/ns/t/*',
      'arn:aws:s3:::lake/wh/files/t/*',
    ]);
  });

  test('a name made of wildcards stands for itself', async () => {
    await (await open()).vend(ask({ locations: [`${ROOT}/*`, `${ROOT}/\${aws:username}/$1`] }));
    expect(policies()[0].Statement[0].Resource).toEqual([
      `arn:aws:s3:::lake/wh/\${*}/*`,
      `arn:aws:s3:::lake/wh/\${$}{aws:username}/$1/*`,
    ]);
  });

  test('locations outside, and the warehouse as a whole, are refused before anything is asked', async () => {
    const warehouse = await open();
    for (const location of ['s3://lake/other', 's3://other/wh/t', ROOT, 's3://lake', `${TABLE}/../u`, '/wh/ns/t']) {
      await expect(warehouse.vend(ask({ locations: [TABLE, location] }))).rejects.toMatchObject({
        code: 'invalid_request',
      });
    }
    await expect(warehouse.vend(ask({ locations: [] }))).rejects.toMatchObject({ code: 'invalid_request' });
    expect(proxy.seen).toEqual([]);
  });
});

describe('for whom and how long', () => {
  test.each([
    ['Jörg Müller/Ünit', 'J_rg_M_ller__nit'],
    ['a', 'a_'],
    ['x'.repeat(80), 'x'.repeat(64)],
    ['etl+jobs=1,a.b@c-d_e', 'etl+jobs=1,a.b@c-d_e'],
  ])('%s is called %s in the storage’s own audit trail', async (principal, name) => {
    await (await open()).vend(ask({ principal }));
    expect(asked()).toMatchObject([{ RoleSessionName: name }]);
  });

  test.each([
    ['never', null, '3600'],
    ['in a day', 24 * HOUR, '3600'],
    ['in 59 minutes', 59 * 60_000, '3300'],
    ['in 20 minutes', 20 * 60_000, '1200'],
    ['in a minute', 60_000, '900'],
    ['long ago', -HOUR, '900'],
  ])('whose own credential ends %s gets one for no longer, but 15 minutes at the least', async (_, leftMs, seconds) => {
    await (await open()).vend(ask({ endsAtMs: leftMs === null ? null : nowMs + leftMs }));
    expect(asked()).toMatchObject([{ DurationSeconds: seconds }]);
  });

  test.each([
    [60, 30],
    [40, 30],
    [30, 22.5],
    [15, 11.25],
  ])('of %i minutes there are %d left when they are handed out for the last time', async (minutes, left) => {
    const warehouse = await open();
    const seen: (VendedCredentials | null)[] = [];
    for (const elapsed of [0, minutes - left - 0.1, minutes - left + 0.1]) {
      const startMs = nowMs;
      nowMs += elapsed * 60_000;
      seen.push(await warehouse.vend(ask({ endsAtMs: nowMs + minutes * 60_000 })));
      nowMs = startMs;
    }
    expect(seen[1]).toEqual(seen[0]);
    expect(seen[2]).not.toEqual(seen[0]);
  });

  test('the same answer is given until half of its life is over', async () => {
    const warehouse = await open();
    const [first, second] = await Promise.all([warehouse.vend(ask()), warehouse.vend(ask())]);
    expect(second).toEqual(first);
    nowMs += HOUR / 2 - 60_000;
    expect(await warehouse.vend(ask())).toEqual(first);
    expect(proxy.seen).toHaveLength(1);
    nowMs += 120_000;
    expect(await warehouse.vend(ask())).not.toEqual(first);
    expect(proxy.seen).toHaveLength(2);
  });

  test('nobody gets what was vended to another, for other access, other locations or a longer time', async () => {
    const warehouse = await open();
    const requests = [
      ask(),
      ask({ principal: 'ann' }),
      ask({ access: 'read' }),
      ask({ locations: [`${ROOT}/ns/u`] }),
      ask({ endsAtMs: nowMs + HOUR / 2 }),
    ];
    const vended = await Promise.all(requests.map((request) => warehouse.vend(request)));
    expect(new Set(vended.map((one) => one?.config['s3.access-key-id'])).size).toBe(requests.length);
  });

  test('what failed is asked again', async () => {
    vi.stubEnv('AWS_ENDPOINT_URL_STS', 'http://127.0.0.1:1');
    vi.stubEnv('AWS_MAX_ATTEMPTS', '1');
    const warehouse = await open();
    for (const _ of [1, 2]) {
      await expect(warehouse.vend(ask())).rejects.toMatchObject({
        code: 'unavailable',
        message: expect.stringMatching(/^No credentials for s3:\/\/lake \(ECONNREFUSED\): .*set AWS_ENDPOINT_URL_STS/),
      });
    }
  });
});

describe('which role', () => {
  test('the one that was set, in its own part of AWS', async () => {
    await (await open('arn:aws-cn:iam::123456789012:role/lake')).vend(ask());
    expect(asked()).toMatchObject([{ RoleArn: 'arn:aws-cn:iam::123456789012:role/lake' }]);
    expect(policies()[0].Statement[0].Resource).toEqual(['arn:aws-cn:s3:::lake/wh/ns/t/*']);
  });

  test.each([
    ['at AWS itself', { AWS_ENDPOINT_URL: undefined, AWS_ENDPOINT_URL_STS: undefined }],
    ['where only the storage is elsewhere', { AWS_ENDPOINT_URL: undefined, AWS_ENDPOINT_URL_S3: 'http://127.0.0.1:1' }],
  ])('none %s unless one is set: nothing is vended, and that is logged once', async (_, environment) => {
    for (const [name, value] of Object.entries({ AWS_ENDPOINT_URL_STS: undefined, ...environment })) {
      vi.stubEnv(name, value);
    }
    const warehouse = await open();
    expect(await warehouse.vend(ask())).toBeNull();
    expect(await warehouse.vend(ask({ principal: 'ann' }))).toBeNull();
    expect(warnings).toEqual(['no credentials are vended: set PANGOLIN_S3_ROLE_ARN to the role to vend']);
    expect(proxy.seen).toEqual([]);
  });
});

describe('what STS would refuse', () => {
  const LONG = Array.from({ length: 6 }, (_, index) => `${ROOT}/${'x'.repeat(390)}${index}`);
  const TOO_LONG = "no credentials are vended: the table's paths are too long for a session policy";

  test('locations too long for a policy get nothing, and no error: a warning names the first, once', async () => {
    const warehouse = await open();
    for (const _ of [1, 2]) expect(await warehouse.vend(ask({ locations: LONG }))).toBeNull();
    expect([warnings, locationsWarnedOf]).toEqual([[TOO_LONG], [LONG[0]]]);
    expect(proxy.seen).toEqual([]);
  });

  test('a policy that packs badly is no error either', async () => {
    const code = 'PackedPolicyTooLarge';
    const sts = createServer((_, answer) =>
      answer
        .writeHead(400, { 'content-type': 'text/xml' })
        .end(
          `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>no</Message></Error></ErrorResponse>`,
        ),
    );
    await once(sts.listen(0, '127.0.0.1'), 'listening');
    vi.stubEnv('AWS_ENDPOINT_URL_STS', `http://127.0.0.1:${(sts.address() as AddressInfo).port}`);
    try {
      expect(await (await open()).vend(ask())).toBeNull();
      expect([warnings, locationsWarnedOf]).toEqual([[TOO_LONG], [TABLE]]);
    } finally {
      sts.close();
      sts.closeAllConnections();
    }
  });
});

describe('buckets that AWS’s KMS encrypts', () => {
  test.each([
    ['at AWS alone, sessions may use keys', null, false, true],
    ['where the storage is elsewhere nothing is said of keys', 'http://127.0.0.1:1', false, false],
    ['where STS is elsewhere nothing is said of keys', null, true, false],
  ])('%s', async (_, endpoint, hasOwnSts, hasKms) => {
    const clients = { ...(await openS3Clients()), endpoint, hasOwnSts };
    const roleArn = 'arn:aws:iam::123456789012:role/lake';
    expect(await createVending(ROOT, clients, { ...options(), roleArn }).vend(ask())).not.toBeNull();
    expect(asked()[0]?.Policy?.includes('kms:GenerateDataKey*') ?? false).toBe(hasKms);
  });
});

describe('with a storage that checks', () => {
  /** Vends once to see the policy, lets moto enforce it, and vends again with credentials that moto then checks. */
  async function vendChecked(request: VendRequest) {
    await (await open()).vend(request);
    const { Policy } = asked()[0] ?? {};
    const own = (await runPython('identities.py', Policy ?? '')) as Record<string, string>;
    vi.stubEnv('AWS_ACCESS_KEY_ID', own.accessKeyId);
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', own.secretAccessKey);
    const warehouse = await open(own.roleArn ?? null);
    for (const name of ['ns/t/a', 'ns/u/a', 'ns/table/a']) await warehouse.create(`${ROOT}/${name}`, 'x');
    return clientOf(await warehouse.vend(request));
  }
  const get = (Key: string) => new GetObjectCommand({ Bucket: 'lake', Key });
  const put = (Key: string) => new PutObjectCommand({ Bucket: 'lake', Key, Body: 'y' });
  const denied = (error: unknown) => error instanceof S3ServiceException && error.$metadata.httpStatusCode === 403;

  test('vended credentials write and read under the prefix, and beside it neither', async () => {
    const client = await vendChecked(ask());
    await client.send(put('wh/ns/t/new'));
    await client.send(get('wh/ns/t/a'));
    await client.send(new ListObjectsV2Command({ Bucket: 'lake', Prefix: 'wh/ns/t/' }));
    for (const key of ['wh/ns/u/a', 'wh/ns/table/a', 'wh/ns/t']) {
      await expect(client.send(get(key))).rejects.toSatisfy(denied);
      await expect(client.send(put(key))).rejects.toSatisfy(denied);
    }
    await expect(client.send(new ListObjectsV2Command({ Bucket: 'ocean' }))).rejects.toSatisfy(denied);
  });

  test('vended credentials for reading do not write', async () => {
    const client = await vendChecked(ask({ access: 'read' }));
    await client.send(get('wh/ns/t/a'));
    await expect(client.send(put('wh/ns/t/new'))).rejects.toSatisfy(denied);
    await expect(client.send(put('wh/ns/t/a'))).rejects.toSatisfy(denied);
  });
});
