import { expect, test } from 'vitest';
import { createLoggedIn, mint, openTestServer } from '../harness.ts';

const LONG = '/api/v1/users/me/tokens?limit=1000';

test('long lists that somebody asks for together take turns, and others are answered in between', async () => {
  const server = await openTestServer({ databaseUrl: null });
  const [alice, bob] = [await createLoggedIn(server, 'alice'), await createLoggedIn(server, 'bob')];
  const order: string[] = [];
  const ask = async (what: string, answer: Promise<{ status: number }>) => {
    expect((await answer).status).toBe(200);
    order.push(what);
  };
  const lists = Array.from({ length: 30 }, () => ask('list', alice.caller.send('GET', LONG)));
  await Promise.all([...lists, ask('who', bob.caller.send('GET', '/api/v1/users/me'))]);
  expect(order.indexOf('who')).toBeLessThan(5);
  expect(order.filter((what) => what === 'list')).toHaveLength(30);
});

test('a long list does not wait for all that somebody else has asked for before', async () => {
  const server = await openTestServer({ databaseUrl: null });
  const [alice, bob] = [await createLoggedIn(server, 'alice'), await createLoggedIn(server, 'bob')];
  const order: string[] = [];
  const ask = async ({ caller }: typeof alice, who: string) => {
    expect((await caller.send('GET', LONG)).status).toBe(200);
    order.push(who);
  };
  await Promise.all([...Array.from({ length: 30 }, () => ask(alice, 'alice')), ask(bob, 'bob'), ask(bob, 'bob')]);
  expect(order).toHaveLength(32);
  expect(order.lastIndexOf('bob')).toBeLessThan(10);
});

test('a credential that is ended before its list’s turn comes is told nothing', async () => {
  const server = await openTestServer();
  const alice = await createLoggedIn(server, 'alice');
  const token = await mint(server, alice.caller);
  let begin = () => {};
  const turn = new Promise<void>((resolve) => {
    begin = resolve;
  });
  server.deps.turns = { next: () => turn };
  const list = token.caller.send('GET', LONG);
  expect((await alice.caller.send('DELETE', `/api/v1/tokens/${token.id}`)).status).toBe(204);
  begin();
  expect(await list).toMatchObject({ status: 401, json: { code: 'token_revoked' } });
});

test('a list of a hundred waits for nobody', async () => {
  const server = await openTestServer();
  server.deps.turns = { next: () => new Promise(() => {}) };
  expect((await server.owner.send('GET', '/api/v1/users?limit=100')).status).toBe(200);
});
