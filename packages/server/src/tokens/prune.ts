import { ROLES, roleRank } from '@pangolin/shared/contract/roles';
import type { PrunedTokens, PruneTokens } from '@pangolin/shared/contract/tokens';
import { PangolinError } from '@pangolin/shared/errors';
import { recordAudit } from '../audit/record.ts';
import type { Caller } from '../credentials/caller.ts';
import { transactAs } from '../credentials/recheck-credential.ts';
import type { Deps } from '../deps.ts';
import { requirePermission } from '../policies/permissions.ts';
import { listLacking } from '../policies/reach.ts';
import { listUnusedTokens } from '../store/token-stretches.ts';
import { DAY_MS, formatEnd, formatOptionalTime, formatTime, wholeSecond } from '../times.ts';
import { readStanding } from './standing.ts';
import { pickUnused, revokeFamilies } from './store.ts';
import { walkTokens } from './stretches.ts';

const MAX_LISTED = 1000;

/** In one transaction: the write lock is held for some milliseconds. */
const BATCH = 100;

/** After so many tokens found, or stretches looked at, an answer says where to go on. */
const MAX_FOUND = 5000;
const MAX_STRETCHES = 200;

type Unused = Awaited<ReturnType<typeof listUnusedTokens>>[number];

/**
 * Revokes the tenant's tokens that nobody used for long, and what was obtained with them; never those of principals above
 * the caller, or with privileges that the caller lacks. Batches are committed and recorded one by one: what an interrupted call revoked stays revoked.
 */
export async function pruneTokens(
  deps: Deps,
  caller: Caller,
  input: PruneTokens & { dry_run: boolean },
): Promise<PrunedTokens> {
  const { actor } = caller;
  requirePermission(actor, 'tokens:manage');
  const sinceMs = readSince(input, deps.now());
  // Uses are written some seconds late; a token that was just used must not look forgotten.
  await deps.lastUsed.flush();
  const standing = await readStanding(deps.db.read, deps, actor.tenantId);
  const reach = { roles: ROLES.filter((role) => roleRank(role) <= roleRank(actor.role)), except: listLacking(actor) };
  const answer: PrunedTokens = {
    dry_run: input.dry_run,
    unused_since: formatTime(sinceMs),
    count: 0,
    revoked_count: 0,
    next_cursor: null,
    tokens: [],
  };
  let stretches = 0;
  const { tenantId } = actor;
  for await (const stretch of walkTokens(deps.db.read, { tenantId }, input.cursor?.toLowerCase())) {
    const found = await listUnusedTokens(deps.db.read, tenantId, stretch, standing, { sinceMs, ...reach });
    for (let at = 0; at < found.length; at += BATCH) {
      const batch = found.slice(at, at + BATCH);
      const ended = input.dry_run
        ? { ids: await pickUnused(deps.db.read, idsOf(batch), { sinceMs, nowMs: deps.now() }), revoked: 0 }
        : await revokeUnused(deps, caller, batch, sinceMs);
      answer.count += ended.ids.length;
      answer.revoked_count += ended.revoked;
      const picked = new Set(ended.ids);
      const listed = batch.filter(({ id }) => picked.has(id)).slice(0, MAX_LISTED - answer.tokens.length);
      answer.tokens.push(...listed.map(presentUnused));
    }
    stretches += 1;
    if (stretch.downToId === undefined) break;
    if (answer.count >= MAX_FOUND || stretches >= MAX_STRETCHES) return { ...answer, next_cursor: stretch.downToId };
  }
  return answer;
}

function revokeUnused(
  deps: Deps,
  caller: Caller,
  batch: readonly Unused[],
  sinceMs: number,
): Promise<{ ids: string[]; revoked: number }> {
  return transactAs(deps, caller, async (tx) => {
    const nowMs = deps.now();
    const ids = await pickUnused(tx, idsOf(batch), { sinceMs, nowMs });
    if (ids.length === 0) return { ids, revoked: 0 };
    const since = formatTime(sinceMs);
    const reason = `not used since ${since}`;
    const revoked = await revokeFamilies(tx, ids, { at: nowMs, by: caller.actor.id, reason });
    await recordAudit(tx, deps, caller, {
      action: 'tokens.pruned',
      resourceType: 'token',
      resourceId: null,
      details: { unused_since: since, count: ids.length, revoked_with_them: revoked - ids.length },
    });
    return { ids, revoked };
  });
}

function readSince({ unused_for_days: days, unused_since: since }: PruneTokens, nowMs: number): number {
  if ((days === undefined) === (since === undefined)) {
    const message = 'is needed, or unused_since, and only one of them';
    throw new PangolinError('invalid_request', `The field 'unused_for_days' ${message}.`, {
      fields: [{ field: 'unused_for_days', message }],
    });
  }
  const sinceMs = since === undefined ? wholeSecond(nowMs) - (days ?? 0) * DAY_MS : wholeSecond(Date.parse(since));
  // Nothing was used before 1970, and a time before the year 0 has no RFC 3339 form.
  if (sinceMs <= nowMs - DAY_MS) return Math.max(0, sinceMs);
  const message = 'must be at least a day ago';
  throw new PangolinError('invalid_request', `The field 'unused_since' ${message}.`, {
    fields: [{ field: 'unused_since', message }],
  });
}

const idsOf = (rows: readonly Unused[]): string[] => rows.map((row) => row.id);

const presentUnused = (row: Unused): PrunedTokens['tokens'][number] => ({
  id: row.id,
  kind: row.kind,
  name: row.name,
  description: row.description,
  username: row.user_name ?? row.service_user_name ?? '(deleted)',
  created_at: formatTime(row.created_at),
  expires_at: formatEnd(row.expires_at),
  last_used_at: formatOptionalTime(row.last_used_at === null ? null : wholeSecond(row.last_used_at)),
});
