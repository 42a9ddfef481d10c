import { ask, type Outcome } from './ask.ts';
import { anyOf, end, type Operation, pickToEnd, type Targets, wasDone } from './operation.ts';

const CREATE = `mutation ($input: CreateAccessTokenInput!) {
  createAccessToken(input: $input) { accessToken metadata { id } }
}`;
const LIST = '{ listAccessTokens(input: { count: 200 }) { total tokens { id } } }';
const REVOKE = 'mutation ($id: String!) { revokeAccessToken(tokenId: $id) }';

export const createByGraphQL: Operation = async (targets, promises) => {
  const input = { type: 'PERSONAL', actorUrn: targets.adminUrn, duration: 'ONE_HOUR', name: 'load' };
  const outcome = await askGraphQL(targets, CREATE, { input });
  if (!wasDone(promises, outcome, 200, 'creating an access token')) return false;
  const { accessToken, metadata } = outcome.json.createAccessToken as Created;
  promises.show({ id: metadata.id, secret: accessToken, kind: 'token' });
  return true;
};

/** Of the tokens whose end was answered, a list that is asked for afterwards has none. */
export const listByGraphQL: Operation = async (targets, promises) => {
  const ended = new Set(promises.all.filter(({ standing }) => standing === 'ended').map(({ id }) => id));
  const outcome = await askGraphQL(targets, LIST);
  if (!wasDone(promises, outcome, 200, 'a list')) return false;
  const { tokens } = outcome.json.listAccessTokens as Listed;
  for (const { id } of tokens) if (ended.has(id)) promises.broken.push(`token ${id} was ended, and is listed`);
  return true;
};

export const revokeByGraphQL: Operation = async (targets, promises) => {
  const token = pickToEnd(promises, 'token');
  if (!token) return false;
  const outcome = await askGraphQL(targets, REVOKE, { id: token.id });
  if (!wasDone(promises, outcome, 200, 'a revocation by GraphQL')) return false;
  end(token);
  return true;
};

interface Created {
  accessToken: string;
  metadata: { id: string };
}

interface Listed {
  tokens: { id: string }[];
}

interface Problem {
  message: string;
  extensions?: { code?: number };
}

/**
 * Asks; answers the data, or a status for the first error: DataHub has one code for whatever a server cannot do, and what
 * this one did not foresee is told by its message.
 */
async function askGraphQL(targets: Targets, query: string, variables: object = {}): Promise<Outcome> {
  const outcome = await ask(anyOf(targets), '/api/graphql', targets.admin, { json: { query, variables } });
  if (outcome?.status !== 200) return outcome;
  const { data, errors } = outcome.json as { data?: Record<string, unknown>; errors?: Problem[] };
  const [error] = errors ?? [];
  if (!error) return { status: 200, json: data ?? {} };
  const { code = 400 } = error.extensions ?? {};
  const isUnavailable = code === 500 && !error.message.startsWith('The server failed;');
  return { status: isUnavailable ? 503 : code, json: outcome.json };
}
