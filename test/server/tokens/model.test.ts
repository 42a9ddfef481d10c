import { serviceUsersApi, tokensApi, usersApi } from '@pangolin/shared/contract';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  createUser,
  DAY_MS,
  logIn,
  MINUTE_MS,
  mint,
  openTestServer,
  standingOf,
  type TestCaller,
  type TestServer,
} from '../harness.ts';

/** What a model knows of a credential: who owns it, what it came from, when it ends, and whether it was ended. */
interface Credential {
  caller: TestCaller;
  other: TestCaller;
  kind: 'session' | 'token' | 'key';
  id: string;
  owner: string;
  parent: Credential | null;
  endsAtMs: number;
  ended: boolean;
  /** The index of what took its place when it was rotated. */
  rotatedTo?: number;
}

interface World {
  server: TestServer;
  beside: TestServer;
  userId: string;
  serviceUserId: string;
  isUserActive: boolean;
  isServiceUserActive: boolean;
  credentials: Credential[];
}

const isGood = (one: Credential | null, nowMs: number): boolean =>
  one === null || (!one.ended && nowMs < one.endsAtMs && isGood(one.parent, nowMs));

const endAllOf = (world: World, owner: string) => {
  for (const one of world.credentials) if (one.owner === owner) one.ended = true;
};

type Step = (world: World, pick: number) => Promise<void>;

const pickFrom = (world: World, pick: number, fits: (one: Credential) => boolean): Credential | undefined => {
  const fitting = world.credentials.filter((one) => fits(one) && isGood(one, world.server.clock.nowMs));
  return fitting[pick % Math.max(1, fitting.length)];
};

const remember = (world: World, one: Omit<Credential, 'caller' | 'other' | 'ended' | 'rotatedTo'>, secret: string) =>
  void world.credentials.push({
    ...one,
    ended: false,
    caller: world.server.bearer(secret),
    other: world.beside.bearer(secret),
  });

/** A credential is good up to a minute longer than it says; times in the model stay clear of that minute. */
const STEPS: Record<string, Step> = {
  async logIn(world) {
    if (!world.isUserActive) return;
    const { token, expires_at, caller } = await logIn(world.server, 'bob');
    const { id } = (await caller.call(usersApi.me)).credential;
    const session = { kind: 'session' as const, id: id ?? '', owner: world.userId, parent: null };
    remember(world, { ...session, endsAtMs: Date.parse(expires_at) }, token);
  },
  async mint(world, pick) {
    const by = pickFrom(world, pick, () => true);
    if (!by) return;
    const { token, id, expires_at } = await mint(world.server, by.caller);
    const parent = by.kind === 'session' ? null : by;
    remember(world, { kind: 'token', id, owner: by.owner, parent, endsAtMs: Date.parse(expires_at ?? '') }, token);
  },
  async mintShort(world, pick) {
    const by = pickFrom(world, pick, (one) => one.endsAtMs > world.server.clock.nowMs + DAY_MS);
    if (!by) return;
    const { token, id, expires_at } = await mint(world.server, by.caller, { expires_in_hours: 20 });
    const parent = by.kind === 'session' ? null : by;
    remember(world, { kind: 'token', id, owner: by.owner, parent, endsAtMs: Date.parse(expires_at ?? '') }, token);
  },
  async revoke(world, pick) {
    const one = world.credentials.filter(({ kind }) => kind !== 'key')[pick % 7];
    if (!one) return;
    await world.beside.owner.call(tokensApi.revoke, { params: { jti: one.id } });
    one.ended = true;
    for (let next = one.rotatedTo; next !== undefined; next = world.credentials[next]?.rotatedTo) {
      const successor = world.credentials[next];
      if (successor) successor.ended = true;
    }
  },
  async rotateToken(world, pick) {
    const old = pickFrom(world, pick, ({ kind }) => kind === 'token');
    if (!old) return;
    const { token, id } = await old.caller.call(tokensApi.rotate);
    remember(world, { ...old, id }, token);
    old.ended = true;
    old.rotatedTo = world.credentials.length - 1;
  },
  async rotateKey(world) {
    if (!world.isServiceUserActive) return;
    const params = { id: world.serviceUserId };
    const { api_key, key_id } = await world.beside.owner.call(serviceUsersApi.rotate, { params });
    for (const one of world.credentials) if (one.kind === 'key') one.ended = true;
    const key = { kind: 'key' as const, id: key_id, owner: world.serviceUserId, parent: null };
    remember(world, { ...key, endsAtMs: Number.POSITIVE_INFINITY }, api_key);
  },
  async toggleUser(world) {
    world.isUserActive = !world.isUserActive;
    const asked = { params: { id: world.userId }, body: { active: world.isUserActive } };
    await world.server.owner.call(usersApi.update, asked);
    endAllOf(world, world.userId);
  },
  async toggleServiceUser(world) {
    world.isServiceUserActive = !world.isServiceUserActive;
    const asked = { params: { id: world.serviceUserId }, body: { active: world.isServiceUserActive } };
    await world.server.owner.call(serviceUsersApi.update, asked);
    endAllOf(world, world.serviceUserId);
  },
  async revokeAll(world, pick) {
    const id = pick % 2 ? world.userId : world.serviceUserId;
    await world.beside.owner.call(tokensApi.revokeOfUser, { params: { id } });
    endAllOf(world, id);
  },
  async wait(world, pick) {
    world.server.clock.advance([2 * MINUTE_MS, 13 * 60 * MINUTE_MS, 40 * DAY_MS][pick % 3] ?? 0);
  },
};

test('whatever happens in whatever order, exactly the credentials that should work do, in every process', async () => {
  const names = Object.keys(STEPS);
  const weights: Record<string, number> = { mint: 6, mintShort: 2, logIn: 3, rotateKey: 2, wait: 2 };
  const step = fc.record({
    name: fc.oneof(...names.map((name) => ({ weight: weights[name] ?? 1, arbitrary: fc.constant(name) }))),
    pick: fc.nat(30),
  });
  const server = await openTestServer();
  const beside = await openTestServer({ beside: server });
  let round = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 25 }), async (steps) => {
      round += 1;
      for (const { id } of await server.owner.call(usersApi.list))
        await server.owner.call(usersApi.delete, { params: { id } });
      const { id: userId } = await createUser(server, 'bob');
      const body = { name: `etl-${round}` };
      const { id: serviceUserId, api_key, key_id } = await server.owner.call(serviceUsersApi.create, { body });
      const world: World = {
        server,
        beside,
        userId,
        serviceUserId,
        isUserActive: true,
        isServiceUserActive: true,
        credentials: [],
      };
      const key = { kind: 'key' as const, id: key_id, owner: serviceUserId, parent: null };
      remember(world, { ...key, endsAtMs: Number.POSITIVE_INFINITY }, api_key);
      for (const { name, pick } of steps) {
        await STEPS[name]?.(world, pick);
        for (const [i, one] of world.credentials.entries()) {
          const expected = isGood(one, server.clock.nowMs);
          const found = [await standingOf(one.caller), await standingOf(one.other)];
          expect({ i, name, found: found.map((standing) => standing === 'ok') }).toEqual({
            i,
            name,
            found: [expected, expected],
          });
        }
      }
    }),
    { numRuns: 40, endOnFailure: false },
  );
}, 300_000);
