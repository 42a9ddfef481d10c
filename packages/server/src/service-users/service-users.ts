import { type Role, roleRank } from '@pangolin/shared/contract/roles';
import { coversScopes, expandScopes } from '@pangolin/shared/contract/scopes';
import type {
  CreateServiceUser,
  IssuedApiKey,
  ServiceUser,
  UpdateServiceUser,
} from '@pangolin/shared/contract/service-users';
import { PangolinError } from '@pangolin/shared/errors';
import { recordAudit } from '../audit/record.ts';
import { createApiKey } from '../credentials/api-key.ts';
import type { Caller } from '../credentials/caller.ts';
import { refuseLockout } from '../credentials/networks.ts';
import { transactAs } from '../credentials/recheck-credential.ts';
import type { Deps } from '../deps.ts';
import { removeGrantsTo } from '../policies/grants.ts';
import { requirePermission, requireRankOf } from '../policies/permissions.ts';
import { type Reached, requireReach } from '../policies/reach.ts';
import { endCredentials, endObtainedForOthers } from '../principals/principals.ts';
import { limitsFor } from '../settings/limits.ts';
import { readSettings } from '../settings/settings.ts';
import type { Executor } from '../store/schema.ts';
import { DAY_MS, formatOptionalTime, wholeSecond } from '../times.ts';
import { readKeyExpiry, refuseKeysBeyond } from './key-expiry.ts';
import { nameTaken, newServiceUser, storeServiceUser } from './new-service-user.ts';
import { presentIssuedKey, presentServiceUsers } from './present.ts';
import {
  deleteServiceUserRow,
  findServiceUser,
  findServiceUserByName,
  insertKey,
  listKeys,
  type ServiceUserChange,
  type ServiceUserRow,
  updateServiceUserRow,
} from './store.ts';

/** Creates a service user and its first key; only the key's hash is kept. */
export async function createServiceUser(
  deps: Deps,
  caller: Caller,
  input: CreateServiceUser & { role: Role },
): Promise<IssuedApiKey> {
  const { actor } = caller;
  requirePermission(actor, 'service_users:write');
  requireRankOf(actor, input.role, 'The service user');
  const scopes = expandScopes(input.scopes ?? actor.scopes);
  if (!coversScopes(actor.scopes, scopes))
    throw new PangolinError('insufficient_scope', 'A service user cannot have wider scopes than its creator.');
  const row = newServiceUser(deps, caller, deps.newId(), {
    name: input.name,
    description: input.description ?? null,
    role: input.role,
    scopes: JSON.stringify(scopes),
    expires_at: readExpiresAt(input, deps.now()),
    allowed_networks: JSON.stringify(input.allowed_networks ?? []),
  });
  const limits = limitsFor(input.role, await readSettings(deps.db.read, actor.tenantId));
  const asked = { askedMs: row.expires_at, serviceUserEndMs: row.expires_at };
  const expiry = readKeyExpiry(asked, limits, row.created_at);
  const key = createApiKey(deps.randomBytes);
  await storeServiceUser(deps, caller, row, async (tx) => {
    // An end that was asked for is the service user's: moving that moves the key's.
    const keyEndMs = row.expires_at === null ? expiry.ownMs : null;
    await insertKey(tx, newKey(caller, row, key, row.created_at, keyEndMs));
    return {
      scopes,
      expires_at: formatOptionalTime(row.expires_at),
      key_id: key.id,
      key_expires_at: formatOptionalTime(expiry.endMs),
      ...(row.allowed_networks === '[]' ? {} : { allowed_networks: input.allowed_networks }),
    };
  });
  return presentIssuedKey(row, key, row.created_at, expiry);
}

/** One service user of the tenant. */
export async function readServiceUser(
  deps: Deps,
  caller: Caller,
  id: string,
  db: Executor = deps.db.read,
): Promise<ServiceUserRow> {
  const row = await findServiceUser(db, caller.actor.tenantId, id.toLowerCase());
  if (row) return row;
  throw new PangolinError('not_found', 'There is no such service user.', {
    hint: 'See them: pangolin-admin list-service-users',
  });
}

/** Changes a service user; deactivating ends its keys and everything obtained with them, and reactivating revives none. */
export async function updateServiceUser(
  deps: Deps,
  caller: Caller,
  id: string,
  input: UpdateServiceUser & { role?: Role | undefined },
): Promise<ServiceUser> {
  const { actor } = caller;
  requirePermission(actor, 'service_users:write');
  return transactAs(deps, caller, async (tx) => {
    const row = await readServiceUser(deps, caller, id, tx);
    await requireReach(tx, actor, toReached(row));
    if (input.role !== undefined) requireRankOf(actor, input.role, 'The service user');
    if (
      input.name !== undefined &&
      input.name !== row.name &&
      (await findServiceUserByName(tx, row.tenant_id, input.name))
    )
      throw nameTaken(input.name);
    const change: ServiceUserChange = {};
    if (input.name !== undefined) change.name = input.name;
    if (input.description !== undefined) change.description = input.description;
    if (input.role !== undefined) change.role = input.role;
    if (input.active !== undefined) change.active = input.active ? 1 : 0;
    if (input.expires_at !== undefined)
      change.expires_at =
        input.expires_at === null ? null : readExpiresAt({ expires_at: input.expires_at }, deps.now());
    if (change.expires_at !== undefined) {
      const limits = limitsFor(input.role ?? row.role, await readSettings(tx, row.tenant_id));
      refuseKeysBeyond(await listKeys(tx, [row.id]), { id: row.id, endMs: change.expires_at }, limits);
    }
    if (input.allowed_networks !== undefined) {
      if (row.id === actor.id) refuseLockout(deps, caller, input.allowed_networks);
      change.allowed_networks = JSON.stringify(input.allowed_networks);
    }
    if (Object.keys(change).length > 0) await updateServiceUserRow(tx, row.id, { ...change, updated_at: deps.now() });
    if (input.role !== undefined && roleRank(input.role) < roleRank(row.role)) {
      await endObtainedForOthers(tx, row.id, { at: deps.now(), by: actor.id });
    }
    if (row.active === 1 && input.active === false)
      await endCredentials(tx, { id: row.id, kind: 'service_user' }, { at: deps.now(), by: actor.id });
    await recordAudit(tx, deps, caller, {
      action: 'service_user.updated',
      resourceType: 'service_user',
      resourceId: row.id,
      resourceName: input.name ?? row.name,
      details: { changed: { ...input } },
    });
    const [updated] = await presentServiceUsers(tx, [await readServiceUser(deps, caller, id, tx)], deps.now());
    if (!updated) throw new Error('a service user vanished inside its transaction');
    return updated;
  });
}

/** Deletes a service user; its keys and everything obtained with them stop. */
export async function deleteServiceUser(deps: Deps, caller: Caller, id: string): Promise<void> {
  requirePermission(caller.actor, 'service_accounts:write');
  await transactAs(deps, caller, async (tx) => {
    const row = await readServiceUser(deps, caller, id, tx);
    await requireReach(tx, caller.actor, toReached(row));
    await endCredentials(tx, { id: row.id, kind: 'service_user' }, { at: deps.now(), by: caller.actor.id });
    await removeGrantsTo(tx, toReached(row));
    await deleteServiceUserRow(tx, row.id);
    await recordAudit(tx, deps, caller, {
      action: 'service_user.deleted',
      resourceType: 'service_user',
      resourceId: row.id,
      resourceName: row.name,
    });
  });
}

/** A service user as somebody who can be taken over. */
export const toReached = ({ id, tenant_id, role, name }: ServiceUserRow): Reached => ({
  id,
  tenantId: tenant_id,
  role,
  name,
});

/** The row of a new key. */
export const newKey = (
  caller: Caller,
  row: { id: string; tenant_id: string; epoch: number },
  key: { id: string; hash: string },
  createdAtMs: number,
  expiresAtMs: number | null,
) => ({
  id: key.id,
  tenant_id: row.tenant_id,
  service_user_id: row.id,
  hash: key.hash,
  epoch: row.epoch,
  created_at: createdAtMs,
  created_by: caller.actor.name,
  expires_at: expiresAtMs,
  revoked_at: null,
  last_used_at: null,
  last_used_ip: null,
  last_used_client: null,
});

function readExpiresAt(input: Pick<CreateServiceUser, 'expires_in_days' | 'expires_at'>, nowMs: number): number | null {
  const { expires_in_days: days, expires_at: at } = input;
  if (days !== undefined && at !== undefined)
    throw new PangolinError('invalid_request', 'Give one of expires_in_days, expires_at, not both.');
  if (days !== undefined) return checkReach(wholeSecond(nowMs) + days * DAY_MS);
  if (at === undefined) return null;
  const atMs = wholeSecond(Date.parse(at));
  if (atMs > nowMs) return checkReach(atMs);
  throw new PangolinError('invalid_request', "The field 'expires_at' must be in the future.", {
    fields: [{ field: 'expires_at', message: 'must be in the future' }],
  });
}

/** Beyond the year 9999 a time has no RFC 3339 form. */
export function checkReach(ms: number): number {
  if (ms < Date.UTC(9999, 0)) return ms;
  throw new PangolinError('policy_refused', 'A service user cannot expire after the year 9998.', {
    hint: 'Leave the expiry out: then it does not expire by itself.',
  });
}
