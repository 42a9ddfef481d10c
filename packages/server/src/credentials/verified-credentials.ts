import type { Actor } from './caller.ts';
import type { TokenClaims } from './read-token.ts';

/** What is remembered of a credential that was good: never a failure, never the credential itself. */
export interface VerifiedCredential {
  actor: Actor;
  /** Its signature stays good whatever happens to its row, for as long as its key does; null for API keys. */
  claims: TokenClaims | null;
  /** The state of the database it was judged in. */
  generation: number;
}

/** Bounded; keyed by SHA-256 of the whole credential. */
export interface VerifiedCredentials {
  get(key: string): VerifiedCredential | undefined;
  set(key: string, credential: VerifiedCredential): void;
}

const CAPACITY = 20_000;

/** Forgets the oldest entries first; reading does not renew, which keeps a hit at one map lookup. */
export function createVerifiedCredentials(capacity = CAPACITY): VerifiedCredentials {
  const entries = new Map<string, VerifiedCredential>();
  return {
    get: (key) => entries.get(key),
    set(key, credential) {
      if (entries.size >= capacity && !entries.has(key)) {
        const oldest = entries.keys().next();
        if (!oldest.done) entries.delete(oldest.value);
      }
      entries.set(key, credential);
    },
  };
}
