import { hash } from 'node:crypto';
import { PangolinError } from '@pangolin/shared/errors';
import type { Deps } from '../deps.ts';
import { andThen, type MaybePromise } from '../maybe-promise.ts';
import { NEVER_MS } from '../times.ts';
import { isSameHash, looksLikeApiKey, readApiKeyId } from './api-key.ts';
import type { Actor } from './caller.ts';
import { judgeApiKey, judgeToken } from './judge.ts';
import { CLOCK_TOLERANCE_S, malformed, readToken, rereadClaims, type TokenClaims, tokenExpired } from './read-token.ts';
import { RefusedSubject, withSubject } from './refused-subject.ts';
import type { VerifiedCredential } from './verified-credentials.ts';

/**
 * Establishes who presents a token or an API key, or throws why not.
 * Answers at once, without a promise, for a credential that was verified before and cannot have changed since.
 * If the database cannot answer it throws 503: nobody is let through on a guess.
 */
export function verifyCredential(deps: Deps, secret: string): MaybePromise<Actor> {
  const generation = deps.db.credentialGeneration();
  if (typeof generation === 'number') return verifyAt(deps, secret, generation);
  return generation.then((confirmed) => verifyAt(deps, secret, confirmed));
}

function verifyAt(deps: Deps, secret: string, generation: number): MaybePromise<Actor> {
  const key = hash('sha256', secret);
  const known = deps.verified.get(key);
  const now = deps.now();
  if (known?.generation === generation && (known.claims === null || known.claims.signatureEndsAtMs > now)) {
    refuseExpired(known.actor, now);
    return known.actor;
  }
  return verifyAnew(deps, secret, key, known, generation);
}

function verifyAnew(
  deps: Deps,
  secret: string,
  key: string,
  known: VerifiedCredential | undefined,
  generation: number,
): MaybePromise<Actor> {
  const remember = (claims: TokenClaims | null) => (actor: Actor) => {
    refuseExpired(actor, deps.now());
    deps.verified.set(key, { actor, claims, generation });
    return actor;
  };
  if (looksLikeApiKey(secret)) return andThen(verifyApiKey(deps, secret, key), remember(null));
  const claims = known?.claims ? rereadClaims(deps, known.claims) : readToken(deps, secret);
  return andThen(claims, (read) => andThen(judgeClaims(deps, read), remember(read)));
}

/** Judges a token whose signature is known to be good by its row; no row, no entry. */
export function judgeClaims(deps: Deps, claims: TokenClaims): MaybePromise<Actor> {
  return andThen(deps.credentials.findTokenState(claims.jti), (state) => {
    if (!state) {
      throw new PangolinError('token_unknown', 'The token is not known here.', {
        hint: 'Mint a new one: pangolin-user get-token',
      });
    }
    if (state.tenant_id !== claims.tenantId || state.owner_id !== claims.sub) {
      throw new PangolinError('token_wrong_tenant', 'The token belongs to another tenant.');
    }
    if (claims.expiresAtMs === null && state.expires_at !== NEVER_MS) throw malformed();
    const { tenant_id: tenantId, kind, id, owner_id, user_name, service_user_name } = state;
    const principal = { id: owner_id, name: user_name ?? service_user_name };
    const subject = () => new RefusedSubject('credential', { tenantId, principal, credential: { type: kind, id } });
    return Object.freeze(judgeAs(subject, () => judgeToken(state, deps.now())));
  });
}

/** Verifies an API key: a wrong character is refused before the database is asked. */
function verifyApiKey(deps: Deps, secret: string, secretHash: string): MaybePromise<Actor> {
  const id = readApiKeyId(secret);
  return andThen(id === undefined ? undefined : deps.credentials.findApiKeyState(id), (state) => {
    if (!state || !isSameHash(secretHash, state.hash)) {
      throw new PangolinError('api_key_invalid', 'The API key is not valid.', {
        hint: 'Check that it was copied whole; if it is lost: pangolin-admin rotate-service-user-key',
      });
    }
    const { tenant_id: tenantId, service_user_id, name } = state;
    const principal = { id: service_user_id, name };
    const credential = { type: 'api_key', id: state.id };
    const subject = () => new RefusedSubject('credential', { tenantId, principal, credential });
    return Object.freeze(judgeAs(subject, () => judgeApiKey(state, deps.now())));
  });
}

/** Judges; a refusal knows whose the credential was. */
function judgeAs<T>(subject: () => RefusedSubject, judge: () => T): T {
  try {
    return judge();
  } catch (error) {
    throw withSubject(error, subject());
  }
}

/** A token is good a minute longer than it says, for clocks that differ; a key's end was set by this server's own clock. */
function refuseExpired(actor: Actor, nowMs: number): void {
  const { type, id, expiresAtMs, endsAtMs } = actor.credential;
  const hasEnded = endsAtMs !== null && endsAtMs <= nowMs;
  const hasExpired = type !== 'api_key' && expiresAtMs !== null && expiresAtMs + CLOCK_TOLERANCE_S * 1000 <= nowMs;
  if (!hasEnded && !hasExpired) return;
  const error = hasEnded
    ? new PangolinError(type === 'api_key' ? 'api_key_expired' : 'token_expired', 'The API key has expired.')
    : tokenExpired();
  const { tenantId, name } = actor;
  const principal = { id: actor.id, name };
  const credential = id === null ? null : { type, id };
  throw withSubject(error, new RefusedSubject('credential', { tenantId, principal, credential }));
}
