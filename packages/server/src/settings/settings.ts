import type { Settings, SettingsChange, UpdateSettings } from '@pangolin/shared/contract/settings';
import { PangolinError } from '@pangolin/shared/errors';
import { recordAudit } from '../audit/record.ts';
import type { Caller } from '../credentials/caller.ts';
import { transactAs } from '../credentials/recheck-credential.ts';
import type { Deps } from '../deps.ts';
import { requirePermission } from '../policies/permissions.ts';
import type { Executor } from '../store/schema.ts';
import { listTokensRefusedBy } from '../tokens/tokens.ts';
import { findSettings, saveSettings } from './store.ts';

/** What holds in a tenant that has never changed its settings. */
export const DEFAULT_SETTINGS: Settings = {
  default_token_days: 90,
  max_token_days: 365,
  max_tokens_per_user: null,
  session_hours: 12,
};

/** A tenant's limits, as they are now. */
export const readSettings = async (db: Executor, tenantId: string): Promise<Settings> =>
  (await findSettings(db, tenantId)) ?? DEFAULT_SETTINGS;

/** Changes a tenant's limits; with `dryRun` only tells which tokens the new ones would refuse. */
export async function updateSettings(
  deps: Deps,
  caller: Caller,
  input: UpdateSettings,
  dryRun: boolean,
): Promise<SettingsChange> {
  requirePermission(caller.actor, 'settings:write');
  const { tenantId } = caller.actor;
  return transactAs(deps, caller, async (tx) => {
    const before = await readSettings(tx, tenantId);
    const given = Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined));
    const after: Settings = { ...before, ...given };
    if (input.default_token_days !== undefined && after.default_token_days > after.max_token_days) {
      const message = `must not be above max_token_days (${after.max_token_days})`;
      throw new PangolinError('invalid_request', `The field 'default_token_days' ${message}.`, {
        fields: [{ field: 'default_token_days', message }],
      });
    }
    // A maximum that is lowered takes the default down with it.
    after.default_token_days = Math.min(after.default_token_days, after.max_token_days);
    const affected = await listTokensRefusedBy(tx, tenantId, { before, after, nowMs: deps.now() });
    if (!dryRun) {
      await saveSettings(tx, tenantId, after);
      await recordAudit(tx, deps, caller, {
        action: 'settings.updated',
        resourceType: 'settings',
        resourceId: tenantId,
        details: { before, after, affected_tokens: affected.count },
      });
    }
    return { ...after, dry_run: dryRun, affected_count: affected.count, affected_tokens: affected.tokens };
  });
}
