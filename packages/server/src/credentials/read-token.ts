import { PangolinError } from '@pangolin/shared/errors';
import type { Deps } from '../deps.ts';
import { andThen, type MaybePromise } from '../maybe-promise.ts';
import { isSigned } from '../signing-keys/is-signed.ts';
import { RefusedSubject, withSubject } from './refused-subject.ts';

/** How far apart two clocks may be, in seconds. */
export const CLOCK_TOLERANCE_S = 60;

/** In characters; a longer one is neither issued nor read. */
export const MAX_TOKEN_LENGTH = 4096;

/** R and S, RFC 7518 §3.4. */
const ES256_SIGNATURE_BYTES = 64;

/** Whom a token of a server without authentication is for: nobody, not even who reads tokens without asking a server. */
export const audienceWithoutAuthentication = (issuer: string): string => `${issuer}:unauthenticated`;

/** What a token's signature vouches for. */
export interface TokenClaims {
  jti: string;
  sub: string;
  tenantId: string;
  /** Null: it carries none. */
  expiresAtMs: number | null;
  /** The key that signed it, and until when that verifies anything; Infinity for as long as it signs. */
  kid: string;
  signatureEndsAtMs: number;
}

/**
 * Checks a token by itself, without the database: canonical form, header, issuer, signature, times (RFC 8725, RFC 9068).
 * Everything that is cheap is checked before the one signature verification.
 * `acceptExpired` is for renewing an expired token with client authentication.
 * Throws `credential_malformed`, `token_signature_invalid`, `token_wrong_issuer`, `token_not_yet_valid`, `token_expired`.
 */
export function readToken(
  deps: Deps,
  token: string,
  options: { acceptExpired?: boolean } = {},
): MaybePromise<TokenClaims> {
  const { signed, signature, kid, payload } = readUnverified(token);
  if (payload.iss !== deps.installation.issuer) {
    throw new PangolinError('token_wrong_issuer', 'The token was issued by another Pangolin installation.', {
      hint: 'Log in to this server, or use the server that issued the token.',
    });
  }
  return andThen(deps.signingKeys.findVerificationKey(kid), async (found) => {
    if (!found) throw unverifiable(payload.exp, deps.now());
    if (!(await isSigned(signed, found.key, signature))) throw signatureInvalid();
    const claims = readClaims(payload, deps, options.acceptExpired ?? false);
    return { ...claims, kid, signatureEndsAtMs: found.endsAtMs };
  });
}

/** Claims whose signature was good before: that stays so for as long as its key verifies anything. */
export const rereadClaims = (deps: Deps, claims: TokenClaims): MaybePromise<TokenClaims> =>
  andThen(deps.signingKeys.findVerificationKey(claims.kid), (found) => {
    if (!found) throw unverifiable((claims.expiresAtMs ?? Number.POSITIVE_INFINITY) / 1000, deps.now());
    return found.endsAtMs === claims.signatureEndsAtMs ? claims : { ...claims, signatureEndsAtMs: found.endsAtMs };
  });

/** A retired key outlives every token it signed: whoever still has one is told what happened to it. */
const unverifiable = (exp: unknown, nowMs: number) =>
  typeof exp === 'number' && exp + CLOCK_TOLERANCE_S <= nowMs / 1000 ? tokenExpired() : signatureInvalid();

interface Unverified {
  /** What the signature is over, RFC 7515 §5.1. */
  signed: Buffer;
  signature: Buffer;
  kid: string;
  payload: Record<string, unknown>;
}

/** Everything that can be refused without a signature check. */
function readUnverified(token: string): Unverified {
  const [header, payload, signature, ...more] = token.length <= MAX_TOKEN_LENGTH ? token.split('.') : [];
  if (header === undefined || payload === undefined || signature === undefined || more.length > 0) throw malformed();
  const fields = readJson(readCanonical(header));
  // No header of ours has more members, so none can ask for a treatment we do not know (`crit`, RFC 7515 §4.1.11).
  const isOurs = fields.alg === 'ES256' && fields.typ === 'at+jwt' && Object.keys(fields).length === 3;
  const bytes = readCanonical(signature);
  if (!isOurs || typeof fields.kid !== 'string' || bytes.length !== ES256_SIGNATURE_BYTES) throw signatureInvalid();
  return {
    signed: Buffer.from(token.slice(0, header.length + 1 + payload.length), 'latin1'),
    signature: bytes,
    kid: fields.kid,
    payload: readJson(readCanonical(payload)),
  };
}

/** Two spellings of one token would be two credentials to the cache. */
function readCanonical(part: string): Buffer {
  const bytes = Buffer.from(part, 'base64url');
  if (bytes.length === 0 || bytes.toString('base64url') !== part) throw malformed();
  return bytes;
}

function readJson(bytes: Buffer): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'));
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  } catch {
    // Not JSON: refused below like any other stranger's token.
  }
  throw malformed();
}

/** Judges what the signature vouches for: audience and times (RFC 7519 §4.1), `iat` in the future among them. */
function readClaims(payload: Record<string, unknown>, deps: Deps, acceptExpired: boolean) {
  const { aud, jti, sub, exp, iat, nbf, tenant_id: tenantId } = payload;
  const { issuer } = deps.installation;
  // The row of a token made without authentication says so too: whoever only wants to know which it is finds it by that.
  if (aud !== issuer && aud !== audienceWithoutAuthentication(issuer))
    throw new PangolinError('token_wrong_issuer', 'The token was issued for another installation.');
  const isWhole = typeof jti === 'string' && typeof sub === 'string' && typeof tenantId === 'string';
  // A token that never expires has no `exp`; whether it may is the policy's to say, when its row is judged.
  if (!isWhole || (exp !== undefined && typeof exp !== 'number') || typeof iat !== 'number' || typeof nbf !== 'number')
    throw malformed();
  const nowS = deps.now() / 1000;
  if (nbf > nowS + CLOCK_TOLERANCE_S || iat > nowS + CLOCK_TOLERANCE_S) throw notYetValid();
  if (!acceptExpired && exp !== undefined && exp + CLOCK_TOLERANCE_S <= nowS) {
    const credential = { type: 'token', id: jti };
    throw withSubject(
      tokenExpired(),
      new RefusedSubject('credential', { tenantId, principal: { id: sub, name: null }, credential }),
    );
  }
  return { jti, sub, tenantId, expiresAtMs: exp === undefined ? null : exp * 1000 };
}

export const tokenExpired = () =>
  new PangolinError('token_expired', 'The token has expired.', { hint: 'Mint a new one: pangolin-user get-token' });
const notYetValid = () =>
  new PangolinError('token_not_yet_valid', 'The token is dated in the future.', {
    hint: 'Check the clocks of both machines.',
  });
const signatureInvalid = () =>
  new PangolinError('token_signature_invalid', 'The token was not signed by this installation.');
export const malformed = () =>
  new PangolinError('credential_malformed', 'The credential is neither a Pangolin token nor an API key.', {
    hint: 'Mint a token: pangolin-user get-token',
  });
