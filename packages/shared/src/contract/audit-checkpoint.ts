import type { AuditCheckpoint } from './audit.ts';

/** The `typ` of a checkpoint's JWS: no token has it, and what has it is no token (RFC 8725 §3.11). */
export const CHECKPOINT_TYP = 'pangolin-checkpoint+jwt';

/** What a checkpoint's signature is over. */
export type CheckpointClaims = Omit<AuditCheckpoint, 'kid' | 'signature'>;

/** A checkpoint's JWS in its parts, with nothing known yet of whose signature it is. */
export interface UnverifiedCheckpoint {
  kid: string;
  claims: CheckpointClaims;
  /** What the signature is over (RFC 7515 §5.1), ASCII. */
  signed: string;
  /** R and S (RFC 7518 §3.4). */
  signature: Uint8Array;
}

const CLAIMS = ['chain', 'hash', 'iss', 'seq', 'time'] as const;
const ES256_SIGNATURE_BYTES = 64;
const MAX_LENGTH = 4096;

/** Takes the compact JWS of a checkpoint apart, or answers what is wrong with it, to follow "the signature …". */
export function readCheckpoint(jws: string): UnverifiedCheckpoint | string {
  const [header, payload, signature, ...more] = jws.length <= MAX_LENGTH ? jws.split('.') : [];
  if (header === undefined || payload === undefined || signature === undefined || more.length > 0)
    return 'is no compact JWS';
  const fields = readObject(header);
  const claims = readObject(payload);
  const bytes = readBase64Url(signature);
  if (!fields || !claims || bytes?.length !== ES256_SIGNATURE_BYTES) return 'is no compact JWS';
  const { alg, typ, kid } = fields;
  if (alg !== 'ES256' || Object.keys(fields).length !== 3) return 'is not made with ES256';
  if (typ !== CHECKPOINT_TYP || typeof kid !== 'string') return `is not that of a checkpoint (typ ${CHECKPOINT_TYP})`;
  if (!isClaims(claims)) return 'does not say what a checkpoint says';
  return { kid, claims, signed: `${header}.${payload}`, signature: bytes };
}

/** The first field in which two tellings of a checkpoint differ, or undefined where they are the same. */
export const findDifference = (told: CheckpointClaims, signed: CheckpointClaims): string | undefined =>
  CLAIMS.find((name) => told[name] !== signed[name]);

function isClaims(claims: Record<string, unknown>): claims is Record<string, unknown> & CheckpointClaims {
  const { chain, hash, iss, seq, time } = claims;
  return (
    [chain, iss, time].every((claim) => typeof claim === 'string') &&
    typeof hash === 'string' &&
    /^[0-9a-f]{64}$/.test(hash) &&
    Number.isSafeInteger(seq) &&
    (seq as number) >= 0 &&
    Object.keys(claims).length === CLAIMS.length
  );
}

function readObject(part: string): Record<string, unknown> | undefined {
  const bytes = readBase64Url(part);
  if (!bytes) return undefined;
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

/** RFC 7515 §2; only the one spelling that encoding gives, so that no two texts are the same signature. */
function readBase64Url(part: string): Uint8Array | undefined {
  try {
    const binary = atob(part.replaceAll('-', '+').replaceAll('_', '/'));
    const spelled = btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
    return spelled === part ? Uint8Array.from(binary, (character) => character.charCodeAt(0)) : undefined;
  } catch {
    return undefined;
  }
}
