import { setTimeout as sleep } from 'node:timers/promises';
import { serviceUsersApi, settingsApi, signingKeysApi, tokensApi, usersApi } from '@pangolin/shared/contract';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openBox } from '../process/box.ts';
import { startServer } from '../process/start-server.ts';
import { createCaller, PASSWORD, standingOf, type TestCaller } from '../server/harness.ts';
import { createTestDatabase } from '../server/test-database.ts';
import { openReplica } from './open-replica.ts';

/** How long something may hold on other servers after it was ended on one. */
const BOUND_MS = 1_000;

/** Asks without a pause; answers how long after now the last success was sent, in milliseconds. */
async function acceptedFor(caller: TestCaller): Promise<number> {
  const start = performance.now();
  let last = 0;
  for (;;) {
    const sent = performance.now() - start;
    if ((await standingOf(caller)) !== 'ok') return last;
    last = sent;
    if (sent > 10 * BOUND_MS) throw new Error('it is still accepted');
    await sleep(5);
  }
}

async function openPair() {
  const url = await createTestDatabase();
  return { url, here: await openReplica(url), there: await openReplica(url) };
}

describe('two servers on one database', () => {
  test('refuse within a second what the other has ended, however it was', async () => {
    const { here, there } = await openPair();
    const user = await here.owner.call(usersApi.create, {
      body: { username: 'bob', role: 'tenant-user', password: PASSWORD },
    });
    const bot = await here.owner.call(serviceUsersApi.create, { body: { name: 'bot' } });
    const mint = async () => await here.owner.call(tokensApi.create, { body: { username: 'bob' } });
    const ends: ((token: { id: string }) => Promise<unknown>)[] = [
      ({ id }) => here.owner.call(tokensApi.revoke, { params: { jti: id } }),
      () => here.owner.call(usersApi.update, { params: { id: user.id }, body: { active: false } }),
    ];
    for (const end of ends) {
      const token = await mint();
      const caller = there.bearer(token.token);
      expect(await standingOf(caller)).toBe('ok');
      await end(token);
      expect(await acceptedFor(caller)).toBeLessThan(BOUND_MS);
    }
    const key = there.bearer(bot.api_key);
    expect(await standingOf(key)).toBe('ok');
    await here.owner.call(serviceUsersApi.rotate, { params: { id: bot.id } });
    expect(await acceptedFor(key)).toBeLessThan(BOUND_MS);
  });

  test('refuse at once what they ended themselves', async () => {
    const { here, there } = await openPair();
    for (let i = 0; i < 5; i += 1) {
      const { token, id } = await there.owner.call(tokensApi.create, { body: {} });
      expect(await standingOf(here.bearer(token))).toBe('ok');
      await here.owner.call(tokensApi.revoke, { params: { jti: id } });
      expect(await standingOf(here.bearer(token))).toBe('token_revoked');
    }
  });

  test('take a credential at once that the other has issued', async () => {
    const { here, there } = await openPair();
    const { token } = await here.owner.call(tokensApi.create, { body: {} });
    expect(await standingOf(there.bearer(token))).toBe('ok');
  });

  test('answer from memory while nothing changes, and ask the database twice a second at most', async () => {
    const { here } = await openPair();
    const { token } = await here.owner.call(tokensApi.create, { body: {} });
    const caller = here.bearer(token);
    expect(await standingOf(caller)).toBe('ok');
    let reads = 0;
    const { findTokenState } = here.deps.credentials;
    here.deps.credentials.findTokenState = (id) => {
      reads += 1;
      return findTokenState(id);
    };
    for (const end = performance.now() + 1_500; performance.now() < end; ) expect(await standingOf(caller)).toBe('ok');
    expect(reads).toBe(0);
  });

  test('hold to the settings and keys that were changed on the other', async () => {
    const { here, there } = await openPair();
    const { token } = await there.owner.call(tokensApi.create, { body: { expires_in_days: 30 } });
    expect(await standingOf(there.bearer(token))).toBe('ok');
    await here.owner.call(settingsApi.update, { body: { max_token_days: 10, default_token_days: 5 } });
    expect(await acceptedFor(there.bearer(token))).toBeLessThan(BOUND_MS);
    await here.owner.call(signingKeysApi.rotate);
    const [mine, theirs] = [
      await here.owner.call(tokensApi.create, { body: {} }),
      await there.owner.call(tokensApi.create, { body: {} }),
    ];
    for (const server of [here, there])
      for (const { token: fresh } of [mine, theirs]) expect(await standingOf(server.bearer(fresh))).toBe('ok');
  });

  test('take turns: of many who ask at once for the last place, one gets it', async () => {
    const { here, there } = await openPair();
    await here.owner.call(settingsApi.update, { body: { max_tokens_per_user: 10 } });
    await here.owner.call(usersApi.create, { body: { username: 'eve', role: 'tenant-user', password: PASSWORD } });
    const asked = Array.from({ length: 40 }, (_, i) =>
      (i % 2 === 0 ? here : there).owner.ask(tokensApi.create, { body: { username: 'eve' } }),
    );
    const statuses = (await Promise.all(asked)).map(({ status }) => status);
    expect(statuses.filter((status) => status === 422)).toHaveLength(30);
    expect(statuses.filter((status) => status < 300)).toHaveLength(10);
  });
});

describe('a server whose own clock is wrong', () => {
  test.each([5, -5])('by %i minutes goes by the clock of the database', async (minutes) => {
    const url = await createTestDatabase();
    const right = await openReplica(url);
    const wrong = await openReplica(url, { wallMs: () => Date.now() + minutes * 60_000 });
    expect(Math.abs(wrong.deps.now() - Date.now())).toBeLessThan(1_000);
    const { token, expires_at } = await wrong.owner.call(tokensApi.create, { body: { expires_in_minutes: 1 } });
    expect(Math.abs(Date.parse(expires_at ?? '') - Date.now() - 60_000)).toBeLessThan(2_000);
    expect(await standingOf(right.bearer(token))).toBe('ok');
    expect(await standingOf(wrong.bearer(token))).toBe('ok');
  });

  test('and is set while it runs asks again, and goes on', async () => {
    const url = await createTestDatabase();
    let leapMs = 0;
    const server = await openReplica(url, { wallMs: () => Date.now() + leapMs });
    const { token } = await server.owner.call(tokensApi.create, { body: {} });
    for (const leap of [3_600_000, -3_600_000, 0]) {
      leapMs = leap;
      expect(await standingOf(server.bearer(token))).toBe('ok');
      expect(Math.abs(server.deps.now() - Date.now())).toBeLessThan(1_000);
    }
  });
});

describe('two `pangolin-admin serve`', () => {
  test('frozen while a token is revoked on the other, one refuses it as soon as it goes on', async () => {
    const databaseUrl = await createTestDatabase();
    const box = await openBox();
    onTestFinished(() => box.remove());
    const env = { PANGOLIN_DATABASE_URL: databaseUrl, PANGOLIN_MASTER_KEY: Buffer.alloc(32, 7).toString('base64') };
    const owner = (await openReplica(databaseUrl)).owner;
    const [here, there] = await Promise.all([startServer(box, [], { env }), startServer(box, [], { env })]);
    const by = ({ origin }: { origin: string }, token: string) =>
      createCaller((asked) => {
        asked.headers.set('authorization', `Bearer ${token}`);
        return fetch(asked);
      }, origin);
    const { token: admin } = await owner.call(tokensApi.create, { body: { roles: ['root'] } });
    for (let i = 0; i < 3; i += 1) {
      const { token, id } = await by(here, admin).call(tokensApi.create, { body: {} });
      expect(await standingOf(by(there, token))).toBe('ok');
      process.kill(there.pid, 'SIGSTOP');
      // It waits in the frozen server, which may have looked just before.
      const waiting = standingOf(by(there, token));
      await by(here, admin).call(tokensApi.revoke, { params: { jti: id } });
      await sleep(BOUND_MS);
      process.kill(there.pid, 'SIGCONT');
      expect(await waiting).toBe('token_revoked');
      expect(await standingOf(by(there, token))).toBe('token_revoked');
    }
    const revoked = await by(here, admin).call(tokensApi.create, { body: {} });
    expect(await standingOf(by(there, revoked.token))).toBe('ok');
    await by(here, admin).call(tokensApi.revoke, { params: { jti: revoked.id } });
    expect(await acceptedFor(by(there, revoked.token))).toBeLessThan(BOUND_MS);
    expect((await here.stop()).code).toBe(0);
    expect((await there.stop()).code).toBe(0);
  });
});
