import { principalUrn } from '../datahub/principal-urns.ts';
import { NEVER_MS } from '../times.ts';
import type { AccessTokenRow } from './store.ts';

const TOKEN_URN = 'urn:li:dataHubAccessToken:';

/** What AccessTokenMetadata is made of. */
interface Described {
  id: string;
  name: string | null;
  description: string | null;
  actorUrn: string;
  ownerUrn: string;
  /** Whether who minted it is still there. */
  hasOwner: boolean;
  createdAtMs: number;
  /** Null: it does not expire. */
  expiresAtMs: number | null;
}

/** AccessTokenMetadata. */
export function presentMetadata({ id, actorUrn, ownerUrn, description, ...token }: Described) {
  const name = token.name ?? description ?? id;
  return {
    urn: TOKEN_URN + id,
    type: 'ACCESS_TOKEN',
    id,
    tokenId: id,
    tokenName: name,
    name,
    description,
    actorUrn,
    ownerUrn,
    owner: token.hasOwner ? presentCorpUser(ownerUrn) : null,
    createdAt: token.createdAtMs,
    expiresAt: token.expiresAtMs,
  };
}

/** AccessTokenMetadata of a token that is stored. */
export const presentRow = (row: AccessTokenRow) =>
  presentMetadata({
    ...row,
    actorUrn: principalUrn({ kind: row.owner_kind, id: row.owner_id, name: ownerName(row) }),
    ownerUrn: minterUrn(row),
    hasOwner: row.minter_user_name !== null || row.minter_service_user_id !== null,
    createdAtMs: row.created_at,
    expiresAtMs: row.expires_at === NEVER_MS ? null : row.expires_at,
  });

/** CorpUser of a user or a service user. */
export const presentCorpUser = (urn: string) => ({
  urn,
  type: 'CORP_USER',
  username: urn.slice(principalUrn({ kind: 'user', id: '', name: '' }).length),
});

/** The id in a token's URN, or the text itself, which is an id then. */
export const readTokenId = (text: string): string =>
  (text.startsWith(TOKEN_URN) ? text.slice(TOKEN_URN.length) : text).toLowerCase();

/** The owner of the data directory may have gone by another name where nobody was authenticated. */
const ownerName = ({ user_kind, user_name, unauthenticated_as, owner_id }: AccessTokenRow): string =>
  (user_kind === 'owner' ? unauthenticated_as : null) ?? user_name ?? owner_id;

function minterUrn(row: AccessTokenRow): string {
  const { minter_service_user_id: serviceUserId, minter_user_kind: kind, minter_user_name: name, actor_id: id } = row;
  if (serviceUserId !== null) return principalUrn({ kind: 'service_user', id: serviceUserId, name: '' });
  const asked = kind === 'owner' ? row.unauthenticated_as : null;
  return principalUrn({ kind: 'user', id, name: asked ?? name ?? id });
}
