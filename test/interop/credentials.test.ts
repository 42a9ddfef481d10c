import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { readClaims } from '../process/credentials.ts';
import { request } from '../process/request.ts';
import { fetchToken, inSeconds, untilRefused } from './expiry.ts';
import { createServiceUser, type Lakehouse, mintToken, openLakehouse } from './lakehouse.ts';
import { openPython, type Python } from './python.ts';

const SALES = 'sales.orders';

let lakehouse: Lakehouse;
let owner: Python;
let python: Python;
beforeAll(async () => {
  lakehouse = await openLakehouse();
  const { box, settings } = lakehouse;
  [owner, python] = [openPython('session.py', box.home, settings), openPython('session.py', box.home, settings)];
  await owner.call('connect', settings.properties);
  await owner.call('create', { name: SALES, numbers: [1, 2] });
  await owner.call('create', { name: 'hr.salaries', numbers: [9] });
});
afterAll(async () => {
  await Promise.all([owner?.close(), python?.close()]);
  await lakehouse?.close();
});

const withToken = (token: string) => python.call('connect', lakehouse.as(token));
const withKey = (id: string, key: string) =>
  python.call('connect', { type: 'rest', uri: lakehouse.uri, credential: `${id}:${key}`, scope: 'catalog' });
const read = (name = SALES) => python.call('read', { name });
const append = (numbers: number[], name = SALES) => python.call('append', { name, numbers });

/** What PyIceberg raises for 401 and 403, with the server's word for it. */
const unauthorized = { name: 'UnauthorizedError', message: expect.stringMatching(/^NotAuthorizedException: /) };
const forbidden = { name: 'ForbiddenError', message: expect.stringMatching(/^ForbiddenException: /) };

describe('a credential that ends in mid-use', () => {
  let rows: number[];
  beforeEach(async () => {
    rows = (await owner.call('read', { name: SALES })) as number[];
  });

  test('a token revoked by a command: the next read and the next commit fail with 401, and nothing is written', async () => {
    const token = await mintToken(lakehouse.box);
    await withToken(token);
    expect(await read()).toEqual(rows);
    await append([10]);
    expect(await lakehouse.box.user(['revoke-token', '--id', readClaims(token).jti])).toMatchObject({ code: 0 });
    await expect(append([11])).rejects.toMatchObject(unauthorized);
    await expect(read()).rejects.toMatchObject(unauthorized);
    expect(await owner.call('read', { name: SALES })).toEqual([...rows, 10]);
  });

  test('a service user that reaches its end: the next call of what it obtained fails with 401', async () => {
    const { id, key } = await createServiceUser(lakehouse.box, 'short', ['--expires-at', inSeconds(5)]);
    const { token, expiresIn } = await fetchToken(lakehouse, id, key);
    expect(expiresIn).toBeLessThanOrEqual(5);
    await withToken(token);
    expect(await read()).toEqual(rows);
    await untilRefused(lakehouse, token);
    await expect(read()).rejects.toMatchObject(unauthorized);
    await expect(append([12])).rejects.toMatchObject(unauthorized);
  });

  test('an access token revoked under a credential that lives on: PyIceberg recovers by itself', async () => {
    const { id, key } = await createServiceUser(lakehouse.box, 'renewing');
    await withKey(id, key);
    expect(await read()).toEqual(rows);
    const first = (await python.call('bearer')) as string;
    const form = { token: first, client_id: id, client_secret: key };
    expect(await request(`${lakehouse.server.origin}/oauth2/revoke`, { form })).toMatchObject({ status: 200 });
    await append([22]);
    expect(await python.call('bearer')).not.toBe(first);
    expect(await read()).toEqual([...rows, 22]);
  });

  test('a rotated key ends what was obtained with it, and PyIceberg says so: invalid_client', async () => {
    const { id, key } = await createServiceUser(lakehouse.box, 'rotated');
    await withKey(id, key);
    expect(await read()).toEqual(rows);
    expect(await lakehouse.box.admin(['rotate-service-user-key', '--id', id])).toMatchObject({ code: 0 });
    await expect(read()).rejects.toMatchObject({
      name: 'OAuthError',
      message: expect.stringContaining('invalid_client'),
    });
    await expect(append([23])).rejects.toMatchObject({ name: 'OAuthError' });
  });

  test('a key rotated with a grace period goes on working', async () => {
    const { id, key } = await createServiceUser(lakehouse.box, 'graced');
    await withKey(id, key);
    const rotated = await lakehouse.box.admin(['rotate-service-user-key', '--id', id, '--grace', '1h']);
    expect(rotated.code).toBe(0);
    expect(await read()).toEqual(rows);
    await withKey(id, rotated.stdout.trim());
    expect(await read()).toEqual(rows);
  });

  test('a deactivated service user is locked out at once', async () => {
    const { id, key } = await createServiceUser(lakehouse.box, 'leaver');
    await withKey(id, key);
    expect(await read()).toEqual(rows);
    expect(await lakehouse.box.admin(['update-service-user', '--id', id, '--active', 'false'])).toMatchObject({
      code: 0,
    });
    await expect(read()).rejects.toMatchObject({ name: 'OAuthError' });
  });
});

describe('a token with narrow scopes', () => {
  test('catalog:read reads everything and changes nothing', async () => {
    await withToken(await mintToken(lakehouse.box, ['--scope', 'catalog:read']));
    const rows = (await owner.call('read', { name: SALES })) as number[];
    expect(await read()).toEqual(rows);
    expect(await python.call('namespaces')).toEqual(['hr', 'sales']);
    await expect(append([30])).rejects.toMatchObject(forbidden);
    await expect(python.call('set_property', { name: SALES, key: 'a', value: 'b' })).rejects.toMatchObject(forbidden);
    await expect(python.call('create', { name: 'sales.new', numbers: [] })).rejects.toMatchObject(forbidden);
    await expect(python.call('create_namespace', { name: 'new' })).rejects.toMatchObject(forbidden);
    await expect(python.call('drop', { name: SALES })).rejects.toMatchObject(forbidden);
    await expect(python.call('drop', { name: SALES, purge: true })).rejects.toMatchObject(forbidden);
    const renamed = python.call('rename', { source: SALES, destination: 'sales.stolen' });
    await expect(renamed).rejects.toMatchObject(forbidden);
    expect(await owner.call('read', { name: SALES })).toEqual(rows);
    expect(await owner.call('tables', { namespace: 'sales' })).toEqual([SALES]);
  });

  test('catalog:read:default.sales sees that namespace only', async () => {
    await withToken(await mintToken(lakehouse.box, ['--scope', 'catalog:read:default.sales']));
    expect(await read()).toEqual(await owner.call('read', { name: SALES }));
    expect(await python.call('namespaces')).toEqual(['sales']);
    expect(await python.call('tables', { namespace: 'sales' })).toEqual([SALES]);
    await expect(read('hr.salaries')).rejects.toMatchObject(forbidden);
    await expect(read('hr.nothing')).rejects.toMatchObject(forbidden);
    await expect(read('nowhere.nothing')).rejects.toMatchObject(forbidden);
    await expect(python.call('tables', { namespace: 'hr' })).rejects.toMatchObject(forbidden);
    await expect(append([31])).rejects.toMatchObject(forbidden);
  });

  test('catalog:write:default.sales writes there, and nothing moves out of it or into it', async () => {
    await withToken(
      await mintToken(lakehouse.box, ['--scope', 'catalog:read:default.sales', 'catalog:write:default.sales']),
    );
    await python.call('create', { name: 'sales.mine', numbers: [1] });
    await append([2], 'sales.mine');
    expect(await read('sales.mine')).toEqual([1, 2]);
    for (const [source, destination] of [
      ['sales.mine', 'hr.mine'],
      ['hr.salaries', 'sales.salaries'],
    ]) {
      await expect(python.call('rename', { source, destination })).rejects.toMatchObject({ name: 'ForbiddenError' });
    }
    await python.call('drop', { name: 'sales.mine', purge: true });
    expect(await owner.call('tables', { namespace: 'hr' })).toEqual(['hr.salaries']);
  });

  test('a scope for another catalog opens nothing here', async () => {
    expect(await lakehouse.box.admin(['create-catalog', 'elsewhere'])).toMatchObject({ code: 0 });
    const token = await mintToken(lakehouse.box, ['--scope', 'catalog:read:elsewhere']);
    const opened = withToken(token).then(() => read());
    await expect(opened).rejects.toMatchObject(forbidden);
  });

  test('a service user may ask for less than it has: scope catalog:read in load_catalog', async () => {
    const { id, key } = await createServiceUser(lakehouse.box, 'modest');
    const credential = `${id}:${key}`;
    await python.call('connect', { type: 'rest', uri: lakehouse.uri, credential, scope: 'catalog:read' });
    expect(await read()).toEqual(await owner.call('read', { name: SALES }));
    await expect(append([32])).rejects.toMatchObject(forbidden);
  });

  test('a token without any scope for catalogs is refused', async () => {
    const opened = withToken(await mintToken(lakehouse.box, ['--scope', 'tokens:read'])).then(() => read());
    await expect(opened).rejects.toMatchObject(forbidden);
  });
});

describe('the audit trail', () => {
  test('says who changed the table, and who was refused', async () => {
    // The server knows of the refusals of this minute; the database does when it is over.
    const PANGOLIN_TOKEN = await mintToken(lakehouse.box, ['--role', 'tenant-admin']);
    const env = { PANGOLIN_URL: lakehouse.server.origin, PANGOLIN_TOKEN };
    const { stdout } = await lakehouse.box.admin(['list-audit-events', '--all', '--json'], { env });
    const events: Array<{ action: string; result: string; resource_name: string | null }> = JSON.parse(stdout);
    const about = events.filter(({ resource_name: name }) => name?.includes('orders'));
    expect(new Set(about.map(({ result }) => result))).toEqual(new Set(['success', 'failure']));
  });
});
