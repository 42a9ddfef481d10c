import { PangolinError } from '@pangolin/shared/errors';
import { type Context, Hono } from 'hono';
import { noteRefusal } from '../audit/note-refusal.ts';
import type { Caller } from '../credentials/caller.ts';
import { replyDataHubError } from '../datahub/reply-error.ts';
import type { Deps } from '../deps.ts';
import { requireCaller } from '../http/access.ts';
import { readJsonText } from '../http/body.ts';
import type { Env } from '../http/env.ts';
import { toPangolinError } from '../http/errors.ts';
import { replyText } from '../http/reply.ts';
import type { GraphQLAnswerer, GraphQLRequest } from './answer.ts';
import { createBudget } from './budget.ts';
import type { GraphQLContext } from './context.ts';
import { createLanes } from './lanes.ts';
import { requireSmall } from './variables.ts';

/** Many times what a request takes whose texts are all as long as they may be. */
const MAX_BODY_BYTES = 256 * 1024;

/** Requests of one principal at once, and how much may wait for those: more than programs have that ask in parallel. */
const PER_PRINCIPAL = { running: 8, waiting: 16 * 1024 * 1024, patienceMs: 10_000 } as const;
const SIZE_OF_ANY = 2_000;

/**
 * DataHub's GraphQL API. What is refused before a document is looked at, for want of a credential above all, is answered by
 * its HTTP status; everything else with 200, and errors in the answer.
 */
export function graphqlRoutes(deps: Deps): Hono<Env> {
  const app = new Hono<Env>();
  app.onError((error, c) => replyDataHubError(c, toPangolinError(error, deps.log, c.env.requestId)));
  const lanes = createLanes(PER_PRINCIPAL);
  let answerer: GraphQLAnswerer | undefined;

  app.all('*', async (c) => {
    if (c.req.method !== 'POST') {
      const hint = 'Send it as POST, with a JSON body: {"query": "…"}.';
      const error = new PangolinError('method_not_allowed', `This path takes POST, not ${c.req.method}.`, { hint });
      return replyDataHubError(c, error, { allow: 'POST' });
    }
    const authenticate = () => requireCaller(deps, c, { cookie: true });
    const { actor } = await authenticate();
    const text = await readJsonText(c, MAX_BODY_BYTES, () => {});
    const request = readRequest(text);
    answerer ??= (await import('./answer.ts')).createAnswerer(deps.log);
    const answer = answerer;
    // A body may be long in coming, and so may one's turn: what was ended meanwhile is told nothing any more.
    const run = async (leave: () => void) => answer(request, createContext(deps, c, await authenticate(), leave));
    return replyText(c, await lanes({ principalId: actor.id, size: SIZE_OF_ANY + text.length }, run));
  });

  return app;
}

const createContext = (deps: Deps, c: Context<Env>, caller: Caller, stepAside: () => void): GraphQLContext => ({
  deps,
  caller,
  stepAside,
  budget: createBudget(),
  turn: Promise.resolve(),
  minted: [],
  refuse(field, error) {
    const refused = { action: 'request.refused', resourceType: 'request', resourceName: `GraphQL ${field}` };
    // The first is noted with the request; it must not be hidden by those that follow, nor they by it.
    if (c.env.refusal) return noteRefusal(deps, c.req, { ...c.env, refusal: error, refused });
    c.env.refusal = error;
    c.env.refused = refused;
  },
  change(what) {
    c.env.changes = [...(c.env.changes ?? []), what];
  },
});

/** GraphQL over HTTP §5.4: a JSON object with `query`; `variables` and `operationName` may be missing or null. */
function readRequest(text: string): GraphQLRequest {
  const body = parseJson(text);
  if (Array.isArray(body)) throw invalid('Batches are not accepted; send one request at a time.');
  if (!isObject(body)) throw invalid('The body must be a JSON object: {"query": "…", "variables": {…}}.');
  const { query, variables = null, operationName = null } = body;
  if (typeof query !== 'string' || query === '') throw invalid("The field 'query' must be a GraphQL document.");
  if (variables !== null && !isObject(variables)) throw invalid("The field 'variables' must be an object.");
  requireSmall(variables);
  if (operationName !== null && typeof operationName !== 'string')
    throw invalid("The field 'operationName' must be text.");
  return { query, variables, operationName: operationName === '' ? null : operationName };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const body = parseSurplusBrace(text.trimEnd());
    if (body === undefined) throw new PangolinError('invalid_request', 'The body is not valid JSON.', { cause });
    return body;
  }
}

/** DataHub's documentation closes a brace too many in its curl for revokeAccessToken, which its server ignores. */
function parseSurplusBrace(text: string): unknown {
  if (!text.endsWith('}')) return undefined;
  try {
    return JSON.parse(text.slice(0, -1));
  } catch {
    return undefined;
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const invalid = (message: string) => new PangolinError('invalid_request', message);
