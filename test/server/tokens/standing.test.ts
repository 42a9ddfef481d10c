import type { Settings } from '@pangolin/shared/contract';
import { PangolinError } from '@pangolin/shared/errors';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { judgeToken } from '../../../packages/server/src/credentials/judge.ts';
import { findTokenStateIn } from '../../../packages/server/src/credentials/store.ts';
import { DEFAULT_SETTINGS } from '../../../packages/server/src/settings/limits.ts';
import { saveSettings } from '../../../packages/server/src/settings/store.ts';
import type { Executor } from '../../../packages/server/src/store/schema.ts';
import { NEVER_MS } from '../../../packages/server/src/times.ts';
import { standingBy } from '../../../packages/server/src/tokens/standing.ts';
import { findToken } from '../../../packages/server/src/tokens/store.ts';
import { DAY_MS, openTestServer, START_MS, type TestServer } from '../harness.ts';

const TENANT = 'tenant';

const flag = fc.constantFrom(1, 1, 1, 1, 0);
const epoch = fc.constantFrom(1, 1, 1, 1, 2);
const role = fc.constantFrom('tenant-user' as const, 'tenant-admin' as const, 'root' as const);
const days = fc.constantFrom(1, 30, 90, 365);
const perhaps = <T>(value: fc.Arbitrary<T>) => fc.option(value, { freq: 2 });
const ended = fc.constantFrom(null, null, null, null, START_MS - 5);
const end = fc.constantFrom(
  null,
  null,
  START_MS - 1,
  START_MS,
  START_MS + 1,
  START_MS + 29 * DAY_MS,
  START_MS + 91 * DAY_MS,
);
const created = fc.constantFrom(START_MS, START_MS - DAY_MS, START_MS - 100 * DAY_MS);
const lifetime = fc.constantFrom(0.4, 0.5, 0.6, 1, 1.5, 30, 31, 90, 101, 365, 366).map((count) => count * DAY_MS);
const kind = fc.constantFrom('personal' as const, 'session' as const, 'access' as const);

const aToken = fc.record({
  kind,
  role,
  epoch,
  created_at: created,
  lifetime: fc.oneof({ weight: 4, arbitrary: lifetime }, { weight: 1, arbitrary: fc.constant(null) }),
  revoked_at: ended,
  unauthenticated_as: fc.oneof({ weight: 9, arbitrary: fc.constant(null) }, fc.constant('datahub')),
});

const world = fc.record({
  token: aToken,
  root: perhaps(aToken),
  key: perhaps(fc.record({ created_at: created, epoch, expires_at: end, revoked_at: ended })),
  keyOwner: fc.record({ role, active: flag, epoch, expires_at: end }),
  owner: fc.oneof(
    fc.record({
      is: fc.constant('user' as const),
      role,
      active: flag,
      epoch,
      elsewhere: fc.constantFrom(false, false, true),
    }),
    fc.record({ is: fc.constant('service_user' as const), role, active: flag, epoch, expires_at: end }),
    fc.constant({ is: 'nobody' as const }),
  ),
  descends: fc.constantFrom('self' as const, 'token' as const, 'key' as const),
  settings: perhaps(
    fc.record({
      max_token_days: days,
      max_key_days: perhaps(days),
      session_hours: fc.constantFrom(1, 12, 24),
      allow_non_expiring_tokens: fc.boolean(),
      role_limits: fc.record(
        {
          'tenant-user': fc.record({ max_token_days: days }),
          'tenant-admin': fc.record({ max_token_days: days, max_key_days: days }),
          root: fc.record({ max_key_days: days }),
        },
        { requiredKeys: [] },
      ),
    }),
  ),
});

type World = typeof world extends fc.Arbitrary<infer T> ? T : never;

const rowOf = (id: string, token: World['token'], root: { kind: 'token' | 'api_key'; id: string }) => ({
  id,
  tenant_id: TENANT,
  kind: token.kind,
  owner_kind: 'user' as const,
  owner_id: 'owner',
  actor_id: 'owner',
  epoch: token.epoch,
  name: null,
  description: null,
  role: token.role,
  scopes: '[]',
  created_at: token.created_at,
  expires_at: token.lifetime === null ? NEVER_MS : token.created_at + token.lifetime,
  parent_id: null,
  root_kind: root.kind,
  root_id: root.id,
  revoked_at: token.revoked_at,
  revoked_by: null,
  revoked_reason: null,
  unauthenticated_as: token.unauthenticated_as,
  rotated_to: null,
  renewable_until: null,
  last_used_at: null,
  last_used_ip: null,
  last_used_client: null,
});

const never = { last_used_at: null, last_used_ip: null, last_used_client: null };
const unknown = { epoch_raised_at: null, created_at: 1, created_by: null };

async function build(tx: Executor, one: World): Promise<Settings> {
  const settings: Settings = { ...DEFAULT_SETTINGS, ...one.settings };
  for (const id of [TENANT, 'elsewhere'])
    await tx.insertInto('tenants').values({ id, name: id, description: null, created_at: 1 }).execute();
  if (one.settings) await saveSettings(tx, TENANT, settings);
  const serviceUser = {
    tenant_id: TENANT,
    description: null,
    scopes: '[]',
    allowed_networks: '[]',
    ...unknown,
    ...never,
  };
  const { owner } = one;
  if (owner.is === 'user') {
    const { role, active, epoch, elsewhere } = owner;
    const user = { kind: 'user' as const, username: 'bob', email: null, password_hash: null, last_login_at: null };
    const tenant_id = elsewhere ? 'elsewhere' : TENANT;
    await tx
      .insertInto('users')
      .values({ id: 'owner', tenant_id, role, active, epoch, ...user, ...unknown })
      .execute();
  }
  if (owner.is === 'service_user') {
    const { is: _, ...row } = owner;
    await tx
      .insertInto('service_users')
      .values({ id: 'owner', name: 'etl', ...serviceUser, ...row })
      .execute();
  }
  await tx
    .insertInto('service_users')
    .values({ id: 'key-owner', name: 'ci', ...serviceUser, ...one.keyOwner })
    .execute();
  const key = { id: 'key', tenant_id: TENANT, service_user_id: 'key-owner', hash: 'h', created_by: null, ...never };
  if (one.key)
    await tx
      .insertInto('api_keys')
      .values({ ...key, ...one.key })
      .execute();
  if (one.root)
    await tx
      .insertInto('tokens')
      .values(rowOf('root', one.root, { kind: 'token', id: 'root' }))
      .execute();
  const roots = {
    self: { kind: 'token' as const, id: 'token' },
    token: { kind: 'token' as const, id: 'root' },
    key: { kind: 'api_key' as const, id: 'key' },
  };
  await tx
    .insertInto('tokens')
    .values(rowOf('token', one.token, roots[one.descends]))
    .execute();
  return settings;
}

/** What authentication and a list say of the same token. */
async function judgeTwice(server: TestServer, one: World): Promise<{ judged: string; listed: string | undefined }> {
  const undone = new Error('rolled back');
  let said: { judged: string; listed: string | undefined } | undefined;
  const judging = server.deps.db.transact(async (tx) => {
    const settings = await build(tx, one);
    const standing = standingBy(settings, { now: () => START_MS, authenticates: true });
    const state = await findTokenStateIn(tx, 'token');
    if (!state) throw new Error('the token was not found');
    let judged = state.expires_at <= START_MS ? 'expired' : 'valid';
    try {
      judgeToken(state, START_MS);
    } catch (error) {
      if (!(error instanceof PangolinError) || error.status !== 401) throw error;
      judged = 'revoked';
    }
    said = { judged, listed: (await findToken(tx, TENANT, 'token', standing))?.status };
    throw undone;
  });
  await judging.catch((error) => {
    if (error !== undone) throw error;
  });
  if (!said) throw new Error('nothing was judged');
  return said;
}

describe('what a list says of a token', () => {
  test('is what authentication says, whatever it depends on', async () => {
    const server = await openTestServer();
    const counts: Record<string, number> = {};
    await fc.assert(
      fc.asyncProperty(world, async (one) => {
        const { judged, listed } = await judgeTwice(server, one);
        counts[judged] = (counts[judged] ?? 0) + 1;
        expect(listed).toBe(judged);
      }),
      // So many that some dozens are of each kind, whatever comes up.
      { numRuns: 2_000 },
    );
    // The cases are worth something only if they reach all three.
    for (const status of ['valid', 'expired', 'revoked']) expect(counts[status]).toBeGreaterThan(5);
  }, 300_000);
});
