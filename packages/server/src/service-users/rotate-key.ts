import type { IssuedApiKey, RotateKey } from '@pangolin/shared/contract/service-users';
import { PangolinError } from '@pangolin/shared/errors';
import { recordAudit } from '../audit/record.ts';
import { createApiKey } from '../credentials/api-key.ts';
import type { Caller } from '../credentials/caller.ts';
import { transactAs } from '../credentials/recheck-credential.ts';
import type { Deps } from '../deps.ts';
import { requirePermission } from '../policies/permissions.ts';
import { requireReach } from '../policies/reach.ts';
import { limitsFor } from '../settings/limits.ts';
import { readSettings } from '../settings/settings.ts';
import { DAY_MS, formatOptionalTime, formatTime, HOUR_MS, wholeSecond } from '../times.ts';
import { readKeyExpiry } from './key-expiry.ts';
import { presentIssuedKey } from './present.ts';
import { checkReach, newKey, readServiceUser, toReached } from './service-users.ts';
import { insertKey, listKeys, revokeKeys, type ServiceUserRow, setKeyExpiry, updateServiceUserRow } from './store.ts';

/**
 * Replaces the key. Without grace every older key stops in the same commit; with it the current one lives on, never past
 * its own end. Of two rotations at once one is a conflict: it would end a key that somebody was just shown.
 */
export async function rotateKey(
  deps: Deps,
  caller: Caller,
  id: string,
  input: RotateKey & { grace_hours: number },
): Promise<IssuedApiKey> {
  const { actor } = caller;
  requirePermission(actor, 'service_users:write');
  const before = await readServiceUser(deps, caller, id);
  const expected = input.expected_key_id ?? (await listKeys(deps.db.read, [before.id]))[0]?.id;
  const key = createApiKey(deps.randomBytes);
  return transactAs(deps, caller, async (tx) => {
    const now = deps.now();
    const row = await readServiceUser(deps, caller, id, tx);
    await requireReach(tx, actor, toReached(row));
    const [current] = await listKeys(tx, [row.id]);
    if (current?.id !== expected) {
      throw new PangolinError('conflict', `The key of ${row.name} was rotated by somebody else just now.`, {
        hint: `See its keys: pangolin-admin get-service-user --id ${row.id}`,
      });
    }
    refuseDeadOnArrival(row, input.expires_in_days, now);
    if (input.grace_hours === 0) await revokeKeys(tx, row.id, now);
    else if (current) {
      // A new key may extend its service user: the old one keeps the end it had.
      const ends = [current.expires_at, row.expires_at, now + Math.round(input.grace_hours * HOUR_MS)];
      await setKeyExpiry(tx, current.id, Math.min(...ends.filter((end) => end !== null)));
    }
    const askedMs = input.expires_in_days === undefined ? null : wholeSecond(now) + input.expires_in_days * DAY_MS;
    const limits = limitsFor(row.role, await readSettings(tx, row.tenant_id));
    const expiry = readKeyExpiry({ askedMs, serviceUserEndMs: row.expires_at }, limits, now);
    const extended = row.expires_at !== null && askedMs !== null && askedMs > row.expires_at;
    if (extended) await updateServiceUserRow(tx, row.id, { expires_at: askedMs });
    // Later than every older key, so that the newest is always the current one.
    const createdAtMs = Math.max(now, (current?.created_at ?? 0) + 1);
    await insertKey(tx, newKey(caller, row, key, createdAtMs, expiry.ownMs));
    await recordAudit(tx, deps, caller, {
      action: 'service_user.key_rotated',
      resourceType: 'service_user',
      resourceId: row.id,
      resourceName: row.name,
      details: {
        key_id: key.id,
        old_key_id: current?.id ?? null,
        grace_hours: input.grace_hours,
        expires_at: formatOptionalTime(expiry.endMs),
      },
    });
    return presentIssuedKey(row, key, createdAtMs, expiry);
  });
}

function refuseDeadOnArrival(row: ServiceUserRow, expiresInDays: number | undefined, nowMs: number): void {
  if (row.active !== 1) {
    throw new PangolinError('conflict', `${row.name} is deactivated; a new key would not work.`, {
      hint: `Activate it first: pangolin-admin update-service-user --id ${row.id} --active true`,
    });
  }
  if (expiresInDays !== undefined) checkReach(nowMs + expiresInDays * DAY_MS);
  else if (row.expires_at !== null && row.expires_at <= nowMs) {
    throw new PangolinError(
      'conflict',
      `${row.name} expired at ${formatTime(row.expires_at)}; a new key would not work.`,
      {
        hint: `Say for how long: pangolin-admin rotate-service-user-key --id ${row.id} --expires-in-days 90`,
      },
    );
  }
}
