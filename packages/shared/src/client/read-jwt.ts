/** The claims of a JWT that a client may look at; nothing here is verified. */
export interface JwtClaims {
  jti?: string;
  sub?: string;
  username?: string;
  tenant_id?: string;
  role?: string;
  /** Seconds since 1970. */
  exp?: number;
}

/** Reads the claims of a JWT without verifying it, for display and expiry alone; an empty object for anything else. */
export function readJwtClaims(token: string): JwtClaims {
  const payload = token.split('.')[1];
  if (payload === undefined) return {};
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'));
    if (claims === null || typeof claims !== 'object') return {};
    const known = new Map(Object.entries(claims).map(([name, value]) => [name.replaceAll('-', '_'), value]));
    const exp = known.get('exp');
    const result: JwtClaims = isTime(exp) ? { exp } : {};
    for (const name of ['jti', 'sub', 'username', 'tenant_id', 'role'] as const) {
      const value = known.get(name);
      if (typeof value === 'string') result[name] = value;
    }
    return result;
  } catch {
    return {};
  }
}

/** Whether a claim is a time that a Date can hold: at most 100 million days from 1970. */
const isTime = (claim: unknown): claim is number => typeof claim === 'number' && Math.abs(claim) <= 8_640_000_000_000;

/** When a JWT expires, in milliseconds since 1970; null when it does not say. */
export const readJwtExpiry = (token: string): number | null => {
  const { exp } = readJwtClaims(token);
  return exp === undefined ? null : exp * 1000;
};
