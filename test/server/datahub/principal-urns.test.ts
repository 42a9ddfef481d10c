import { describe, expect, test } from 'vitest';
import { createOwner } from '../../../packages/server/src/credentials/owner.ts';
import {
  findPrincipalByUrn,
  principalUrn,
  readPrincipalUrn,
} from '../../../packages/server/src/datahub/principal-urns.ts';
import { createServiceUser, createUser, openTestServer, type TestServer, UNKNOWN_ID } from '../harness.ts';

const urn = (name: string) => `urn:li:corpuser:${name}`;

describe('the URN of a principal', () => {
  test('is its name, and of a service user its id', () => {
    expect(principalUrn({ kind: 'user', id: UNKNOWN_ID, name: 'ada' })).toBe(urn('ada'));
    expect(principalUrn({ kind: 'owner', id: UNKNOWN_ID, name: 'root' })).toBe(urn('root'));
    expect(principalUrn({ kind: 'service_user', id: UNKNOWN_ID, name: 'etl' })).toBe(urn(`service_${UNKNOWN_ID}`));
  });

  test.each([
    'ada',
    'Ada Lovelace',
    'ada@example.org',
    'a:b',
    'äöü',
    'service_',
    'service_etl',
    'a%2Cb',
    '名'.repeat(100),
  ])('names %s as it is written', (name) => expect(readPrincipalUrn(urn(name))).toEqual({ name }));

  test('names a service user wherever an id follows service_, in any case', () => {
    const named = readPrincipalUrn(urn(`service_${UNKNOWN_ID.toUpperCase()}`));
    expect(named).toEqual({ serviceUserId: UNKNOWN_ID });
  });

  test.each([
    ['a bare name', 'ada'],
    ['nothing', ''],
    ['no name', 'urn:li:corpuser:'],
    ['a group', 'urn:li:corpGroup:ada'],
    ['capitals', 'URN:li:corpuser:ada'],
    ['a space before it', ' urn:li:corpuser:ada'],
    ['a line break', urn('a\r\nb')],
    ['U+0000', urn('a\0')],
    ['half a character', urn('\ud800')],
    ['256 characters', urn('x'.repeat(256))],
    ['10 kB', urn('x'.repeat(10_000))],
  ])('is refused with the shapes that are accepted: %s', (_, text) => {
    const refuse = () => readPrincipalUrn(text);
    expect(refuse).toThrow(/^'[ -~…]{0,100}' is not the URN of a user or a service user\.$/);
    expect(refuse).toThrow(
      expect.objectContaining({ code: 'invalid_request', hint: expect.stringContaining(urn('<')) }),
    );
  });
});

describe('whom a URN finds', () => {
  const find = (server: TestServer, text: string, as: { name?: string; kind?: 'user'; tenantId?: string } = {}) =>
    findPrincipalByUrn(server.deps.db.read, server.deps, { ...createOwner(server.deps), ...as }, text);

  test('users, before the owner of the same name', async () => {
    const server = await openTestServer();
    expect(await find(server, urn('ada'))).toMatchObject({ id: server.deps.installation.ownerId, name: 'ada' });
    const { id } = await createUser(server, 'ada');
    expect(await find(server, urn('ada'))).toMatchObject({ id, kind: 'user' });
  });

  test('what DataHub writes with percent signs, unless somebody is called so', async () => {
    const server = await openTestServer();
    const { id } = await createUser(server, 'Doe, J (ops)');
    expect(await find(server, urn('Doe%2C J %28ops%29'))).toMatchObject({ id });
    const other = await createUser(server, 'Doe%2C J %28ops%29');
    expect(await find(server, urn('Doe%2C J %28ops%29'))).toMatchObject({ id: other.id });
  });

  test('service users by their id alone', async () => {
    const server = await openTestServer();
    const { id } = await createServiceUser(server, { name: 'etl' });
    expect(await find(server, urn(`service_${id.toUpperCase()}`))).toMatchObject({ id, kind: 'service_user' });
    expect(await find(server, urn('etl'))).toBeUndefined();
    const user = await createUser(server, 'bob');
    expect(await find(server, urn(`service_${user.id}`))).toBeUndefined();
  });

  test('the owner under the name it asks with, which nobody else reaches', async () => {
    const server = await openTestServer();
    const { ownerId } = server.deps.installation;
    expect(await find(server, urn('datahub'), { name: 'datahub' })).toMatchObject({ id: ownerId, name: 'datahub' });
    expect(await find(server, urn('datahub'))).toBeUndefined();
    expect(await find(server, urn('datahub'), { name: 'datahub', kind: 'user' })).toBeUndefined();
    expect(await find(server, urn('ada'), { kind: 'user' })).toMatchObject({ id: ownerId });
  });

  test('nobody of another tenant', async () => {
    const server = await openTestServer();
    await createUser(server, 'bob');
    const { id } = await createServiceUser(server, { name: 'etl' });
    for (const text of [urn('bob'), urn('ada'), urn(`service_${id}`)])
      expect(await find(server, text, { kind: 'user', tenantId: UNKNOWN_ID })).toBeUndefined();
  });
});
