import type { Token } from '@pangolin/shared/contract/tokens';
import { formatEnd, formatOptionalTime, formatTime, wholeSecond } from '../times.ts';
import type { TokenRow } from './store.ts';

/** A token as it is listed: everything but the token. */
export const presentToken = (row: TokenRow): Token => ({
  id: row.id,
  token_id: row.id,
  kind: row.kind,
  name: row.name,
  description: row.description,
  user_id: row.owner_id,
  username: row.user_name ?? row.service_user_name ?? '(deleted)',
  role: row.role,
  tenant_id: row.tenant_id,
  scopes: JSON.parse(row.scopes),
  created_at: formatTime(row.created_at),
  created_by_id: row.actor_id,
  created_by: row.unauthenticated_as ?? row.actor_user_name ?? row.actor_service_user_name,
  expires_at: formatEnd(row.expires_at),
  last_used_at: row.last_used_at === null ? null : formatTime(wholeSecond(row.last_used_at)),
  last_used_ip: row.last_used_ip,
  last_used_client: row.last_used_client,
  is_valid: row.status === 'valid',
  ...presentRevocation(row),
});

/** A token may have ended by itself, by the key it came from, with all of its owner's, or by a lowered limit. */
function presentRevocation(row: TokenRow): Pick<Token, 'revoked_at' | 'revoked_reason'> {
  if (row.revoked_at !== null) return { revoked_at: formatTime(row.revoked_at), revoked_reason: row.revoked_reason };
  if (row.status !== 'revoked') return { revoked_at: null, revoked_reason: null };
  if (row.refused_maker !== null) {
    return { revoked_at: null, revoked_reason: 'it was made by a server without authentication' };
  }
  if (row.owner_epoch !== row.epoch) {
    return {
      revoked_at: formatOptionalTime(row.owner_epoch_raised_at),
      revoked_reason: 'everything issued to its owner was revoked',
    };
  }
  if (row.key_revoked_at !== null) {
    return {
      revoked_at: formatTime(row.key_revoked_at),
      revoked_reason: 'the API key it was obtained with was rotated or revoked',
    };
  }
  return { revoked_at: null, revoked_reason: 'its owner, its key or the policy no longer allows it' };
}
