import { PangolinError } from '@pangolin/shared/errors';
import { looksLikeApiKey } from '../credentials/api-key.ts';
import type { Actor, Caller } from '../credentials/caller.ts';
import { judgeToken } from '../credentials/judge.ts';
import { readToken } from '../credentials/read-token.ts';
import type { Deps } from '../deps.ts';
import { revokePresentedToken } from '../tokens/tokens.ts';
import { oauthError } from './oauth-error.ts';

/**
 * RFC 7009: ends a token and everything obtained with it. Whoever holds a token may end it; a client that authenticates
 * may end its own. A token that is unknown or ended already is no error (§2.2).
 */
export async function revokeByValue(
  deps: Deps,
  client: Actor | undefined,
  secret: string,
  origin: Caller['origin'],
): Promise<void> {
  if (looksLikeApiKey(secret)) throw oauthError('unsupported_token_type', 'API keys are ended by rotation.');
  const actor = await readEnded(deps, secret, client ? null : origin.address);
  if (!actor) return;
  if (client && actor.id !== client.id) throw oauthError('invalid_grant', 'The token was not issued to this client.');
  await revokePresentedToken(deps, { actor, origin }, undefined);
}

/** What was never a token of ours counts as a failure of whoever has not said who they are. */
async function readEnded(deps: Deps, secret: string, address: string | null): Promise<Actor | undefined> {
  try {
    const claims = await deps.failedCredentials.judge(address, () => readToken(deps, secret, { acceptExpired: true }));
    const state = await deps.credentials.findTokenState(claims.jti);
    if (!state || state.tenant_id !== claims.tenantId || state.owner_id !== claims.sub) return undefined;
    return judgeToken({ ...state, ...WITHOUT_LIMITS }, deps.now());
  } catch (error) {
    if (error instanceof PangolinError && error.status === 401) return undefined;
    throw error;
  }
}

/** What refuses a token today and may be moved tomorrow: a revocation must outlast it. */
const WITHOUT_LIMITS = {
  max_token_days: Number.POSITIVE_INFINITY,
  session_hours: Number.POSITIVE_INFINITY,
  max_key_days: null,
  allow_non_expiring_tokens: 1,
  role_limits: null,
  service_user_expires_at: null,
  key_owner_expires_at: null,
} as const;
