import { PangolinError } from '@pangolin/shared/errors';
import { looksLikeApiKey } from '../credentials/api-key.ts';
import type { Actor, Caller } from '../credentials/caller.ts';
import { readToken } from '../credentials/read-token.ts';
import { judgeClaims } from '../credentials/verify-credential.ts';
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
  const actor = await readEnded(deps, secret);
  if (!actor) return;
  if (client && actor.id !== client.id) throw oauthError('invalid_grant', 'The token was not issued to this client.');
  await revokePresentedToken(deps, { actor, origin }, undefined);
}

async function readEnded(deps: Deps, secret: string): Promise<Actor | undefined> {
  try {
    return await judgeClaims(deps, await readToken(deps, secret, { acceptExpired: true }));
  } catch (error) {
    if (error instanceof PangolinError && error.status === 401) return undefined;
    throw error;
  }
}
