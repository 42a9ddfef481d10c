import { auditApi, signingKeysApi } from '@pangolin/shared/contract';
import { beforeEach, describe, expect, test } from 'vitest';
import { createSigningKey, storeSigningKey } from '../../../packages/server/src/signing-keys/create-signing-key.ts';
import { keepVerifying } from '../../../packages/server/src/signing-keys/keep-verifying.ts';
import {
  createLoggedIn,
  createServiceUser,
  DAY_MS,
  MINUTE_MS,
  mint,
  openTestServer,
  START_MS,
  standingOf,
  type TestServer,
} from '../harness.ts';
import { claimsOf, countStates, kidOf, listKeys, publishedKids, rotate, stealKey } from './keys.ts';

let server: TestServer;
beforeEach(async () => {
  server = await openTestServer();
});

const iso = (ms: number) => new Date(ms).toISOString().replace('.000Z', 'Z');

const noteCheckpoint = (kid: string) =>
  server.deps.db.transact((tx) =>
    tx
      .insertInto('audit_checkpoints')
      .values({ chain: 'system', seq: 1, hash: 'h', time: START_MS, kid, signature: 's' })
      .execute(),
  );

describe('GET /api/v1/signing-keys', () => {
  test('shows a new installation’s keys, the one that signs and the next, and nothing private', async () => {
    const text = (await server.owner.ask(signingKeysApi.list)).text;
    const keys = await listKeys(server);
    const created = { algorithm: 'ES256', created_at: iso(START_MS), retired_at: null, verify_until: null };
    expect([...keys].sort((a, b) => (a.state < b.state ? -1 : 1))).toEqual([
      { ...created, kid: expect.any(String), state: 'active', activated_at: iso(START_MS), signed_checkpoint: false },
      { ...created, kid: expect.any(String), state: 'next', activated_at: null, signed_checkpoint: false },
    ]);
    expect(text).not.toMatch(/private|"d"|v1\./);
  });

  test('goes on page by page, newest first', async () => {
    for (let i = 0; i < 3; i += 1) await rotate(server);
    const all = (await listKeys(server)).map((key) => key.kid);
    expect(all).toEqual([...all].sort().reverse());
    const first = await server.owner.ask(signingKeysApi.list, { query: { limit: 2, count: 'true' } });
    expect(first.headers.get('x-total-count')).toBe('5');
    const cursor = /cursor=([^>]+)>/.exec(first.headers.get('link') ?? '')?.[1] ?? '';
    const second = await server.owner.call(signingKeysApi.list, { query: { cursor, limit: 10 } });
    expect(second.map((key) => key.kid)).toEqual(all.slice(2));
  });

  test('and its neighbours are for root alone, with a credential that is not narrowed', async () => {
    const admin = await createLoggedIn(server, 'grace', 'tenant-admin');
    const service = await createServiceUser(server, { name: 'etl', role: 'tenant-admin' });
    const narrow = await mint(server, server.owner, { roles: ['root'], scopes: ['tokens:write'] });
    for (const endpoint of Object.values(signingKeysApi)) {
      for (const { caller } of [admin, service]) {
        expect(await caller.refused(endpoint)).toMatchObject({ status: 403, code: 'forbidden' });
      }
      expect(await narrow.caller.refused(endpoint)).toMatchObject({ status: 403, code: 'insufficient_scope' });
    }
    expect(await countStates(server)).toEqual({ active: 1, next: 1 });
  });

  test('refuses a query it does not know', async () => {
    expect(await server.owner.refused(signingKeysApi.list, { query: { state: 'active' } })).toMatchObject({
      code: 'invalid_request',
    });
  });
});

describe('POST /api/v1/signing-keys/rotate', () => {
  test('lets the next key sign, makes another one, and invalidates nothing', async () => {
    const before = await listKeys(server);
    const old = await mint(server, server.owner);
    server.clock.advance(MINUTE_MS);
    const { retired, active, next } = await rotate(server);
    expect(retired.kid).toBe(before.find((key) => key.state === 'active')?.kid);
    expect(active.kid).toBe(before.find((key) => key.state === 'next')?.kid);
    expect(kidOf(old.token)).toBe(retired.kid);
    expect(retired).toMatchObject({ state: 'retired', verify_until: old.expires_at });
    expect(retired.retired_at).toBe(iso(server.clock.nowMs));
    expect(active).toMatchObject({ state: 'active', activated_at: iso(server.clock.nowMs), verify_until: null });
    expect(next).toMatchObject({ state: 'next', created_at: iso(server.clock.nowMs) });
    const fresh = await mint(server, server.owner);
    expect(kidOf(fresh.token)).toBe(active.kid);
    for (const { caller } of [old, fresh]) expect(await standingOf(caller)).toBe('ok');
    expect(await publishedKids(server)).toEqual([active.kid, next.kid, retired.kid]);
  });

  test('is recorded in the chain of what belongs to no tenant', async () => {
    const { retired, active, next } = await rotate(server);
    const [event] = await server.owner.call(auditApi.list, { query: { chain: 'system', limit: 1 } });
    expect(event).toMatchObject({
      action: 'signing_key.rotated',
      resource_type: 'signing_key',
      resource_id: retired.kid,
      username: 'ada',
      result: 'success',
      details: { active_kid: active.kid, next_kid: next.kid, verify_until: retired.verify_until },
    });
  });

  test('lets a token of the retired key live exactly as long as it would have', async () => {
    const token = await mint(server, server.owner, { expires_in_days: 2 });
    const { retired } = await rotate(server);
    const short = await mint(server, server.owner, { expires_in_days: 1 });
    expect(retired.verify_until).toBe(token.expires_at);
    server.clock.advance(2 * DAY_MS + 59_000);
    expect(await standingOf(token.caller)).toBe('ok');
    expect(await standingOf(short.caller)).toBe('token_expired');
    server.clock.advance(2_000);
    expect(await standingOf(token.caller)).toBe('token_expired');
    const again = await openTestServer({ beside: server });
    expect(await standingOf(again.bearer(token.token))).toBe('token_expired');
  });

  test('twice in a row keeps whatever verifies something', async () => {
    const tokens = [await mint(server, server.owner)];
    for (let i = 0; i < 3; i += 1) {
      await rotate(server);
      tokens.push(await mint(server, server.owner));
    }
    expect(new Set(tokens.map(({ token }) => kidOf(token))).size).toBe(4);
    for (const { caller } of tokens) expect(await standingOf(caller)).toBe('ok');
    const published = await publishedKids(server);
    expect(published).toHaveLength(5);
    for (const { token } of tokens) expect(published).toContain(kidOf(token));
  });

  test('at once from several processes happens in turn: one key is active, and one is next', async () => {
    const others = [await openTestServer({ beside: server }), await openTestServer({ beside: server })];
    const token = await mint(server, server.owner);
    const answers = await Promise.all([server, ...others, server].map(rotate));
    expect(new Set(answers.map(({ active }) => active.kid)).size).toBe(4);
    expect(await countStates(server)).toEqual({ active: 1, next: 1, retired: 4 });
    for (const one of [server, ...others]) expect(await standingOf(one.bearer(token.token))).toBe('ok');
  });

  test('destroys the private part of the retired key', async () => {
    const { retired } = await rotate(server);
    const row = await server.deps.db.read
      .selectFrom('signing_keys')
      .select('private_key')
      .where('kid', '=', retired.kid)
      .executeTakeFirst();
    expect(row).toEqual({ private_key: '' });
  });

  test('is followed at once by every process on the machine', async () => {
    const other = await openTestServer({ beside: server });
    const before = await mint(other, other.owner);
    for (let i = 0; i < 3; i += 1) {
      const { active } = await rotate(server);
      expect(await standingOf(other.bearer((await mint(server, server.owner)).token))).toBe('ok');
      expect(kidOf((await mint(other, other.owner)).token)).toBe(active.kid);
    }
    expect(await standingOf(before.caller)).toBe('ok');
  });
});

describe('a token whose key was retired between its signature and its row', () => {
  const store = (kid: string, expiresAtMs: number) =>
    server.deps.db.transact((tx) => keepVerifying(tx, { kid, expiresAtMs, nowMs: server.clock.nowMs }));

  test('is verified to its end', async () => {
    const { kid } = await server.deps.signingKeys.sign({});
    await rotate(server);
    const expiresAtMs = START_MS + 300 * DAY_MS;
    await store(kid, expiresAtMs);
    await store(kid, START_MS + DAY_MS);
    const retired = (await listKeys(server)).find((key) => key.kid === kid);
    expect(retired?.verify_until).toBe(iso(expiresAtMs));
  });

  test('is not stored where that was long ago, so that no dead key comes back', async () => {
    const { kid } = await server.deps.signingKeys.sign({});
    const { retired } = await rotate(server);
    server.clock.advance(MINUTE_MS + 1);
    await expect(store(kid, START_MS + DAY_MS)).rejects.toMatchObject({ code: 'unavailable', status: 503 });
    expect((await listKeys(server)).find((key) => key.kid === kid)?.verify_until).toBe(retired.verify_until);
    await expect(store('no-such-key', START_MS)).rejects.toMatchObject({ code: 'unavailable' });
  });

  test('is good in a process that thought the key had ended by then', async () => {
    const other = await openTestServer({ beside: server });
    const { kid } = await server.deps.signingKeys.sign({});
    await rotate(server);
    server.shared.leapMs += 1_000;
    expect(await other.deps.signingKeys.findVerificationKey(kid)).toMatchObject({ endsAtMs: START_MS + MINUTE_MS });
    await store(kid, START_MS + DAY_MS);
    server.shared.leapMs += 1_000;
    expect(await other.deps.signingKeys.findVerificationKey(kid)).toMatchObject({
      endsAtMs: START_MS + DAY_MS + MINUTE_MS,
    });
  });
});

describe('a signing key that leaked', () => {
  test('vouches for nothing before its time', async () => {
    const thief = await stealKey(server, 'next');
    const { token } = await mint(server, server.owner);
    const forged = thief.forge(token);
    expect(await standingOf(server.bearer(forged))).toBe('token_signature_invalid');
    await rotate(server);
    expect(await standingOf(server.bearer(forged))).toBe('ok');
  });

  test('vouches for nothing after the last token it signed has ended, not even for what was accepted before', async () => {
    const thief = await stealKey(server, 'active');
    await mint(server, server.owner, { expires_in_days: 3 });
    await rotate(server);
    server.clock.advance(DAY_MS);
    const fresh = await mint(server, server.owner, { expires_in_days: 30 });
    const [seen, unseen] = [thief.forge(fresh.token), thief.forge(fresh.token, { scope: 'other' })];
    expect(await standingOf(server.bearer(seen))).toBe('ok');
    server.clock.advance(2 * DAY_MS + MINUTE_MS - 1);
    expect(await standingOf(server.bearer(seen))).toBe('ok');
    server.clock.advance(1);
    for (const forged of [seen, unseen]) {
      expect(await standingOf(server.bearer(forged))).toBe('token_signature_invalid');
      const other = await openTestServer({ beside: server });
      expect(await standingOf(other.bearer(forged))).toBe('token_signature_invalid');
    }
    expect(await standingOf(fresh.caller)).toBe('ok');
  });
});

describe('the published keys', () => {
  test('lose a retired key when its last token ends, unless it signed a part of the audit log', async () => {
    await mint(server, server.owner, { expires_in_days: 1 });
    const [first, second] = [await rotate(server), await rotate(server)];
    // Every rotation has the new key vouch for the audit log.
    await server.deps.db.transact((tx) => tx.deleteFrom('audit_checkpoints').execute());
    await noteCheckpoint(first.retired.kid);
    server.clock.advance(DAY_MS + MINUTE_MS - 1);
    expect(await publishedKids(server)).toHaveLength(4);
    server.clock.advance(1);
    expect((await publishedKids(server)).sort()).toEqual(
      [second.active.kid, second.next.kid, first.retired.kid].sort(),
    );
    const keys = await listKeys(server);
    expect(keys.find((key) => key.kid === first.retired.kid)).toMatchObject({ signed_checkpoint: true });
  });

  test('and the listed ones lose a key that has been dead for 30 days at the next rotation', async () => {
    const [first, second] = [await rotate(server), await rotate(server)];
    // Every rotation has the new key vouch for the audit log.
    await server.deps.db.transact((tx) => tx.deleteFrom('audit_checkpoints').execute());
    await noteCheckpoint(first.retired.kid);
    server.clock.advance(30 * DAY_MS);
    await rotate(server);
    expect(await countStates(server)).toEqual({ active: 1, next: 1, retired: 3 });
    server.clock.advance(1);
    await rotate(server);
    const kids = (await listKeys(server)).map((key) => key.kid);
    expect(kids).toContain(first.retired.kid);
    expect(kids).not.toContain(second.retired.kid);
  });

  test('verify what is signed by them, and what is no token is none', async () => {
    const { token } = await mint(server, server.owner);
    const { jws, kid } = await server.deps.signingKeys.signAs('pangolin-checkpoint+jwt', claimsOf(token));
    expect(kid).toBe(kidOf(token));
    expect(JSON.parse(Buffer.from(jws.split('.')[0] ?? '', 'base64url').toString())).toEqual({
      alg: 'ES256',
      typ: 'pangolin-checkpoint+jwt',
      kid,
    });
    expect(await standingOf(server.bearer(jws))).toBe('token_signature_invalid');
  });
});

test('an installation of before there were next keys gets one, however many processes start at once', async () => {
  const { token } = await mint(server, server.owner);
  await server.deps.db.transact((tx) => tx.deleteFrom('signing_keys').where('state', '=', 'next').execute());
  await Promise.all(Array.from({ length: 4 }, () => openTestServer({ beside: server })));
  expect(await countStates(server)).toEqual({ active: 1, next: 1 });
  const { retired } = await rotate(server);
  expect(kidOf(token)).toBe(retired.kid);
});

test('the database itself refuses a second active or next key', async () => {
  const { db, masterKey, newId } = server.deps;
  for (const state of ['active', 'next'] as const) {
    const key = await createSigningKey(newId());
    const storing = db.transact((tx) => storeSigningKey(tx, masterKey, key, { state, createdAtMs: START_MS }));
    await expect(storing).rejects.toThrow();
  }
});
