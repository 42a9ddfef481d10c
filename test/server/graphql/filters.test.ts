import { expect, test } from 'vitest';
import { DAY_MS, openTestServer, type TestServer } from '../harness.ts';
import { listTokens, namesOf, openWithTokens, problem, userUrn } from './graphql.ts';

const LIST = 'query ($input: ListAccessTokenInput!) { listAccessTokens(input: $input) { total } }';

const refusal = async (server: TestServer, ...filters: object[]) =>
  (await problem(server.owner, LIST, { input: { filters } })).message;

test.each<[string, object, string[]]>([
  ['a name', { field: 'name', value: 'weekly' }, ['weekly']],
  [
    'a name, as the documentation calls it',
    { field: 'tokenName', values: ['weekly', 'nightly'] },
    ['weekly', 'nightly'],
  ],
  ['a name in another case', { field: 'name', value: 'WEEKLY', condition: 'IEQUAL' }, ['weekly']],
  ['a name in its own case only', { field: 'name', value: 'WEEKLY' }, []],
  ['part of a name', { field: 'name', value: 'EEKL', condition: 'CONTAIN' }, ['weekly']],
  [
    'nothing in particular',
    { field: 'name', value: '', condition: 'CONTAIN' },
    ['100% größe_1', 'weekly', 'nightly', 'for bob'],
  ],
  [
    'a part with what LIKE would understand',
    { field: 'name', value: '0% größe_', condition: 'CONTAIN' },
    ['100% größe_1'],
  ],
  ['a beginning', { field: 'name', value: 'Night', condition: 'START_WITH' }, ['nightly']],
  ['an end', { field: 'name', value: 'größe_1', condition: 'END_WITH' }, ['100% größe_1']],
  ['an end longer than the name', { field: 'name', value: 'a very long name, weekly', condition: 'END_WITH' }, []],
  ['not a name', { field: 'name', value: 'weekly', negated: true }, ['100% größe_1', 'nightly', 'for bob']],
  ['a description', { field: 'description', value: 'Builds at Night' }, ['nightly']],
  ['any description', { field: 'description', condition: 'EXISTS' }, ['nightly']],
  [
    'no description',
    { field: 'description', condition: 'EXISTS', negated: true },
    ['100% größe_1', 'weekly', 'for bob'],
  ],
  [
    'another description',
    { field: 'description', value: 'Builds at Night', negated: true },
    ['100% größe_1', 'weekly', 'for bob'],
  ],
  ['who minted it', { field: 'ownerUrn', value: userUrn('ada') }, ['for bob']],
  ['whose it is', { field: 'actorUrn', value: userUrn('Bob Builder') }, ['for bob']],
  ['whose it is not', { field: 'actorUrn', value: userUrn('alice'), negated: true }, ['100% größe_1', 'for bob']],
  [
    'users',
    { field: 'actorUrn', value: userUrn('service_'), condition: 'START_WITH', negated: true },
    ['weekly', 'nightly', 'for bob'],
  ],
  ['somebody unknown', { field: 'ownerUrn', value: userUrn('unknown') }, []],
  [
    'the kind of thing it is',
    { field: 'type', value: 'ACCESS_TOKEN' },
    ['100% größe_1', 'weekly', 'nightly', 'for bob'],
  ],
  ['another kind of thing', { field: 'type', value: 'DATASET' }, []],
])('a filter finds tokens by %s', async (_, filter, names) => {
  const { server } = await openWithTokens();
  expect(await namesOf(server, filter)).toEqual(names);
});

test('filters on times are in milliseconds, and all filters hold', async () => {
  const { server, etl } = await openWithTokens();
  const now = server.clock.nowMs;
  const expiring = (condition: string, ms: number) => ({ field: 'expiresAt', condition, value: String(ms) });
  const end = now - 1_000 + DAY_MS;
  expect(await namesOf(server, expiring('LESS_THAN', end))).toEqual(['for bob']);
  expect(await namesOf(server, expiring('LESS_THAN_OR_EQUAL_TO', end))).toEqual(['nightly', 'for bob']);
  expect(await namesOf(server, expiring('GREATER_THAN', end))).toEqual(['100% größe_1', 'weekly']);
  expect(await namesOf(server, expiring('GREATER_THAN_OR_EQUAL_TO', end))).toEqual([
    '100% größe_1',
    'weekly',
    'nightly',
  ]);
  expect(await namesOf(server, expiring('EQUAL', end))).toEqual(['nightly']);
  expect(await namesOf(server, { field: 'createdAt', value: String(now) })).toEqual(['100% größe_1']);
  expect(await namesOf(server, { field: 'ownerUrn', value: userUrn('alice') }, expiring('GREATER_THAN', end))).toEqual([
    'weekly',
  ]);
  const urn = userUrn(`service_${etl.id}`);
  expect(
    await namesOf(server, { field: 'ownerUrn', value: urn.toUpperCase().replace(/^.*:SERVICE_/, userUrn('service_')) }),
  ).toEqual(['100% größe_1']);
  expect(
    await namesOf(server, { field: 'ownerUrn', value: urn }, { field: 'ownerUrn', value: userUrn('alice') }),
  ).toEqual([]);
});

test('filters by id find the token alone', async () => {
  const { server } = await openWithTokens();
  const [token] = (await listTokens(server.owner)).tokens;
  for (const [field, value] of [
    ['id', token?.id],
    ['tokenId', token?.id],
    ['urn', token?.urn],
  ])
    expect((await listTokens(server.owner, { filters: [{ field, value }] })).tokens).toEqual([token]);
});

test('a filter that cannot be says what would be accepted', async () => {
  const server = await openTestServer();
  expect(await refusal(server, { field: 'name' })).toBe("The filter on 'name' has no value: give values or value.");
  expect(await refusal(server, { field: 'name', values: [] })).toContain('has no value');
  expect(await refusal(server, { field: 'platform', value: 'x' })).toBe(
    "There is no field 'platform' to filter by; there are urn, type, id, tokenId, name, tokenName, description, actorUrn, ownerUrn, createdAt, expiresAt.",
  );
  expect(await refusal(server, { field: '__proto__', value: 'x' })).toContain('There is no field');
  expect(await refusal(server, { field: 'name', value: 'x', condition: 'GREATER_THAN' })).toContain(
    'takes EQUAL, IN, IEQUAL',
  );
  expect(await refusal(server, { field: 'expiresAt', value: '1', condition: 'CONTAIN' })).toContain(
    'takes EQUAL, IN, GREATER_THAN',
  );
  expect(await refusal(server, { field: 'expiresAt', value: 'tomorrow' })).toContain('milliseconds since 1970');
  expect(await refusal(server, { field: 'ownerUrn', value: 'datahub' })).toContain('is not the URN of a user');
  expect(await refusal(server, { field: 'name', value: 'a\u0000b' })).toContain('cannot be');
  expect(await refusal(server, { field: 'name', values: Array(101).fill('x') })).toContain('at most 100 values');
  expect(await refusal(server, ...Array(21).fill({ field: 'name', value: 'x' }))).toContain('At most 20 filters');
});
