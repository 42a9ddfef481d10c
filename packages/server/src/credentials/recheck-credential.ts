import { PangolinError } from '@pangolin/shared/errors';
import type { Deps } from '../deps.ts';
import type { Executor } from '../store/schema.ts';
import type { Actor } from './caller.ts';
import { judgeApiKey, judgeToken } from './judge.ts';
import { findApiKeyStateIn, findTokenStateIn } from './store.ts';

/**
 * Judges the presented credential once more, inside the transaction that issues another with it: one that was ended in
 * between must leave no descendant behind. Throws as authentication does.
 */
export async function recheckCredential(tx: Executor, deps: Deps, { credential }: Actor): Promise<void> {
  if (credential.id === null) return;
  if (credential.type === 'api_key') {
    const state = await findApiKeyStateIn(tx, credential.id);
    if (!state) throw new PangolinError('api_key_revoked', 'The API key was rotated or revoked.');
    judgeApiKey(state, deps.now());
    return;
  }
  const state = await findTokenStateIn(tx, credential.id);
  if (!state) throw new PangolinError('token_unknown', 'The token is not known here.');
  judgeToken(state, deps.now());
}
