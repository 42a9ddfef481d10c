import { oauthApi, serviceUsersApi, usersApi } from '@pangolin/shared/contract';
import { describe, expect, test } from 'vitest';
import { readLastAudit } from '../audit-chain.ts';
import { createServiceUser, DAY_MS, HOUR_MS, mint, openTestServer, standingOf } from '../harness.ts';
import { basic, refusedBy, TOKEN_EXCHANGE } from './ask-oauth.ts';

const grant_type = 'client_credentials';

describe('client_credentials', () => {
  test('answers an access token of one hour, and records it', async () => {
    const server = await openTestServer();
    const etl = await createServiceUser(server, { name: 'etl' });
    const body = { grant_type, client_id: etl.id, client_secret: etl.api_key };
    const outcome = await server.nobody.ask(oauthApi.token, { body });
    expect(outcome.status).toBe(200);
    expect(outcome.headers.get('cache-control')).toBe('no-store');
    expect(outcome.json).toMatchObject({
      token_type: 'bearer',
      expires_in: 3600,
      issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      scope: 'catalog',
    });
    const { access_token } = await server.nobody.call(oauthApi.token, { body });
    const me = await server.bearer(access_token).call(usersApi.me);
    expect(me).toMatchObject({ id: etl.id, credential: { type: 'access', expires_at: '2026-11-22T13:00:00Z' } });
    expect(await readLastAudit(server)).toMatchObject({
      action: 'token.created',
      user_id: etl.id,
      resource_id: me.credential.id,
      credential_type: 'api_key',
      credential_id: etl.key_id,
      details: { kind: 'access', grant: 'client_credentials' },
    });
  });

  test('works at all four paths', async () => {
    const server = await openTestServer();
    const etl = await createServiceUser(server, { name: 'etl' });
    const body = { grant_type, client_id: etl.id, client_secret: etl.api_key };
    for (const endpoint of [
      oauthApi.token,
      oauthApi.tokenIceberg,
      oauthApi.tokenInCatalog,
      oauthApi.tokenInCatalogAlias,
    ]) {
      const { access_token } = await server.nobody.call(endpoint, { params: { catalog: 'default' }, body });
      expect(await standingOf(server.bearer(access_token))).toBe('ok');
    }
  });

  test('knows the client in the body or by Basic, by id or by name, or by the key alone', async () => {
    const server = await openTestServer();
    const { id, api_key } = await createServiceUser(server, { name: 'etl: nightly & more' });
    const name = 'etl: nightly & more';
    const raw = `Basic ${Buffer.from(`${id}:${api_key}`).toString('base64')}`;
    for (const [body, authorization] of [
      [{ client_id: id, client_secret: api_key }],
      [{ client_id: id.toUpperCase(), client_secret: api_key }],
      [{ client_id: name, client_secret: api_key }],
      [{ client_secret: api_key }],
      [{ client_id: '', client_secret: api_key, client_assertion: 'ignored', resource: '' }],
      [{}, basic(id, api_key)],
      [{}, basic(name, api_key)],
      [{}, basic('', api_key)],
      [{}, raw],
      [{}, raw.replace('Basic', 'basic')],
      [{ client_id: id, client_secret: api_key }, raw],
      [{ client_id: id, client_secret: api_key }, 'Bearer an-expired-token'],
    ] as [Record<string, string>, string?][]) {
      const headers = authorization === undefined ? {} : { authorization };
      await server.nobody.call(oauthApi.token, { body: { grant_type, ...body }, headers });
    }
  });

  test('tells a client that does not authenticate nothing but that: invalid_client, 401', async () => {
    const server = await openTestServer();
    const etl = await createServiceUser(server, { name: 'etl' });
    const other = await createServiceUser(server, { name: 'other' });
    const gone = await createServiceUser(server, { name: 'gone' });
    await server.owner.call(serviceUsersApi.update, { params: { id: gone.id }, body: { active: false } });
    const { token } = await mint(server, server.owner);
    const wrong = `${etl.api_key.slice(0, -1)}${etl.api_key.endsWith('0') ? '1' : '0'}`;
    for (const body of [
      {},
      { client_id: etl.id },
      { client_id: etl.id, client_secret: 'secret' },
      { client_id: etl.id, client_secret: wrong },
      { client_id: other.id, client_secret: etl.api_key },
      { client_id: 'nobody', client_secret: etl.api_key },
      { client_id: etl.id, client_secret: token },
      { client_id: gone.id, client_secret: gone.api_key },
    ] as Record<string, string>[]) {
      const refused = await refusedBy(server.nobody, { grant_type, ...body });
      expect(refused).toMatchObject({ status: 401, error: 'invalid_client' });
    }
    for (const authorization of [basic(other.id, etl.api_key), basic(etl.id, wrong), 'Basic !!!']) {
      expect(await refusedBy(server.nobody, { grant_type }, oauthApi.token, { authorization })).toEqual({
        status: 401,
        error: 'invalid_client',
        challenge: 'Basic realm="pangolin"',
      });
    }
  });

  test('refuses two different client authentications', async () => {
    const server = await openTestServer();
    const etl = await createServiceUser(server, { name: 'etl' });
    const other = await createServiceUser(server, { name: 'other' });
    const headers = { authorization: basic(etl.id, etl.api_key) };
    const body = { grant_type, client_secret: other.api_key };
    expect(await refusedBy(server.nobody, body, oauthApi.token, headers)).toMatchObject({
      status: 400,
      error: 'invalid_request',
    });
  });

  test('never outlives the key', async () => {
    const server = await openTestServer();
    const etl = await createServiceUser(server, { name: 'etl', expires_in_days: 1 });
    server.clock.advance(DAY_MS - 10 * 60_000);
    const body = { grant_type, client_secret: etl.api_key };
    expect((await server.nobody.call(oauthApi.token, { body })).expires_in).toBe(600);
    server.clock.advance(10 * 60_000);
    expect(await refusedBy(server.nobody, body)).toMatchObject({ status: 401, error: 'invalid_client' });
  });

  test('counts as a use of the key', async () => {
    const server = await openTestServer();
    const etl = await createServiceUser(server, { name: 'etl' });
    server.clock.advance(HOUR_MS);
    await server.nobody.call(oauthApi.token, { body: { grant_type, client_secret: etl.api_key } });
    await server.deps.lastUsed.flush();
    const shown = await server.owner.call(serviceUsersApi.get, { params: { id: etl.id } });
    expect([shown.last_used, shown.keys[0]?.last_used]).toEqual(['2026-11-22T13:00:00Z', '2026-11-22T13:00:00Z']);
  });
});

describe('scope', () => {
  const grant = async (scopes: string[], scope?: string) => {
    const server = await openTestServer();
    const etl = await createServiceUser(server, { name: 'etl', scopes });
    const body = { grant_type, client_secret: etl.api_key, ...(scope === undefined ? {} : { scope }) };
    return {
      granted: async () => (await server.nobody.call(oauthApi.token, { body })).scope,
      held: async () => {
        const { access_token } = await server.nobody.call(oauthApi.token, { body });
        return (await server.bearer(access_token).call(usersApi.me)).credential.scopes;
      },
      refused: () => refusedBy(server.nobody, body),
    };
  };

  test.each([
    ['none', undefined, []],
    ['catalog', 'catalog', []],
    ['a role', 'PRINCIPAL_ROLE:ALL', []],
    ['those of OpenID Connect', 'openid profile email offline_access', []],
    ['part of a catalog', 'catalog:read:default', ['catalog:read:default']],
    ['the whole catalog beside another', 'catalog tokens:read', ['catalog:read', 'catalog:write', 'tokens:read']],
    ['a role beside another', 'PRINCIPAL_ROLE:ALL tokens:read', ['tokens:read']],
  ])('asked for %s is what the token holds', async (_, scope, held) => {
    expect(await (await grant([], scope)).held()).toEqual(held);
  });

  test('narrows within what the service user holds', async () => {
    expect(await (await grant(['catalog:read'])).held()).toEqual(['catalog:read']);
    expect(await (await grant(['catalog:read'], 'catalog')).granted()).toBe('catalog:read');
    expect(await (await grant(['catalog:read'], 'catalog:read:a')).held()).toEqual(['catalog:read:a']);
    expect(await (await grant(['catalog:read'], 'catalog:write')).refused()).toMatchObject({
      status: 400,
      error: 'invalid_scope',
    });
  });

  test('that is unknown is invalid_scope', async () => {
    for (const scope of ['everything', 'catalog:delete', 'catalog:read tokens:eat']) {
      expect(await (await grant([], scope)).refused()).toMatchObject({ status: 400, error: 'invalid_scope' });
    }
  });
});

describe('a token request', () => {
  test('that is wrong gets the code of RFC 6749 section 5.2', async () => {
    const server = await openTestServer();
    const etl = await createServiceUser(server, { name: 'etl' });
    const client_secret = etl.api_key;
    expect(await refusedBy(server.nobody, { client_secret })).toMatchObject({ status: 400, error: 'invalid_request' });
    expect(await refusedBy(server.nobody, { client_secret, grant_type: '' })).toMatchObject({
      status: 400,
      error: 'invalid_request',
    });
    for (const unknown of ['password', 'authorization_code', 'refresh_token', 'implicit']) {
      expect(await refusedBy(server.nobody, { client_secret, grant_type: unknown })).toMatchObject({
        status: 400,
        error: 'unsupported_grant_type',
      });
    }
    expect(await refusedBy(server.nobody, { client_secret, grant_type: TOKEN_EXCHANGE })).toMatchObject({
      status: 400,
      error: 'invalid_request',
    });
  });

  test('is a form, of at most 1 MiB, and names each parameter once', async () => {
    const server = await openTestServer();
    const send = (body: string, type: string) =>
      server.nobody.send('POST', '/oauth2/token', { body, headers: { 'content-type': type } });
    const form = 'application/x-www-form-urlencoded';
    const errorOf = ({ status, json }: { status: number; json: unknown }) => [
      status,
      (json as { error: string }).error,
    ];
    expect(errorOf(await send('{"grant_type":"client_credentials"}', 'application/json'))).toEqual([
      415,
      'invalid_request',
    ]);
    expect(errorOf(await send('grant_type=a&grant_type=b', form))).toEqual([400, 'invalid_request']);
    expect(errorOf(await send(`scope=${'x'.repeat(1024 * 1024)}`, form))).toEqual([413, 'invalid_request']);
    expect(errorOf(await send('grant_type=x', `${form}; charset=utf-8`))).toEqual([400, 'unsupported_grant_type']);
  });

  test('is 503 when the database is gone, not the fault of the client', async () => {
    const server = await openTestServer();
    const etl = await createServiceUser(server, { name: 'etl' });
    await server.close();
    expect(await refusedBy(server.nobody, { grant_type, client_secret: etl.api_key })).toMatchObject({
      status: 503,
      error: 'temporarily_unavailable',
    });
  });
});
