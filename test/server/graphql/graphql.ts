import {
  createLoggedIn,
  createServiceUser,
  createUser,
  openTestServer,
  type TestCaller,
  type TestServer,
} from '../harness.ts';

interface GraphQLProblem {
  message: string;
  path?: (string | number)[];
  locations?: { line: number; column: number }[];
  extensions: { code: number; type: string; classification: string };
}

/** What GraphQL answers with status 200. */
export interface GraphQLAnswer {
  data?: Record<string, unknown> | null;
  errors?: GraphQLProblem[];
}

export const GRAPHQL_PATH = '/api/graphql';

export const post = (caller: TestCaller, body: unknown, path = GRAPHQL_PATH) =>
  caller.send('POST', path, {
    body: typeof body === 'string' ? body : JSON.stringify(body),
    headers: { 'content-type': 'application/json' },
  });

/** Asks and expects status 200, with or without errors in it. */
export async function ask(caller: TestCaller, query: string, variables?: object): Promise<GraphQLAnswer> {
  const { status, text, json } = await post(caller, { query, variables });
  if (status !== 200) throw new Error(`GraphQL answered ${status}: ${text}`);
  return json as GraphQLAnswer;
}

/** Asks and expects no errors. */
export async function data<T = Record<string, never>>(
  caller: TestCaller,
  query: string,
  variables?: object,
): Promise<T> {
  const answer = await ask(caller, query, variables);
  if (answer.errors) throw new Error(JSON.stringify(answer.errors));
  return answer.data as T;
}

/** Asks and expects one error. */
export async function problem(caller: TestCaller, query: string, variables?: object): Promise<GraphQLProblem> {
  const { errors } = await ask(caller, query, variables);
  const [first, ...more] = errors ?? [];
  if (!first || more.length > 0) throw new Error(`not one error: ${JSON.stringify(errors)}`);
  return first;
}

/** What is known of a token. */
export interface Metadata {
  id: string;
  urn: string;
  name: string;
  actorUrn: string;
  ownerUrn: string;
  createdAt: number;
  expiresAt: number | null;
}

export const CREATE = `mutation ($input: CreateAccessTokenInput!) {
  createAccessToken(input: $input) {
    accessToken metadata { id urn name actorUrn ownerUrn createdAt expiresAt }
  }
}`;

/** Makes a token of an hour for somebody, named `test`, unless asked otherwise. */
export const createToken = async (caller: TestCaller, actorUrn: string, input: object = {}) =>
  (
    await data<{ createAccessToken: { accessToken: string; metadata: Metadata } }>(caller, CREATE, {
      input: {
        type: 'PERSONAL',
        actorUrn,
        name: 'test',
        ...('durationIso' in input ? {} : { duration: 'ONE_HOUR' }),
        ...input,
      },
    })
  ).createAccessToken;

/** The error of the same, expected to be one. */
export const refuseToken = (caller: TestCaller, actorUrn: string, input: object = {}) =>
  problem(caller, CREATE, { input: { type: 'PERSONAL', actorUrn, name: 'test', duration: 'ONE_HOUR', ...input } });

const LIST = `query ($input: ListAccessTokenInput!) {
  listAccessTokens(input: $input) { start count total tokens { id urn name actorUrn ownerUrn createdAt expiresAt } }
}`;

export const listTokens = async (caller: TestCaller, input: object = {}) =>
  (
    await data<{ listAccessTokens: { start: number; count: number; total: number; tokens: Metadata[] } }>(
      caller,
      LIST,
      {
        input,
      },
    )
  ).listAccessTokens;

export const userUrn = (name: string): string => `urn:li:corpuser:${name}`;

/** A server with tokens of two people and a service user, minted by several. */
export async function openWithTokens() {
  const server = await openTestServer();
  const alice = await createLoggedIn(server, 'alice');
  await createUser(server, 'Bob Builder');
  const etl = await createServiceUser(server, { name: 'etl' });
  await createToken(alice.caller, userUrn('alice'), {
    name: 'nightly',
    duration: 'ONE_DAY',
    description: 'Builds at Night',
  });
  await createToken(alice.caller, userUrn('alice'), { name: 'weekly', duration: 'ONE_WEEK' });
  await createToken(server.owner, userUrn('Bob Builder'), { name: 'for bob', duration: 'ONE_HOUR' });
  server.clock.advance(1_000);
  await createToken(etl.caller, userUrn(`service_${etl.id}`), { name: '100% größe_1', duration: 'ONE_MONTH' });
  return { server, alice, etl };
}

/** The names of the tokens that all of some filters find. */
export const namesOf = async (server: TestServer, ...filters: object[]) =>
  (await listTokens(server.owner, { filters })).tokens.map(({ name }) => name);
