import type { LoggedIn, Login } from '@pangolin/shared/contract/users';
import { PangolinError } from '@pangolin/shared/errors';
import { recordAudit } from '../audit/record.ts';
import type { Actor, Caller } from '../credentials/caller.ts';
import { requireLoginAddress } from '../credentials/networks.ts';
import { RefusedSubject, withSubject } from '../credentials/refused-subject.ts';
import type { Deps } from '../deps.ts';
import { readSettings } from '../settings/settings.ts';
import { readTenant, readTenantByName } from '../tenants/read-tenant.ts';
import { formatTime, HOUR_MS, wholeSecond } from '../times.ts';
import { type PreparedToken, prepareToken } from '../tokens/issue.ts';
import { confirmLogin, findAccount, type UserRow } from '../users/users.ts';

/**
 * Logs a user in with a password: a session token. An unknown tenant, an unknown name, a wrong password and a deactivated
 * user look the same.
 */
export async function logIn(deps: Deps, input: Login, origin: Caller['origin']): Promise<LoggedIn> {
  const { tenantId, isKnown } = await readTenantOf(deps, input);
  let user: UserRow | undefined;
  try {
    // Before the password is looked at, and whoever is named: the answer tells nothing about either.
    const { allowed_networks: networks } = await readSettings(deps.db.read, tenantId);
    requireLoginAddress(deps, networks, origin.address);
    const found = await findAccount(deps.db.read, tenantId, input.username);
    user = found;
    const account = JSON.stringify([tenantId, input.username]);
    const isRight = await deps.logins.attempt(account, origin.address, async () => {
      const matches = await deps.passwords.verify(found?.password_hash ?? null, input.password, origin.address);
      return matches && found?.active === 1;
    });
    if (!isRight || !found) throw loginFailed();
    return await openSession(deps, found, origin);
  } catch (error) {
    const principal = user ? { id: user.id, name: user.username } : null;
    throw withSubject(error, new RefusedSubject('login', { tenantId: isKnown ? tenantId : null, principal }));
  }
}

/** Where the user is looked for; where there is no such tenant, in one that has nobody, so that the same work is done. */
async function readTenantOf(
  deps: Deps,
  { tenant: name, tenant_id }: Login,
): Promise<{ tenantId: string; isKnown: boolean }> {
  const id = tenant_id?.toLowerCase();
  if (name !== undefined && name !== null && id !== undefined)
    throw new PangolinError('invalid_request', 'Give one of tenant, tenant_id, not both.');
  if (typeof name !== 'string' && id === undefined)
    return { tenantId: deps.installation.defaultTenantId, isKnown: true };
  const tenant =
    typeof name === 'string' ? await readTenantByName(deps.db.read, name) : await readTenant(deps.db.read, id ?? '');
  return { tenantId: tenant?.id ?? `no tenant ${name ?? id}`, isKnown: tenant !== undefined };
}

async function openSession(deps: Deps, user: UserRow, origin: Caller['origin']): Promise<LoggedIn> {
  const settings = await readSettings(deps.db.read, user.tenant_id);
  const expiresAtMs = wholeSecond(deps.now()) + settings.session_hours * HOUR_MS;
  const prepared = await prepareToken(deps, {
    kind: 'session',
    owner: { id: user.id, kind: 'user', name: user.username, epoch: user.epoch },
    actorId: user.id,
    tenantId: user.tenant_id,
    role: user.role,
    scopes: [],
    expiresAtMs,
    ownGrantsUntilMs: null,
    name: null,
    description: origin.client === null ? 'login' : `login from ${origin.client}`,
    parent: null,
  });
  await deps.db.transact(
    async (tx) => {
      // The password was checked against the row as it was: a reset in between ends this login too.
      const isSame = (await readTenant(tx, user.tenant_id)) && (await confirmLogin(tx, user, deps.now()));
      if (!isSame) throw loginFailed();
      await prepared.store(tx, user.epoch);
      await recordAudit(
        tx,
        deps,
        { actor: toActor(user, prepared), origin },
        {
          action: 'user.logged_in',
          resourceType: 'user',
          resourceId: user.id,
          resourceName: user.username,
          details: { token_id: prepared.row.id, expires_at: formatTime(expiresAtMs) },
        },
      );
    },
    { credentials: 'unchanged' },
  );
  const { id, username, email, role, tenant_id } = user;
  return {
    token: prepared.secret,
    expires_at: formatTime(expiresAtMs),
    user: { id, username, email, role, tenant_id },
  };
}

const toActor = (user: UserRow, { row }: PreparedToken): Actor => ({
  id: user.id,
  kind: 'user',
  name: user.username,
  email: user.email,
  tenantId: user.tenant_id,
  role: user.role,
  scopes: [],
  privileges: new Set(),
  allowedNetworks: [],
  epoch: user.epoch,
  credential: {
    type: 'session',
    id: row.id,
    createdAtMs: row.created_at,
    expiresAtMs: row.expires_at,
    endsAtMs: null,
    renewableUntilMs: null,
    ownGrantsUntilMs: null,
    root: { kind: 'token', id: row.id },
  },
});

const loginFailed = () =>
  new PangolinError('login_failed', 'Username or password is wrong.', {
    hint: 'If the password is lost, ask an administrator: pangolin-admin reset-password',
  });
