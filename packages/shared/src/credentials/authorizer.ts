import type { ConnectOptions } from '../client/connect-types.ts';
import { headersOf, type ObtainedSecret } from './obtained-secret.ts';
import type { ResolvedCredential } from './resolve-credential.ts';
import { readSecretText } from './secret-text.ts';

const RENEW_BEFORE_MS = 60_000;

/** Presents a credential with every request. */
export interface CredentialAuthorizer {
  /** The headers of one request. */
  authorize(): Promise<Record<string, string>>;
  /** The secret that was made for this client alone, if there is one: to be revoked before it closes. */
  temporary(): ObtainedSecret | null;
}

/**
 * Obtains a secret when it is first needed, and another a minute before it expires. A token that `obtainAccessToken`
 * answers goes before everything else.
 */
export function createAuthorizer(
  { obtain }: ResolvedCredential,
  now: () => number,
  obtainAccessToken: ConnectOptions['obtainAccessToken'],
): CredentialAuthorizer {
  let current: ObtainedSecret | null = null;
  let pending: Promise<ObtainedSecret> | undefined;

  async function renew(obtainSecret: () => Promise<ObtainedSecret>): Promise<ObtainedSecret> {
    pending ??= obtainSecret().finally(() => {
      pending = undefined;
    });
    current = await pending;
    return current;
  }

  return {
    async authorize() {
      const token = await obtainAccessToken?.();
      if (token !== undefined)
        return headersOf({ kind: 'bearer', secret: readSecretText(token, 'The access token'), expiresAtMs: null });
      if (obtain === null) return {};
      const isFresh =
        current !== null && (current.expiresAtMs === null || current.expiresAtMs - now() > RENEW_BEFORE_MS);
      return headersOf(current !== null && isFresh ? current : await renew(obtain));
    },
    temporary: () => (current?.revokeOnClose ? current : null),
  };
}
