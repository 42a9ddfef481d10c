import type { Settings, SettingsChange } from '@pangolin/shared/contract/settings';
import type { Deps } from '../deps.ts';
import { countTokensBeyond, listTokensBeyond } from '../store/token-stretches.ts';
import { formatEnd } from '../times.ts';
import { standingBy } from './standing.ts';
import { walkTokens } from './stretches.ts';

/** At most so many are listed; all are counted. */
const MAX_LISTED = 1000;

/** The good tokens that other limits would refuse, newest first. */
export async function listTokensRefusedBy(
  deps: Pick<Deps, 'db' | 'authenticates'>,
  tenantId: string,
  change: { before: Settings; after: Settings; nowMs: number },
): Promise<{ count: number; listed: SettingsChange['affected_tokens'] }> {
  const judged = { now: () => change.nowMs, authenticates: deps.authenticates };
  const now = standingBy(change.before, judged);
  const then = standingBy(change.after, judged);
  const listed: SettingsChange['affected_tokens'] = [];
  let count = 0;
  for await (const stretch of walkTokens(deps.db.read, { tenantId })) {
    if (listed.length === MAX_LISTED) {
      count += await countTokensBeyond(deps.db.read, tenantId, stretch, now, then);
      continue;
    }
    const rows = await listTokensBeyond(deps.db.read, tenantId, stretch, now, then);
    count += rows.length;
    for (const row of rows.slice(0, MAX_LISTED - listed.length)) {
      listed.push({
        id: row.id,
        username: row.user_name ?? row.service_user_name ?? '(deleted)',
        name: row.name,
        expires_at: formatEnd(row.expires_at),
      });
    }
  }
  return { count, listed };
}
