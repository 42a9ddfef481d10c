import { ROLES, type Role } from '@pangolin/shared/contract/roles';
import type { ExpressionBuilder, Nullable } from 'kysely';
import { DAY_MS, HOUR_MS, NEVER_MS } from '../times.ts';
import type { ApiKeysTable, Executor, Schema, ServiceUsersTable, TokensTable, UsersTable } from './schema.ts';

/** What a token's standing depends on besides its row: the time, and the limits of the tenant by role. */
export interface Standing {
  nowMs: number;
  sessionHours: number;
  /** Whether tokens of a server without authentication are refused: by every server that authenticates. */
  refusesUnauthenticated: boolean;
  limits: Record<Role, RoleLimits>;
}

interface RoleLimits {
  max_token_days: number;
  max_key_days: number | null;
  allow_non_expiring_tokens: boolean;
}

export type TokenStatus = 'valid' | 'expired' | 'revoked';

/** Tokens with everything their standing depends on. */
export const withOwner = (db: Executor) =>
  db
    .selectFrom('tokens as t')
    .leftJoin('users as u', 'u.id', 't.owner_id')
    .leftJoin('service_users as s', 's.id', 't.owner_id')
    .leftJoin('api_keys as k', 'k.id', 't.root_id')
    .leftJoin('service_users as o', 'o.id', 'k.service_user_id')
    .leftJoin('tokens as r', 'r.id', 't.root_id');

/** What a condition on them may name. */
export type Joined = ExpressionBuilder<
  Schema & {
    t: TokensTable;
    u: Nullable<UsersTable>;
    s: Nullable<ServiceUsersTable>;
    k: Nullable<ApiKeysTable>;
    o: Nullable<ServiceUsersTable>;
    r: Nullable<TokensTable>;
  },
  't' | 'u' | 's' | 'k' | 'o' | 'r'
>;

/** The same judgement as credentials/judge.ts, for lists: ended before its time, past its time, or good. */
export function judgeStatus(eb: Joined, { nowMs, sessionHours, refusesUnauthenticated, limits }: Standing) {
  const isLongerThanAllowed = (t: 't' | 'r') => {
    const lifetime = eb(`${t}.expires_at`, '-', eb.ref(`${t}.created_at`));
    const beyond = ROLES.map((role) => {
      const { max_token_days: days, allow_non_expiring_tokens: mayStay } = limits[role];
      const tooLong = eb.and([eb(`${t}.expires_at`, '<', NEVER_MS), eb(lifetime, '>', days * DAY_MS)]);
      const endless = eb(`${t}.expires_at`, '=', NEVER_MS);
      return eb.and([eb(`${t}.role`, '=', role), mayStay ? tooLong : eb.or([tooLong, endless])]);
    });
    return eb.or([
      eb.and([eb(`${t}.kind`, '=', 'session'), eb(lifetime, '>', sessionHours * HOUR_MS)]),
      eb.and([eb(`${t}.kind`, '<>', 'session'), eb.or(beyond)]),
    ]);
  };
  const isKeyLongerThanAllowed = ROLES.flatMap((role) => {
    const { max_key_days: days } = limits[role];
    if (days === null) return [];
    const inTime = (end: 'k.expires_at' | 'o.expires_at') =>
      eb.and([eb(end, 'is not', null), eb(eb(end, '-', eb.ref('k.created_at')), '<=', days * DAY_MS)]);
    const isShort = eb.or([inTime('k.expires_at'), inTime('o.expires_at')]);
    return [eb.and([eb('k.id', 'is not', null), eb('o.role', '=', role), eb.not(isShort)])];
  });
  const ended = eb.or([
    eb('t.revoked_at', 'is not', null),
    ...(refusesUnauthenticated ? [eb('t.unauthenticated_as', 'is not', null)] : []),
    eb('t.epoch', '<>', eb.fn.coalesce('u.epoch', 's.epoch', eb.lit(-1))),
    eb(eb.fn.coalesce('u.active', 's.active', eb.lit(0)), '=', 0),
    eb('s.expires_at', '<=', nowMs),
    eb.and([
      eb('t.tenant_id', '<>', eb.fn.coalesce('u.tenant_id', 's.tenant_id', 't.tenant_id')),
      eb(eb.fn.coalesce('u.role', 's.role'), '<>', 'root'),
    ]),
    eb('k.revoked_at', 'is not', null),
    eb('k.expires_at', '<=', nowMs),
    eb.and([eb('k.id', 'is not', null), eb(eb.fn.coalesce('o.active', eb.lit(0)), '=', 0)]),
    eb('o.epoch', '<>', eb.ref('k.epoch')),
    eb('o.expires_at', '<=', nowMs),
    eb('r.revoked_at', 'is not', null),
    eb.and([eb('k.id', 'is', null), eb('r.id', 'is', null)]),
    isLongerThanAllowed('t'),
    isLongerThanAllowed('r'),
    ...isKeyLongerThanAllowed,
  ]);
  return eb.case().when(ended).then('revoked').when('t.expires_at', '<=', nowMs).then('expired').else('valid').end();
}
