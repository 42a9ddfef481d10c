/** The two databases of a restore, by the names SQLite knows them by: what is there now, and the copy of the backup. */
export interface Sides {
  live: string;
  copy: string;
}

/**
 * What the live database knows happened to credentials since the backup, put into the copy: what was revoked stays revoked,
 * whoever was deactivated stays so, an epoch is never lower than it was, and the signing keys are the live ones; of the
 * backup's only public parts are taken besides, so that what they signed can still be verified. Statements of SQL.
 */
export const learnFromLive = ({ live, copy }: Sides, nowMs: number): string[] => [
  `update ${copy}.users as b set
    active = min(b.active, c.active),
    epoch = max(b.epoch, c.epoch),
    epoch_raised_at = iif(c.epoch > b.epoch, c.epoch_raised_at, b.epoch_raised_at),
    last_login_at = ${later('b.last_login_at', 'c.last_login_at')}
    from ${live}.users as c where c.id = b.id`,
  `update ${copy}.service_users as b set
    active = min(b.active, c.active),
    epoch = max(b.epoch, c.epoch),
    epoch_raised_at = iif(c.epoch > b.epoch, c.epoch_raised_at, b.epoch_raised_at),
    last_used_at = c.last_used_at, last_used_ip = c.last_used_ip, last_used_client = c.last_used_client
    from ${live}.service_users as c where c.id = b.id`,
  `update ${copy}.api_keys as b set
    revoked_at = coalesce(c.revoked_at, b.revoked_at),
    last_used_at = c.last_used_at, last_used_ip = c.last_used_ip, last_used_client = c.last_used_client
    from ${live}.api_keys as c where c.id = b.id`,
  `update ${copy}.tokens as b set
    revoked_at = coalesce(c.revoked_at, b.revoked_at),
    revoked_by = iif(c.revoked_at is null, b.revoked_by, c.revoked_by),
    revoked_reason = iif(c.revoked_at is null, b.revoked_reason, c.revoked_reason),
    rotated_to = coalesce(c.rotated_to, b.rotated_to),
    last_used_at = c.last_used_at, last_used_ip = c.last_used_ip, last_used_client = c.last_used_client
    from ${live}.tokens as c where c.id = b.id`,
  `delete from ${copy}.signing_keys where kid in (select kid from ${live}.signing_keys)`,
  `update ${copy}.signing_keys set state = 'retired', private_key = '',
    retired_at = coalesce(retired_at, ${nowMs}),
    verify_until = coalesce(verify_until, (select max(expires_at) from ${copy}.tokens), ${nowMs})`,
  `insert into ${copy}.signing_keys select * from ${live}.signing_keys`,
];

/** Ends every credential of the copy: tokens, keys, and passwords, which must be reset. Roles and limits are the backup's. */
export const endCredentials = ({ copy }: Sides, nowMs: number): string[] => [
  `update ${copy}.users set epoch = epoch + 1, epoch_raised_at = ${nowMs}, password_hash = null`,
  `update ${copy}.service_users set epoch = epoch + 1, epoch_raised_at = ${nowMs}`,
  `update ${copy}.api_keys set revoked_at = ${nowMs} where revoked_at is null`,
  `update ${copy}.tokens set ${revoked(nowMs)} where revoked_at is null`,
];

/**
 * Leaves of the copy's credentials those that are good in the live database too, and lets none do more than it could there:
 * what the live database does not know was pruned, deleted or is none of its own, and what was changed since was changed
 * for a reason. Call after `learnFromLive`.
 */
export const narrowCredentials = ({ live, copy }: Sides, nowMs: number): string[] => [
  // Who was deleted since comes back, and can do nothing until an administrator says so.
  ...['users', 'service_users'].map(
    (table) => `update ${copy}.${table} set active = 0, epoch = epoch + 1, epoch_raised_at = ${nowMs}
      where id not in (select id from ${live}.${table}) or ${isOfDeletedTenant(live)}`,
  ),
  `update ${copy}.users as b set password_hash = null where ${isOfDeletedTenant(live)} or not exists
    (select 1 from ${live}.users as c where c.id = b.id and c.password_hash = b.password_hash)`,
  `update ${copy}.users as b set role = ${lowerRole('b.role', 'c.role')} from ${live}.users as c where c.id = b.id`,
  `update ${copy}.service_users as b set
    role = ${lowerRole('b.role', 'c.role')},
    scopes = ${narrowerList('b.scopes', 'c.scopes')},
    allowed_networks = ${narrowerList('b.allowed_networks', 'c.allowed_networks')},
    expires_at = ${lower('b.expires_at', 'c.expires_at')}
    from ${live}.service_users as c where c.id = b.id`,
  `update ${copy}.api_keys as b set revoked_at = ${nowMs} where revoked_at is null and (${isOfDeletedTenant(live)} or not exists
    (select 1 from ${live}.api_keys as c where ${same(API_KEY_IS_THE_SAME)}))`,
  `update ${copy}.api_keys as b set expires_at = ${lower('b.expires_at', 'c.expires_at')}
    from ${live}.api_keys as c where c.id = b.id`,
  `update ${copy}.tokens as b set ${revoked(nowMs)} where revoked_at is null and (${isOfDeletedTenant(live)} or not exists
    (select 1 from ${live}.tokens as c where ${same(TOKEN_IS_THE_SAME)}))`,
  `update ${copy}.tokens as b set expires_at = min(b.expires_at, c.expires_at),
    renewable_until = ${lower('b.renewable_until', 'c.renewable_until')},
    own_grants_until = ${lower('b.own_grants_until', 'c.own_grants_until')}
    from ${live}.tokens as c where c.id = b.id`,
  // A tenant that was deleted since has nobody left who could use its grants.
  `delete from ${copy}.grants as b where tenant_id in (select id from ${live}.tenants) and not exists
    (select 1 from ${live}.grants as c where ${same(GRANT_IS_THE_SAME)})`,
  // One that was taken and granted again is not what older tokens carry.
  `update ${copy}.grants as b set created_at = max(b.created_at, c.created_at) from ${live}.grants as c
    where ${same(GRANT_IS_THE_SAME)}`,
  // Without a row the defaults hold, which a tenant leaves once and for all.
  `delete from ${copy}.settings where tenant_id in (select id from ${live}.tenants)
    and tenant_id not in (select tenant_id from ${live}.settings)`,
  `update ${copy}.settings as b set
    ${LIMITS.map((limit) => `${limit} = ${lower(`b.${limit}`, `c.${limit}`)}`).join(', ')},
    role_limits = c.role_limits,
    allowed_token_durations = c.allowed_token_durations,
    allowed_networks = ${narrowerList('b.allowed_networks', 'c.allowed_networks')}
    from ${live}.settings as c where c.tenant_id = b.tenant_id`,
  `insert or ignore into ${copy}.settings select * from ${live}.settings
    where tenant_id in (select id from ${copy}.tenants)`,
];

/** Columns of settings in which less is narrower; null is no limit. */
const LIMITS = [
  'default_token_days',
  'max_token_days',
  'max_tokens_per_user',
  'session_hours',
  'default_key_days',
  'max_key_days',
  'allow_non_expiring_tokens',
] as const;

const GRANT_IS_THE_SAME = ['tenant_id', 'grantee_kind', 'grantee_id', 'privilege'] as const;

/** What nobody changes of a key or a token once it is issued. */
const API_KEY_IS_THE_SAME = ['id', 'tenant_id', 'service_user_id', 'hash', 'epoch'] as const;
const TOKEN_IS_THE_SAME = [
  'id',
  'tenant_id',
  'kind',
  'owner_kind',
  'owner_id',
  'actor_id',
  'epoch',
  'role',
  'scopes',
  'created_at',
  'parent_id',
  'root_kind',
  'root_id',
] as const;

/** Of a tenant that was deleted since: a server may not have come to removing its rows yet. */
const isOfDeletedTenant = (live: string): string =>
  `tenant_id in (select id from ${live}.tenants where deleted_at is not null)`;

const same = (columns: readonly string[]): string =>
  columns.map((column) => `c.${column} is b.${column}`).join(' and ');

const revoked = (nowMs: number): string =>
  `revoked_at = ${nowMs}, revoked_by = null, revoked_reason = 'ended by a restore'`;

/** The lower of two numbers; null is no limit. */
const lower = (a: string, b: string): string => `coalesce(min(${a}, ${b}), ${a}, ${b})`;

const later = (a: string, b: string): string => `coalesce(max(${a}, ${b}), ${a}, ${b})`;

const lowerRole = (a: string, b: string): string => `iif(${rank(a)} < ${rank(b)}, ${a}, ${b})`;
const rank = (role: string): string => `case ${role} when 'root' then 2 when 'tenant-admin' then 1 else 0 end`;

/** The live list, unless it allows everything: what it allows was good until now. */
const narrowerList = (backup: string, live: string): string => `iif(${live} = '[]', ${backup}, ${live})`;
