import type { Role } from '@pangolin/shared/contract/roles';
import type { TokenKind } from '@pangolin/shared/contract/tokens';
import { PangolinError } from '@pangolin/shared/errors';
import { audienceWithoutAuthentication, MAX_TOKEN_LENGTH } from '../credentials/read-token.ts';
import type { Deps } from '../deps.ts';
import { keepVerifying } from '../signing-keys/keep-verifying.ts';
import type { Executor } from '../store/schema.ts';
import { NEVER_MS, wholeSecond } from '../times.ts';
import { findRootToken, insertToken, type NewToken } from './store.ts';

/** Whose a token is. */
interface TokenOwner {
  id: string;
  kind: 'user' | 'service_user';
  name: string;
  epoch: number;
}

export interface TokenPlan {
  kind: TokenKind;
  owner: TokenOwner;
  actorId: string;
  tenantId: string;
  role: Role;
  scopes: readonly string[];
  /** `NEVER_MS` for one that does not expire: it carries no `exp`. */
  expiresAtMs: number;
  /** Now, unless it continues an older token. */
  createdAtMs?: number;
  name?: string | null;
  description?: string | null;
  /** For access tokens: how far they may be renewed; null: as far as what they descend from. */
  renewableUntilMs?: number | null;
  /** When what was granted to its owner alone stops to count: 0: none of it does; null: all of it, for as long as it is granted. */
  ownGrantsUntilMs: number | null;
  /** Under which name a server without authentication makes it; no server accepts such a token. */
  unauthenticatedAs?: string | null;
  /** What it is obtained with and dies with; null: it stands by itself. */
  parent: { tokenId: string | null; root: { kind: 'token' | 'api_key'; id: string } } | null;
}

/** A token that is signed but not yet stored; it is worth nothing before `store` is committed. */
export interface PreparedToken {
  secret: string;
  row: NewToken;
  /** Inserts the row; `epoch` is the owner's as the transaction sees it. */
  store(tx: Executor, epoch: number): Promise<unknown>;
}

/** Signs a token; signing takes no transaction, so it happens before one. */
export async function prepareToken(deps: Deps, plan: TokenPlan): Promise<PreparedToken> {
  const id = deps.newId();
  const createdAtMs = plan.createdAtMs ?? wholeSecond(deps.now());
  const row: NewToken = {
    id,
    tenant_id: plan.tenantId,
    kind: plan.kind,
    owner_kind: plan.owner.kind,
    owner_id: plan.owner.id,
    actor_id: plan.actorId,
    epoch: plan.owner.epoch,
    name: plan.name ?? null,
    description: plan.description ?? null,
    role: plan.role,
    scopes: JSON.stringify(plan.scopes),
    created_at: createdAtMs,
    expires_at: plan.expiresAtMs,
    parent_id: plan.parent?.tokenId ?? null,
    root_kind: plan.parent?.root.kind ?? 'token',
    root_id: plan.parent?.root.id ?? id,
    revoked_at: null,
    revoked_by: null,
    revoked_reason: null,
    rotated_to: null,
    renewable_until: plan.renewableUntilMs ?? null,
    own_grants_until: plan.ownGrantsUntilMs,
    unauthenticated_as: plan.unauthenticatedAs ?? null,
    last_used_at: null,
    last_used_ip: null,
    last_used_client: null,
  };
  const { issuer } = deps.installation;
  const { jws: secret, kid } = await deps.signingKeys.sign({
    iss: issuer,
    aud: plan.unauthenticatedAs == null ? issuer : audienceWithoutAuthentication(issuer),
    sub: plan.owner.id,
    jti: id,
    iat: createdAtMs / 1000,
    nbf: createdAtMs / 1000,
    ...(plan.expiresAtMs === NEVER_MS ? {} : { exp: plan.expiresAtMs / 1000 }),
    tenant_id: plan.tenantId,
    username: plan.owner.name,
    role: plan.role,
    scope: plan.scopes.join(' '),
    kind: plan.kind,
  });
  if (secret.length > MAX_TOKEN_LENGTH) {
    throw new PangolinError(
      'policy_refused',
      'The token would be too long to be sent: it carries too many or too long scopes.',
      {
        hint: 'Ask for fewer scopes, or for whole catalogs.',
      },
    );
  }
  return {
    secret,
    row,
    async store(tx, epoch) {
      await keepVerifying(tx, { kid, expiresAtMs: row.expires_at, nowMs: deps.now() });
      await insertToken(tx, { ...row, epoch });
    },
  };
}

/** What a renewed token descends from, if that is still known. */
export const readRootToken = (db: Executor, id: string) => findRootToken(db, id);
