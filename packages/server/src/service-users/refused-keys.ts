import type { Role } from '@pangolin/shared/contract/roles';
import type { Settings, SettingsChange } from '@pangolin/shared/contract/settings';
import { previewApiKey } from '../credentials/api-key.ts';
import type { Deps } from '../deps.ts';
import { limitsFor } from '../settings/limits.ts';
import { DAY_MS, earlier, formatOptionalTime, formatTime, wholeSecond } from '../times.ts';
import { listWorkingKeys } from './store.ts';

/** At most so many are listed; all are counted. */
const MAX_LISTED = 1000;

/** Service users in one query, after which other requests have their turn. */
const STRETCH = 1000;

/** The good keys that other limits would refuse, by the names of their service users. */
export async function listKeysRefusedBy(
  deps: Pick<Deps, 'db'>,
  tenantId: string,
  change: { before: Settings; after: Settings; nowMs: number },
): Promise<{ count: number; listed: SettingsChange['affected_keys'] }> {
  const listed: SettingsChange['affected_keys'] = [];
  let count = 0;
  let afterName: string | undefined;
  while (true) {
    const { keys, lastName } = await listWorkingKeys(
      deps.db.read,
      { tenantId, afterName, nowMs: change.nowMs },
      STRETCH,
    );
    for (const key of keys) {
      const endMs = earlier(key.expires_at, key.service_user_expires_at);
      const lifetime = endMs === null ? Number.POSITIVE_INFINITY : endMs - key.created_at;
      if (lifetime > maxMs(key.role, change.before) || lifetime <= maxMs(key.role, change.after)) continue;
      count += 1;
      if (listed.length >= MAX_LISTED) continue;
      listed.push({
        id: key.id,
        preview: previewApiKey(key.id),
        service_user_id: key.service_user_id,
        service_user_name: key.service_user_name,
        created_at: formatTime(wholeSecond(key.created_at)),
        expires_at: formatOptionalTime(endMs === null ? null : wholeSecond(endMs)),
      });
    }
    if (lastName === undefined) return { count, listed };
    afterName = lastName;
    await new Promise((turn) => setImmediate(turn));
  }
}

function maxMs(role: Role, settings: Settings): number {
  const days = limitsFor(role, settings).max_key_days;
  return days === null ? Number.POSITIVE_INFINITY : days * DAY_MS;
}
