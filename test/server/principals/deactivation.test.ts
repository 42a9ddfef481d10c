import { oauthApi, serviceUsersApi, tokensApi, usersApi } from '@pangolin/shared/contract';
import { describe, expect, test } from 'vitest';
import {
  createLoggedIn,
  createServiceUser,
  createUser,
  logIn,
  mint,
  openTestServer,
  PASSWORD,
  standingOf,
  type TestCaller,
  type TestServer,
} from '../harness.ts';
import { TOKEN_EXCHANGE } from '../oauth/ask-oauth.ts';

/** Everything that a principal may have obtained, by what it is. */
type Obtained = Record<string, TestCaller>;

const exchange = async (server: TestServer, subject_token: string) => {
  const body = { grant_type: TOKEN_EXCHANGE, subject_token };
  return server.bearer((await server.nobody.call(oauthApi.token, { body })).access_token);
};

async function obtainAsUser(server: TestServer, name: string, forId: string): Promise<Obtained> {
  const session = await logIn(server, name);
  const personal = await mint(server, session.caller);
  return {
    session: session.caller,
    personal: personal.caller,
    'minted with a token': (await mint(server, personal.caller)).caller,
    'exchanged from a login': await exchange(server, session.token),
    'exchanged from a token': await exchange(server, personal.token),
    'minted for another': (await mint(server, personal.caller, { user_id: forId })).caller,
  };
}

async function obtainWithKey(server: TestServer, api_key: string, forId: string): Promise<Obtained> {
  const key = server.apiKey(api_key);
  const personal = await mint(server, key);
  const body = { grant_type: 'client_credentials', client_secret: api_key };
  const { access_token } = await server.nobody.call(oauthApi.token, { body });
  return {
    key,
    personal: personal.caller,
    'access token': server.bearer(access_token),
    'exchanged from an access token': await exchange(server, access_token),
    'minted for another': (await mint(server, key, { user_id: forId })).caller,
    "a token of another's, minted further": (await mint(server, (await mint(server, key, { user_id: forId })).caller))
      .caller,
  };
}

async function standings(obtained: Obtained): Promise<Record<string, string>> {
  const all: Record<string, string> = {};
  for (const [what, caller] of Object.entries(obtained)) all[what] = await standingOf(caller);
  return all;
}

const allOf = (obtained: Obtained, standing: unknown) =>
  Object.fromEntries(Object.keys(obtained).map((what) => [what, standing]));

const STOPPED = expect.stringMatching(/^(?:principal_inactive|token_revoked|api_key_revoked|api_key_invalid)$/);

const endings = {
  deactivated: (server: TestServer, id: string) =>
    server.owner.call(usersApi.update, { params: { id }, body: { active: false } }),
  deleted: (server: TestServer, id: string) => server.owner.call(usersApi.delete, { params: { id } }),
  'everything revoked': (server: TestServer, id: string) =>
    server.owner.call(tokensApi.revokeOfUser, { params: { id }, body: {} }),
  'password reset': (server: TestServer, id: string) =>
    server.owner.call(usersApi.resetPassword, { params: { id }, body: { password: PASSWORD } }),
};

const keyEndings = {
  deactivated: (server: TestServer, id: string) =>
    server.owner.call(serviceUsersApi.update, { params: { id }, body: { active: false } }),
  deleted: (server: TestServer, id: string) => server.owner.call(serviceUsersApi.delete, { params: { id } }),
  'everything revoked': endings['everything revoked'],
};

describe('a user', () => {
  test.each(Object.entries(endings))(
    '%s: every credential of theirs stops at once, in every process',
    async (_, end) => {
      const server = await openTestServer();
      const other = await openTestServer({ beside: server });
      const bob = await createUser(server, 'bob', 'tenant-admin');
      const ann = await createLoggedIn(server, 'ann');
      const obtained = await obtainAsUser(server, 'bob', ann.id);
      const there = await obtainAsUser(other, 'bob', ann.id);
      for (const one of [obtained, there]) expect(await standings(one)).toEqual(allOf(one, 'ok'));
      await end(server, bob.id);
      for (const one of [obtained, there]) expect(await standings(one)).toEqual(allOf(one, STOPPED));
      expect(await standingOf(ann.caller)).toBe('ok');
    },
  );

  test('activated again gets back nothing that had stopped, and works anew', async () => {
    const server = await openTestServer();
    const bob = await createUser(server, 'bob', 'tenant-admin');
    const ann = await createUser(server, 'ann');
    const obtained = await obtainAsUser(server, 'bob', ann.id);
    await endings.deactivated(server, bob.id);
    await server.owner.call(usersApi.update, { params: { id: bob.id }, body: { active: true } });
    expect(await standings(obtained)).toEqual(allOf(obtained, STOPPED));
    const anew = await obtainAsUser(server, 'bob', ann.id);
    expect(await standings(anew)).toEqual(allOf(anew, 'ok'));
  });
});

describe('a service user', () => {
  test.each(Object.entries(keyEndings))(
    '%s: every credential of its own stops at once, in every process',
    async (_, end) => {
      const server = await openTestServer();
      const other = await openTestServer({ beside: server });
      const ann = await createLoggedIn(server, 'ann');
      const etl = await createServiceUser(server, { name: 'etl', role: 'tenant-admin' });
      const obtained = await obtainWithKey(server, etl.api_key, ann.id);
      const there = await obtainWithKey(other, etl.api_key, ann.id);
      for (const one of [obtained, there]) expect(await standings(one)).toEqual(allOf(one, 'ok'));
      await end(server, etl.id);
      for (const one of [obtained, there]) expect(await standings(one)).toEqual(allOf(one, STOPPED));
      expect(await standingOf(ann.caller)).toBe('ok');
    },
  );

  test('activated again gets back nothing that had stopped, its key among it, and works with a new one', async () => {
    const server = await openTestServer();
    const ann = await createUser(server, 'ann');
    const etl = await createServiceUser(server, { name: 'etl', role: 'tenant-admin' });
    const obtained = await obtainWithKey(server, etl.api_key, ann.id);
    await keyEndings.deactivated(server, etl.id);
    const params = { id: etl.id };
    const back = await server.owner.call(serviceUsersApi.update, { params, body: { active: true } });
    expect(back.keys).toEqual([]);
    expect(await standings(obtained)).toEqual(allOf(obtained, STOPPED));
    const { api_key } = await server.owner.call(serviceUsersApi.rotate, { params, body: {} });
    const anew = await obtainWithKey(server, api_key, ann.id);
    expect(await standings(anew)).toEqual(allOf(anew, 'ok'));
    expect(await standings(obtained)).toEqual(allOf(obtained, STOPPED));
  });
});
