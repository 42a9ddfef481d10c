import { type Role, roleRank } from '@pangolin/shared/contract/roles';
import { coversScopes, expandScopes } from '@pangolin/shared/contract/scopes';
import type {
  CreateServiceUser,
  IssuedApiKey,
  RotateKey,
  ServiceUser,
  UpdateServiceUser,
} from '@pangolin/shared/contract/service-users';
import { PangolinError } from '@pangolin/shared/errors';
import { recordAudit } from '../audit/record.ts';
import { createApiKey, previewApiKey } from '../credentials/api-key.ts';
import type { Caller } from '../credentials/caller.ts';
import { transactAs } from '../credentials/recheck-credential.ts';
import type { Deps } from '../deps.ts';
import { requirePermission, requireRankOf } from '../policies/permissions.ts';
import { endCredentials, endObtainedForOthers } from '../principals/principals.ts';
import type { Executor } from '../store/schema.ts';
import { isDuplicate } from '../store/storage-errors.ts';
import { DAY_MS, formatOptionalTime, formatTime, HOUR_MS, wholeSecond } from '../times.ts';
import {
  type ApiKeyRow,
  deleteServiceUserRow,
  findServiceUser,
  findServiceUserByName,
  insertKey,
  insertServiceUser,
  listKeys,
  revokeKeys,
  type ServiceUserChange,
  type ServiceUserRow,
  setKeyExpiry,
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
  const row = {
    id: deps.newId(),
    tenant_id: actor.tenantId,
    name: input.name,
    description: input.description ?? null,
    role: input.role,
    scopes: JSON.stringify(scopes),
    active: 1,
    epoch: 1,
    epoch_raised_at: null,
    created_at: deps.now(),
    created_by: actor.name,
    expires_at: readExpiresAt(input, deps.now()),
    last_used_at: null,
    last_used_ip: null,
    last_used_client: null,
  };
  const key = createApiKey(deps.randomBytes);
  await transactAs(
    deps,
    caller,
    async (tx) => {
      if (await findServiceUserByName(tx, row.tenant_id, row.name)) throw nameTaken(row.name);
      await insertServiceUser(tx, row);
      await insertKey(tx, newKey(caller, row, key, deps.now(), null));
      await recordAudit(tx, deps, caller, {
        action: 'service_user.created',
        resourceType: 'service_user',
        resourceId: row.id,
        resourceName: row.name,
        details: { role: row.role, scopes, expires_at: formatOptionalTime(row.expires_at), key_id: key.id },
      });
    },
    { credentials: 'unchanged' },
  ).catch((error) => {
    throw isDuplicate(error) ? nameTaken(row.name) : error;
  });
  return presentIssuedKey(row, key, row.created_at, row.expires_at);
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
    requireRankOf(actor, row.role, row.name);
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
    if (Object.keys(change).length > 0) await updateServiceUserRow(tx, row.id, change);
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
  requirePermission(caller.actor, 'service_users:write');
  await transactAs(deps, caller, async (tx) => {
    const row = await readServiceUser(deps, caller, id, tx);
    requireRankOf(caller.actor, row.role, row.name);
    await endCredentials(tx, { id: row.id, kind: 'service_user' }, { at: deps.now(), by: caller.actor.id });
    await deleteServiceUserRow(tx, row.id);
    await recordAudit(tx, deps, caller, {
      action: 'service_user.deleted',
      resourceType: 'service_user',
      resourceId: row.id,
      resourceName: row.name,
    });
  });
}

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
    requireRankOf(actor, row.role, row.name);
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
    const expiresAtMs = input.expires_in_days === undefined ? null : wholeSecond(now) + input.expires_in_days * DAY_MS;
    const extended = row.expires_at !== null && expiresAtMs !== null && expiresAtMs > row.expires_at;
    if (extended) await updateServiceUserRow(tx, row.id, { expires_at: expiresAtMs });
    // Later than every older key, so that the newest is always the current one.
    const createdAtMs = Math.max(now, (current?.created_at ?? 0) + 1);
    await insertKey(tx, newKey(caller, row, key, createdAtMs, expiresAtMs));
    await recordAudit(tx, deps, caller, {
      action: 'service_user.key_rotated',
      resourceType: 'service_user',
      resourceId: row.id,
      resourceName: row.name,
      details: {
        key_id: key.id,
        old_key_id: current?.id ?? null,
        grace_hours: input.grace_hours,
        expires_at: formatOptionalTime(expiresAtMs),
      },
    });
    return presentIssuedKey(row, key, createdAtMs, expiresAtMs ?? row.expires_at);
  });
}

/** Service users with the keys that work now. */
export async function presentServiceUsers(
  db: Executor,
  rows: readonly ServiceUserRow[],
  nowMs: number,
): Promise<ServiceUser[]> {
  const keys = await listKeys(
    db,
    rows.map((row) => row.id),
  );
  return rows.map((row) => ({
    id: row.id,
    name: row.name,
    description: row.description,
    tenant_id: row.tenant_id,
    role: row.role,
    scopes: JSON.parse(row.scopes),
    active: row.active === 1,
    created_at: formatTime(wholeSecond(row.created_at)),
    created_by: row.created_by,
    expires_at: formatOptionalTime(row.expires_at),
    last_used: row.last_used_at === null ? null : formatTime(wholeSecond(row.last_used_at)),
    last_used_ip: row.last_used_ip,
    last_used_client: row.last_used_client,
    keys: keys
      .filter((key) => key.service_user_id === row.id && isWorking(key, row, nowMs))
      .map((key) => presentKey(key, row)),
  }));
}

const isWorking = (key: ApiKeyRow, row: ServiceUserRow, nowMs: number): boolean =>
  row.active === 1 &&
  key.epoch === row.epoch &&
  [key.expires_at, row.expires_at].every((end) => end === null || end > nowMs);

function presentKey(key: ApiKeyRow, row: ServiceUserRow) {
  const ends = [key.expires_at, row.expires_at].filter((end) => end !== null);
  return {
    id: key.id,
    preview: previewApiKey(key.id),
    created_at: formatTime(wholeSecond(key.created_at)),
    expires_at: ends.length === 0 ? null : formatTime(wholeSecond(Math.min(...ends))),
    last_used: key.last_used_at === null ? null : formatTime(wholeSecond(key.last_used_at)),
  };
}

const newKey = (
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

const presentIssuedKey = (
  row: Pick<ServiceUserRow, 'id' | 'name' | 'description' | 'tenant_id' | 'role' | 'scopes' | 'created_by' | 'active'>,
  key: { id: string; secret: string },
  createdAtMs: number,
  expiresAtMs: number | null,
): IssuedApiKey => ({
  id: row.id,
  name: row.name,
  description: row.description,
  tenant_id: row.tenant_id,
  role: row.role,
  scopes: JSON.parse(row.scopes),
  api_key: key.secret,
  key_id: key.id,
  created_at: formatTime(wholeSecond(createdAtMs)),
  created_by: row.created_by,
  expires_at: formatOptionalTime(expiresAtMs),
  active: row.active === 1,
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
function checkReach(ms: number): number {
  if (ms < Date.UTC(9999, 0)) return ms;
  throw new PangolinError('policy_refused', 'A service user cannot expire after the year 9998.', {
    hint: 'Leave the expiry out: then it does not expire by itself.',
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

const nameTaken = (name: string) =>
  new PangolinError('conflict', `There is a service user named ${JSON.stringify(name)} already.`, {
    hint: 'Choose another name, or give the existing one a new key: pangolin-admin rotate-service-user-key',
  });
