import { oauthApi, serviceUsersApi, settingsApi, tokensApi, usersApi } from '@pangolin/shared/contract';
import { describe, expect, test } from 'vitest';
import { fromAddress } from '../from-address.ts';
import {
  createLoggedIn,
  createServiceUser,
  createUser,
  mint,
  openTestServer,
  PASSWORD,
  type TestServer,
} from '../harness.ts';
import { ACCESS_TOKEN, basic, TOKEN_EXCHANGE } from '../oauth/ask-oauth.ts';
import { insertSecondTenant } from '../second-tenant.ts';

const INSIDE = '10.1.2.3';
const OUTSIDE = '203.0.113.9';

const allow = (server: TestServer, ...allowed_networks: string[]) =>
  server.owner.call(settingsApi.update, { body: { allowed_networks } });

/** The status, and the code where there is one, of asking who one is. */
async function ask(server: TestServer, address: string, credential: { bearer?: string; apiKey?: string }) {
  const { status, json } = await fromAddress(server, address, credential).ask(usersApi.me);
  return status === 200 ? 'ok' : `${status} ${(json as { code: string }).code}`;
}

describe('the networks of a tenant', () => {
  test('bind every credential of its principals, from the moment they are set', async () => {
    const server = await openTestServer();
    const bob = await createLoggedIn(server, 'bob');
    const etl = await createServiceUser(server, { name: 'etl' });
    const personal = await mint(server, bob.caller);
    const access = await server.nobody.call(oauthApi.token, {
      body: { grant_type: 'client_credentials', client_secret: etl.api_key },
    });
    const credentials = [
      { bearer: bob.token },
      { bearer: personal.token },
      { bearer: access.access_token },
      { apiKey: etl.api_key },
    ];
    for (const one of credentials) expect(await ask(server, OUTSIDE, one)).toBe('ok');
    await allow(server, '10.0.0.0/8', '2001:db8::/32');
    for (const one of credentials) {
      expect(await ask(server, OUTSIDE, one)).toBe('403 address_not_allowed');
      expect(await ask(server, INSIDE, one)).toBe('ok');
      expect(await ask(server, `::ffff:${INSIDE}`, one)).toBe('ok');
      expect(await ask(server, '2001:db8::7', one)).toBe('ok');
      expect(await ask(server, '2001:db9::7', one)).toBe('403 address_not_allowed');
    }
    await allow(server);
    for (const one of credentials) expect(await ask(server, OUTSIDE, one)).toBe('ok');
  });

  test('are not told to whoever is refused, and what was refused is no use of the credential', async () => {
    const server = await openTestServer();
    const token = await mint(server, server.owner);
    await allow(server, '10.0.0.0/8');
    const problem = await fromAddress(server, OUTSIDE, { bearer: token.token }).refused(usersApi.me);
    expect(problem).toMatchObject({ status: 403, code: 'address_not_allowed' });
    expect(problem.detail).toContain(OUTSIDE);
    expect(JSON.stringify(problem)).not.toContain('10.0.0');
    await server.deps.lastUsed.flush();
    expect(await server.owner.call(tokensApi.get, { params: { id: token.id } })).toMatchObject({ last_used_at: null });
  });

  test('hold on the paths of Iceberg and of OAuth, each in its dialect', async () => {
    const server = await openTestServer();
    const etl = await createServiceUser(server, { name: 'etl' });
    const token = await mint(server, server.owner);
    await allow(server, '10.0.0.0/8');
    const tables = await fromAddress(server, OUTSIDE, { bearer: token.token }).send('GET', '/v1/default/v1/namespaces');
    expect(tables).toMatchObject({ status: 403, json: { error: { type: 'ForbiddenException', code: 403 } } });
    const asked = [
      { headers: { authorization: basic('etl', etl.api_key) }, body: { grant_type: 'client_credentials' } },
      { body: { grant_type: 'client_credentials', client_secret: etl.api_key } },
      { body: { grant_type: TOKEN_EXCHANGE, subject_token: token.token, subject_token_type: ACCESS_TOKEN } },
    ];
    for (const one of asked) {
      const refused = await fromAddress(server, OUTSIDE).ask(oauthApi.token, one);
      expect(refused).toMatchObject({ status: 403, json: { error: 'invalid_request' } });
      expect((await fromAddress(server, INSIDE).ask(oauthApi.token, one)).status).toBe(200);
    }
  });

  test('refuse a login before its password is looked at, whoever is named', async () => {
    const server = await openTestServer();
    await createUser(server, 'bob');
    await allow(server, '10.0.0.0/8');
    const answers = [];
    for (const [username, password] of [
      ['bob', PASSWORD],
      ['bob', 'wrong-password'],
      ['nobody-at-all', PASSWORD],
    ]) {
      const { request_id: _, ...problem } = await fromAddress(server, OUTSIDE).refused(usersApi.login, {
        body: { username, password },
      });
      answers.push(problem);
    }
    expect(answers[0]).toMatchObject({ status: 403, code: 'address_not_allowed' });
    expect(new Set(answers.map((one) => JSON.stringify(one))).size).toBe(1);
    expect(server.delays.filter((ms) => ms > 0)).toEqual([]);
    const body = { username: 'bob', password: PASSWORD };
    expect((await fromAddress(server, INSIDE).ask(usersApi.login, { body })).status).toBe(200);
  });

  test('are another tenant’s business in another tenant, also for root who acts there', async () => {
    const server = await openTestServer();
    const other = await insertSecondTenant(server);
    const root = await mint(server, server.owner, { roles: ['root'] });
    const headers = { 'x-pangolin-tenant': other.tenantId };
    const caller = fromAddress(server, OUTSIDE, { bearer: root.token });
    const body = { allowed_networks: ['10.0.0.0/8'] };
    expect(await caller.call(settingsApi.update, { headers, body })).toMatchObject(body);
    expect(await ask(server, OUTSIDE, { bearer: root.token })).toBe('ok');
    expect(await caller.call(settingsApi.get, { headers })).toMatchObject(body);
    await allow(server, '10.0.0.0/8');
    expect(await caller.refused(settingsApi.get, { headers })).toMatchObject({ code: 'address_not_allowed' });
  });

  test('that leave out whoever sets them are refused, naming what to add', async () => {
    const server = await openTestServer();
    const eve = await createLoggedIn(server, 'eve', 'tenant-admin');
    const caller = fromAddress(server, OUTSIDE, { bearer: eve.token });
    for (const query of [{}, { dry_run: 'true' }]) {
      const problem = await caller.refused(settingsApi.update, { body: { allowed_networks: ['10.0.0.0/8'] }, query });
      expect(problem).toMatchObject({ status: 422, code: 'policy_refused' });
      expect(problem.hint).toContain(`--allow-network ${OUTSIDE}`);
    }
    const body = { allowed_networks: ['10.0.0.0/8', OUTSIDE] };
    const { allowed_networks } = await caller.call(settingsApi.update, { body });
    expect(allowed_networks).toEqual(['10.0.0.0/8', `${OUTSIDE}/32`]);
    // The embedded owner comes from nowhere, and can mend what is wrong.
    await allow(server, '192.0.2.0/24');
    expect(await ask(server, OUTSIDE, { bearer: eve.token })).toBe('403 address_not_allowed');
    await allow(server);
    expect(await ask(server, OUTSIDE, { bearer: eve.token })).toBe('ok');
  });

  test('are blocks: with host bits set they are refused, naming the block', async () => {
    const server = await openTestServer();
    const field = async (...allowed_networks: unknown[]) =>
      (await server.owner.refused(settingsApi.update, { body: { allowed_networks } })).errors;
    expect(await field('10.0.0.0/8', '10.1.0.0/8')).toEqual([
      { field: 'allowed_networks.1', message: expect.stringContaining('the network is 10.0.0.0/8') },
    ]);
    for (const wrong of ['everywhere', '10.0.0.0/33', 7, null])
      expect((await field(wrong))?.[0]?.field).toBe('allowed_networks.0');
    const many = Array.from({ length: 65 }, (_, at) => `10.${at}.0.0/16`);
    expect((await field(...many))?.[0]?.field).toBe('allowed_networks');
  });
});

describe('the networks of a service user', () => {
  test('bind its key and tokens, beside those of the tenant', async () => {
    const server = await openTestServer();
    const etl = await createServiceUser(server, { name: 'etl', allowed_networks: ['10.1.0.0/16', '203.0.113.0/24'] });
    const other = await createServiceUser(server, { name: 'other' });
    const token = await mint(server, fromAddress(server, INSIDE, { apiKey: etl.api_key }));
    for (const one of [{ apiKey: etl.api_key }, { bearer: token.token }]) {
      expect(await ask(server, INSIDE, one)).toBe('ok');
      expect(await ask(server, OUTSIDE, one)).toBe('ok');
      expect(await ask(server, '10.2.0.1', one)).toBe('403 address_not_allowed');
    }
    expect(await ask(server, '10.2.0.1', { apiKey: other.api_key })).toBe('ok');
    await allow(server, '10.0.0.0/8');
    expect(await ask(server, INSIDE, { apiKey: etl.api_key })).toBe('ok');
    expect(await ask(server, OUTSIDE, { apiKey: etl.api_key })).toBe('403 address_not_allowed');
    expect(await ask(server, '10.2.0.1', { apiKey: other.api_key })).toBe('ok');
  });

  test('are changed as a whole and at once, and taken away', async () => {
    const server = await openTestServer();
    const etl = await createServiceUser(server, { name: 'etl', allowed_networks: ['10.1.0.0/16'] });
    const update = (allowed_networks: string[]) =>
      server.owner.call(serviceUsersApi.update, { params: { id: etl.id }, body: { allowed_networks } });
    expect(await ask(server, OUTSIDE, { apiKey: etl.api_key })).toBe('403 address_not_allowed');
    expect((await update(['203.0.113.9'])).allowed_networks).toEqual(['203.0.113.9/32']);
    expect(await ask(server, OUTSIDE, { apiKey: etl.api_key })).toBe('ok');
    expect(await ask(server, INSIDE, { apiKey: etl.api_key })).toBe('403 address_not_allowed');
    await update([]);
    expect(await ask(server, INSIDE, { apiKey: etl.api_key })).toBe('ok');
  });

  test('cannot be set by itself to where it is not', async () => {
    const server = await openTestServer();
    const ops = await createServiceUser(server, { name: 'ops', role: 'tenant-admin' });
    const caller = fromAddress(server, OUTSIDE, { apiKey: ops.api_key });
    const asked = { params: { id: ops.id }, body: { allowed_networks: ['10.0.0.0/8'] } };
    expect(await caller.refused(serviceUsersApi.update, asked)).toMatchObject({ code: 'policy_refused' });
  });
});
