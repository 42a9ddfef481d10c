import { ROLES } from '@pangolin/shared/contract/roles';
import type { Settings, SettingsChange, UpdateSettings } from '@pangolin/shared/contract/settings';
import { PangolinError } from '@pangolin/shared/errors';
import { recordAudit } from '../audit/record.ts';
import type { Caller } from '../credentials/caller.ts';
import { refuseLockout } from '../credentials/networks.ts';
import { transactAs } from '../credentials/recheck-credential.ts';
import type { Deps } from '../deps.ts';
import { requirePermission, requireRankOf } from '../policies/permissions.ts';
import { findPrincipal } from '../principals/principals.ts';
import { listKeysRefusedBy } from '../service-users/refused-keys.ts';
import type { Executor } from '../store/schema.ts';
import { listTokensRefusedBy } from '../tokens/refused-tokens.ts';
import { applyChange } from './apply-change.ts';
import { DEFAULT_SETTINGS, isStricter } from './limits.ts';
import { findSettings, saveSettings } from './store.ts';

/** How often somebody else may get in between before this is given up. */
const MAX_ATTEMPTS = 3;

/** A tenant's limits, as they are now. */
export const readSettings = async (db: Executor, tenantId: string): Promise<Settings> =>
  (await findSettings(db, tenantId)) ?? DEFAULT_SETTINGS;

/**
 * Changes a tenant's limits; with `dryRun` only tells which tokens and keys the new ones would refuse. Those are looked for
 * before the transaction, a part at a time: there may be a million.
 */
export async function updateSettings(
  deps: Deps,
  caller: Caller,
  input: UpdateSettings,
  dryRun: boolean,
): Promise<SettingsChange> {
  requirePermission(caller.actor, 'settings:write');
  // Limits of a role end tokens and keys of whoever has it.
  for (const role of ROLES)
    if (input.role_limits?.[role] !== undefined)
      requireRankOf(caller.actor, role, `Whoever role_limits.${role} is for`);
  const { tenantId } = caller.actor;
  for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt += 1) {
    const before = await readSettings(deps.db.read, tenantId);
    const after = applyChange(before, input);
    if (input.allowed_networks !== undefined) await refuseOwnLockout(deps, caller, after.allowed_networks);
    const affected = await findRefused(deps, tenantId, before, after);
    if (dryRun || (await save(deps, caller, { before, after, affected })))
      return { ...after, before, dry_run: dryRun, ...affected };
  }
  throw new PangolinError('conflict', 'The settings are being changed by somebody else.', {
    hint: 'See what they are now: pangolin-admin get-settings',
  });
}

type Affected = Pick<SettingsChange, 'affected_count' | 'affected_tokens' | 'affected_key_count' | 'affected_keys'>;

async function findRefused(deps: Deps, tenantId: string, before: Settings, after: Settings): Promise<Affected> {
  const change = { before, after, nowMs: deps.now() };
  const nothing = { count: 0, listed: [] };
  const stricter = isStricter(after, before);
  const tokens = stricter ? await listTokensRefusedBy(deps, tenantId, change) : nothing;
  const keys = stricter ? await listKeysRefusedBy(deps, tenantId, change) : nothing;
  return {
    affected_count: tokens.count,
    affected_tokens: tokens.listed,
    affected_key_count: keys.count,
    affected_keys: keys.listed,
  };
}

/** Answers whether the settings were still what the change was worked out from. */
function save(
  deps: Deps,
  caller: Caller,
  { before, after, affected }: { before: Settings; after: Settings; affected: Affected },
): Promise<boolean> {
  const { tenantId } = caller.actor;
  return transactAs(deps, caller, async (tx) => {
    const now = await readSettings(tx, tenantId);
    if (JSON.stringify(now) !== JSON.stringify(before)) return false;
    await saveSettings(tx, tenantId, after);
    await recordAudit(tx, deps, caller, {
      action: 'settings.updated',
      resourceType: 'settings',
      resourceId: tenantId,
      details: {
        before,
        after,
        affected_tokens: affected.affected_count,
        affected_keys: affected.affected_key_count,
      },
    });
    return true;
  });
}

/** A tenant's list binds its own principals: root of another tenant, who acts in this one, is not locked out by it. */
async function refuseOwnLockout(deps: Deps, caller: Caller, networks: readonly string[]): Promise<void> {
  const self = await findPrincipal(deps.db.read, { id: caller.actor.id });
  if (self?.tenantId === caller.actor.tenantId) refuseLockout(deps, caller, networks);
}
