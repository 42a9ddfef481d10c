import { type Role, roleRank } from '@pangolin/shared/contract/roles';
import type {
  CreatedUser,
  CreateUser,
  PasswordWasReset,
  ResetPassword,
  UpdateUser,
  User,
} from '@pangolin/shared/contract/users';
import { PangolinError } from '@pangolin/shared/errors';
import { recordAudit } from '../audit/record.ts';
import { encodeBase62 } from '../credentials/base62.ts';
import type { Caller } from '../credentials/caller.ts';
import { transactAs } from '../credentials/recheck-credential.ts';
import type { Deps } from '../deps.ts';
import { removeGrantsTo } from '../policies/grants.ts';
import { requirePermission, requireRankOf } from '../policies/permissions.ts';
import { type Reached, requireReach } from '../policies/reach.ts';
import { endCredentials, endObtainedForOthers } from '../principals/principals.ts';
import type { Executor } from '../store/schema.ts';
import { isDuplicate } from '../store/storage-errors.ts';
import { formatTime, wholeSecond } from '../times.ts';
import {
  deleteUserRow,
  findUser,
  findUserByName,
  insertUser,
  type UserChange,
  type UserRow,
  updateUserRow,
} from './store.ts';

/** 20 base62 characters: 119 bits. */
const GENERATED_PASSWORD_LENGTH = 20;

/** Creates a user; without a password one is generated and answered this once. */
export async function createUser(deps: Deps, caller: Caller, input: CreateUser & { role: Role }): Promise<CreatedUser> {
  const { actor } = caller;
  requirePermission(actor, 'users:write');
  requireRankOf(actor, input.role, 'The user');
  refuseServiceName(input.username);
  const password = input.password ?? generatePassword(deps);
  const row: UserRow = {
    id: deps.newId(),
    tenant_id: actor.tenantId,
    kind: 'user',
    username: input.username,
    email: input.email ?? null,
    role: input.role,
    password_hash: await deps.passwords.hash(password),
    active: 1,
    epoch: 1,
    epoch_raised_at: null,
    created_at: deps.now(),
    created_by: actor.name,
    last_login_at: null,
  };
  await transactAs(
    deps,
    caller,
    async (tx) => {
      if (await findUserByName(tx, row.tenant_id, row.username)) throw nameTaken(row.username);
      await insertUser(tx, row);
      await recordAudit(tx, deps, caller, {
        action: 'user.created',
        resourceType: 'user',
        resourceId: row.id,
        resourceName: row.username,
        details: { role: row.role, email: row.email },
      });
    },
    { credentials: 'unchanged' },
  ).catch((error) => {
    throw isDuplicate(error) ? nameTaken(row.username) : error;
  });
  return { ...presentUser(row), ...(input.password === undefined ? { password } : {}) };
}

/** DataHub's URNs know service users by such names. */
function refuseServiceName(username: string): void {
  if (!/^service_[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(username)) return;
  const message = 'must not be service_ and a UUID, by which service users are known';
  throw new PangolinError('invalid_request', `The field 'username' ${message}.`, {
    fields: [{ field: 'username', message }],
  });
}

/** One user of the tenant; the embedded owner is none. */
export async function readUser(deps: Deps, caller: Caller, id: string, db: Executor = deps.db.read): Promise<UserRow> {
  const row = await findUser(db, caller.actor.tenantId, id.toLowerCase());
  if (row) return row;
  throw new PangolinError('not_found', 'There is no such user.', { hint: 'See them: pangolin-admin list-users' });
}

/** Changes a user; deactivating ends every credential of theirs, and reactivating revives none. */
export async function updateUser(
  deps: Deps,
  caller: Caller,
  id: string,
  input: UpdateUser & { role?: Role | undefined },
): Promise<User> {
  const { actor } = caller;
  requirePermission(actor, 'users:write');
  if (input.username !== undefined) refuseServiceName(input.username);
  return transactAs(deps, caller, async (tx) => {
    const row = await readUser(deps, caller, id, tx);
    await requireReach(tx, actor, toReached(row));
    if (input.role !== undefined) requireRankOf(actor, input.role, 'The user');
    if (row.id === actor.id && input.active === false) throw oneself('deactivate');
    if (
      input.username !== undefined &&
      input.username !== row.username &&
      (await findUserByName(tx, row.tenant_id, input.username))
    ) {
      throw nameTaken(input.username);
    }
    const change: UserChange = {};
    if (input.username !== undefined) change.username = input.username;
    if (input.email !== undefined) change.email = input.email;
    if (input.role !== undefined) change.role = input.role;
    if (input.active !== undefined) change.active = input.active ? 1 : 0;
    if (Object.keys(change).length > 0) await updateUserRow(tx, row.id, change);
    if (input.role !== undefined && roleRank(input.role) < roleRank(row.role)) {
      await endObtainedForOthers(tx, row.id, { at: deps.now(), by: actor.id });
    }
    if (row.active === 1 && input.active === false)
      await endCredentials(tx, { id: row.id, kind: 'user' }, { at: deps.now(), by: actor.id });
    await recordAudit(tx, deps, caller, {
      action: 'user.updated',
      resourceType: 'user',
      resourceId: row.id,
      resourceName: input.username ?? row.username,
      details: { changed: { ...input } },
    });
    return presentUser(await readUser(deps, caller, id, tx));
  });
}

/** Deletes a user; every credential of theirs stops. */
export async function deleteUser(deps: Deps, caller: Caller, id: string): Promise<void> {
  requirePermission(caller.actor, 'users:write');
  await transactAs(deps, caller, async (tx) => {
    const row = await readUser(deps, caller, id, tx);
    await requireReach(tx, caller.actor, toReached(row));
    if (row.id === caller.actor.id) throw oneself('delete');
    await endCredentials(tx, { id: row.id, kind: 'user' }, { at: deps.now(), by: caller.actor.id });
    await removeGrantsTo(tx, toReached(row));
    await deleteUserRow(tx, row.id);
    await recordAudit(tx, deps, caller, {
      action: 'user.deleted',
      resourceType: 'user',
      resourceId: row.id,
      resourceName: row.username,
    });
  });
}

/** Sets a password, or generates one and answers it this once; every credential issued before stops. */
export async function resetPassword(
  deps: Deps,
  caller: Caller,
  id: string,
  input: ResetPassword,
): Promise<PasswordWasReset> {
  const { actor } = caller;
  requirePermission(actor, 'users:write');
  const user = await readUser(deps, caller, id);
  await requireReach(deps.db.read, actor, toReached(user));
  const password = input.password ?? generatePassword(deps);
  const passwordHash = await deps.passwords.hash(password);
  await transactAs(deps, caller, async (tx) => {
    const row = await readUser(deps, caller, id, tx);
    await requireReach(tx, actor, toReached(row));
    await updateUserRow(tx, row.id, { password_hash: passwordHash });
    await endCredentials(tx, { id: row.id, kind: 'user' }, { at: deps.now(), by: actor.id });
    await recordAudit(tx, deps, caller, {
      action: 'user.password_reset',
      resourceType: 'user',
      resourceId: row.id,
      resourceName: row.username,
    });
  });
  return { id: user.id, username: user.username, ...(input.password === undefined ? { password } : {}) };
}

/** Whom a username means at a login. */
export const findAccount = findUserByName;

/** Notes a login, unless the user was deactivated, deleted or given another password since `user` was read. */
export async function confirmLogin(tx: Executor, user: UserRow, nowMs: number): Promise<boolean> {
  const now = await findUser(tx, user.tenant_id, user.id);
  if (now?.active !== 1 || now.epoch !== user.epoch) return false;
  await updateUserRow(tx, user.id, { last_login_at: nowMs });
  return true;
}

export type { UserRow };

export const presentUser = (row: UserRow): User => ({
  id: row.id,
  username: row.username,
  email: row.email,
  role: row.role,
  tenant_id: row.tenant_id,
  active: row.active === 1,
  created_at: formatTime(wholeSecond(row.created_at)),
  created_by: row.created_by,
  last_login_at: row.last_login_at === null ? null : formatTime(wholeSecond(row.last_login_at)),
});

const toReached = ({ id, tenant_id, role, username }: UserRow): Reached => ({
  id,
  tenantId: tenant_id,
  role,
  name: username,
});

const generatePassword = (deps: Deps): string => encodeBase62(deps.randomBytes(32), GENERATED_PASSWORD_LENGTH);

const oneself = (what: string) =>
  new PangolinError('conflict', `You cannot ${what} yourself.`, {
    hint: 'Ask another administrator, or use pangolin-admin on the data directory.',
  });

const nameTaken = (username: string) =>
  new PangolinError('conflict', `There is a user named ${JSON.stringify(username)} already.`, {
    hint: 'Choose another name, or see it: pangolin-admin list-users',
  });
