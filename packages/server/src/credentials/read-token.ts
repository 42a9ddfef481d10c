import { PangolinError } from '@pangolin/shared/errors';
import { errors, type JWTPayload, jwtVerify } from 'jose';
import type { Deps } from '../deps.ts';

/** How far apart two clocks may be, in seconds. */
export const CLOCK_TOLERANCE_S = 60;

const MAX_TOKEN_LENGTH = 4096;

/** What a token's signature vouches for. */
export interface TokenClaims {
  jti: string;
  sub: string;
  tenantId: string;
  expiresAtMs: number;
}

/** Whether a secret has the outward shape of a JWT. */
export const looksLikeToken = (secret: string): boolean => secret.startsWith('eyJ');

/**
 * Checks a token by itself, without the database: canonical form, header, issuer, signature, times (RFC 8725, RFC 9068).
 * Everything that is cheap is checked before the one signature verification.
 * `acceptExpired` is for renewing an expired token with client authentication.
 * Throws `credential_malformed`, `token_signature_invalid`, `token_wrong_issuer`, `token_not_yet_valid`, `token_expired`.
 */
export async function readToken(
  deps: Deps,
  token: string,
  options: { acceptExpired?: boolean } = {},
): Promise<TokenClaims> {
  const { kid, issuer } = readUnverified(token);
  if (issuer !== deps.installation.issuer) {
    throw new PangolinError('token_wrong_issuer', 'The token was issued by another Pangolin installation.', {
      hint: 'Log in to this server, or use the server that issued the token.',
    });
  }
  const key = await deps.signingKeys.findVerificationKey(kid);
  if (!key) throw signatureInvalid();
  const now = deps.now();
  try {
    const { payload } = await jwtVerify(token, key, {
      algorithms: ['ES256'],
      typ: 'at+jwt',
      issuer: deps.installation.issuer,
      audience: deps.installation.issuer,
      requiredClaims: ['exp', 'iat', 'nbf', 'jti', 'sub'],
      clockTolerance: options.acceptExpired ? Number.MAX_SAFE_INTEGER : CLOCK_TOLERANCE_S,
      currentDate: new Date(now),
    });
    return readClaims(payload, now);
  } catch (error) {
    throw readJoseError(error);
  }
}

/** Everything that can be refused without a signature check. */
function readUnverified(token: string): { kid: string; issuer: unknown } {
  const parts = token.length <= MAX_TOKEN_LENGTH ? token.split('.') : [];
  const [header, payload] = parts;
  if (parts.length !== 3 || header === undefined || payload === undefined || !parts.every(isCanonical))
    throw malformed();
  const fields = readJson(header);
  if (fields.alg !== 'ES256' || fields.typ !== 'at+jwt' || typeof fields.kid !== 'string') throw signatureInvalid();
  return { kid: fields.kid, issuer: readJson(payload).iss };
}

/** Two spellings of one token would be two cache entries, and one revocation list short. */
const isCanonical = (part: string): boolean =>
  part !== '' && Buffer.from(part, 'base64url').toString('base64url') === part;

function readJson(part: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  } catch {
    // Not JSON: refused below like any other stranger's token.
  }
  throw malformed();
}

function readClaims(payload: JWTPayload, nowMs: number): TokenClaims {
  const { jti, sub, exp, iat, tenant_id: tenantId } = payload;
  if (typeof jti !== 'string' || typeof sub !== 'string' || typeof exp !== 'number' || typeof tenantId !== 'string')
    throw malformed();
  if (typeof iat === 'number' && iat * 1000 > nowMs + CLOCK_TOLERANCE_S * 1000) throw notYetValid();
  return { jti, sub, tenantId, expiresAtMs: exp * 1000 };
}

function readJoseError(error: unknown): unknown {
  if (error instanceof errors.JWTExpired) return tokenExpired();
  if (error instanceof errors.JWTClaimValidationFailed) {
    if (error.claim === 'nbf') return notYetValid();
    if (error.claim === 'iss' || error.claim === 'aud')
      return new PangolinError('token_wrong_issuer', 'The token was issued for another installation.');
    return malformed();
  }
  return error instanceof errors.JOSEError ? signatureInvalid() : error;
}

export const tokenExpired = () =>
  new PangolinError('token_expired', 'The token has expired.', { hint: 'Mint a new one: pangolin-user get-token' });
const notYetValid = () =>
  new PangolinError('token_not_yet_valid', 'The token is dated in the future.', {
    hint: 'Check the clocks of both machines.',
  });
const signatureInvalid = () =>
  new PangolinError('token_signature_invalid', 'The token was not signed by this installation.');
const malformed = () =>
  new PangolinError('credential_malformed', 'The credential is neither a Pangolin token nor an API key.', {
    hint: 'Mint a token: pangolin-user get-token',
  });
