import type { TokenAnswer, TokenRequest } from '@pangolin/shared/contract/oauth';
import { coversScopes, expandScopes, scope as scopeSchema } from '@pangolin/shared/contract/scopes';
import { PangolinError } from '@pangolin/shared/errors';
import { recordAudit } from '../audit/record.ts';
import type { Actor, Caller } from '../credentials/caller.ts';
import { requireAddress } from '../credentials/networks.ts';
import { readToken } from '../credentials/read-token.ts';
import { transactAs } from '../credentials/recheck-credential.ts';
import { judgeClaims, verifyCredential } from '../credentials/verify-credential.ts';
import type { Deps } from '../deps.ts';
import { formatTime, HOUR_MS, wholeSecond } from '../times.ts';
import { prepareToken, readRootToken } from '../tokens/issue.ts';
import { invalidClient } from './client-authentication.ts';
import { oauthError } from './oauth-error.ts';

const ACCESS_TOKEN_MS = HOUR_MS;

/** How long an interactive login may be renewed. */
const SESSION_RENEWAL_MS = 24 * HOUR_MS;

const TOKEN_TYPE = 'urn:ietf:params:oauth:token-type:';

/** Scopes that clients send by habit and that narrow nothing here. */
const NO_RESTRICTION = /^(?:catalog|PRINCIPAL_ROLE:.+|openid|profile|email|offline_access)$/;

type Origin = Caller['origin'];

/** RFC 6749 §4.4: a service user's key for an access token. */
export async function grantClientCredentials(
  deps: Deps,
  client: Actor | undefined,
  request: TokenRequest,
  origin: Origin,
): Promise<TokenAnswer> {
  if (!client) throw invalidClient();
  return issueAccessToken(deps, { actor: client, origin }, request, {
    renewableUntilMs: null,
    parentTokenId: null,
    grant: 'client_credentials',
  });
}

/**
 * RFC 8693: renews an own token that is still valid, or with client authentication an expired one of that client.
 * The new one never outlives what the old one descends from; 24 hours after an interactive login it ends.
 */
export async function grantTokenExchange(
  deps: Deps,
  client: Actor | undefined,
  request: TokenRequest,
  origin: Origin,
): Promise<TokenAnswer> {
  const { subject_token: subject, subject_token_type: type, requested_token_type: wanted } = request;
  if (subject === undefined) throw oauthError('invalid_request', 'subject_token is missing.');
  if (type !== undefined && type !== `${TOKEN_TYPE}access_token` && type !== `${TOKEN_TYPE}jwt`) {
    throw oauthError('invalid_request', `subject_token_type must be ${TOKEN_TYPE}access_token or ${TOKEN_TYPE}jwt.`);
  }
  if (wanted !== undefined && wanted !== `${TOKEN_TYPE}access_token`)
    throw oauthError('invalid_request', `requested_token_type must be ${TOKEN_TYPE}access_token.`);
  if (request.actor_token !== undefined) throw oauthError('invalid_request', 'actor_token is not supported.');
  const actor = await readSubject(deps, subject, client, origin);
  requireAddress(deps, actor, origin.address);
  if (client && actor.id !== client.id)
    throw oauthError('invalid_grant', 'The subject token was not issued to this client.');
  return issueAccessToken(deps, { actor, origin }, request, {
    renewableUntilMs: await readRenewalEnd(deps, actor),
    parentTokenId: actor.credential.id,
    grant: 'token_exchange',
  });
}

async function readSubject(
  deps: Deps,
  subject: string,
  client: Actor | undefined,
  { address }: Origin,
): Promise<Actor> {
  try {
    return await deps.failedCredentials.judge(address, () => verifySubject(deps, subject, client));
  } catch (error) {
    if (!(error instanceof PangolinError) || error.status !== 401) throw error;
    throw oauthError(
      'invalid_grant',
      error.code === 'token_wrong_issuer'
        ? 'This server does not trust the issuer of the subject token.'
        : error.message,
    );
  }
}

async function verifySubject(deps: Deps, subject: string, client: Actor | undefined): Promise<Actor> {
  try {
    return await verifyCredential(deps, subject);
  } catch (error) {
    if (!(error instanceof PangolinError) || error.code !== 'token_expired' || !client) throw error;
    return judgeClaims(deps, await readToken(deps, subject, { acceptExpired: true }));
  }
}

/**
 * How far a token may be renewed: a personal one to its own end, a login for a day; what was renewed, as far as that from
 * which it was. Null: as long as its key.
 */
async function readRenewalEnd(deps: Deps, { credential }: Actor): Promise<number | null> {
  switch (credential.type) {
    case 'personal':
      return credential.expiresAtMs;
    case 'session': {
      const row = credential.root && (await readRootToken(deps.db.read, credential.root.id));
      return row ? row.created_at + SESSION_RENEWAL_MS : credential.expiresAtMs;
    }
    case 'access':
      return credential.renewableUntilMs;
    default:
      throw oauthError('invalid_request', 'The subject token is an API key; use grant_type=client_credentials.');
  }
}

async function issueAccessToken(
  deps: Deps,
  caller: Caller,
  request: TokenRequest,
  plan: { renewableUntilMs: number | null; parentTokenId: string | null; grant: string },
): Promise<TokenAnswer> {
  const { actor } = caller;
  const { root } = actor.credential;
  if (root === null) throw oauthError('invalid_grant', 'This credential cannot be exchanged.');
  const now = wholeSecond(deps.now());
  const ends = [plan.renewableUntilMs, actor.credential.endsAtMs].filter((end) => end !== null);
  const expiresAtMs = wholeSecond(Math.min(now + ACCESS_TOKEN_MS, ...ends));
  if (expiresAtMs <= now) throw oauthError('invalid_grant', 'What this token descends from has ended; log in again.');
  const scopes = readScopes(actor, request.scope);
  const prepared = await prepareToken(deps, {
    kind: 'access',
    owner: {
      id: actor.id,
      kind: actor.kind === 'service_user' ? 'service_user' : 'user',
      name: actor.name,
      epoch: actor.epoch,
    },
    actorId: actor.id,
    tenantId: actor.tenantId,
    role: actor.role,
    scopes,
    expiresAtMs,
    renewableUntilMs: plan.renewableUntilMs,
    ownGrantsUntilMs: actor.credential.ownGrantsUntilMs,
    parent: { tokenId: plan.parentTokenId, root },
  });
  await transactAs(
    deps,
    caller,
    async (tx) => {
      await prepared.store(tx, actor.epoch);
      await recordAudit(tx, deps, caller, {
        action: 'token.created',
        resourceType: 'token',
        resourceId: prepared.row.id,
        details: { kind: 'access', grant: plan.grant, scopes, expires_at: formatTime(expiresAtMs) },
      });
    },
    { credentials: 'unchanged' },
  );
  return {
    access_token: prepared.secret,
    token_type: 'bearer',
    expires_in: Math.round((expiresAtMs - now) / 1000),
    issued_token_type: `${TOKEN_TYPE}access_token`,
    scope: scopes.length > 0 ? scopes.join(' ') : (request.scope ?? 'catalog'),
  };
}

/** The asked-for scopes within the actor's; asking for none means all of them. */
function readScopes(actor: Actor, asked: string | undefined): string[] {
  const all = (asked ?? '').split(' ').filter((one) => one !== '');
  const narrowing = all.filter((one) => !NO_RESTRICTION.test(one));
  // Beside a scope that narrows, `catalog` is no habit any more: it is what is to be kept.
  const wanted = narrowing.length > 0 && all.includes('catalog') ? ['catalog', ...narrowing] : narrowing;
  const unknown = wanted.find((one) => !scopeSchema.safeParse(one).success);
  if (unknown !== undefined) throw oauthError('invalid_scope', `The scope ${unknown.slice(0, 100)} is not known here.`);
  const scopes = expandScopes(wanted.length > 0 ? wanted : actor.scopes);
  if (coversScopes(actor.scopes, scopes)) return scopes;
  throw oauthError('invalid_scope', `The client holds ${actor.scopes.join(' ')} and cannot be granted more.`);
}
