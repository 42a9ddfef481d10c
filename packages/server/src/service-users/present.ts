import type { IssuedApiKey, ServiceUser } from '@pangolin/shared/contract/service-users';
import { previewApiKey } from '../credentials/api-key.ts';
import type { Executor } from '../store/schema.ts';
import { formatOptionalTime, formatTime, wholeSecond } from '../times.ts';
import { type ApiKeyRow, listKeys, type ServiceUserRow } from './store.ts';

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
    allowed_networks: JSON.parse(row.allowed_networks),
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

/** A service user with a new key, whose secret is shown this once. */
export const presentIssuedKey = (
  row: Pick<ServiceUserRow, 'id' | 'name' | 'description' | 'tenant_id' | 'role' | 'scopes' | 'created_by' | 'active'>,
  key: { id: string; secret: string },
  createdAtMs: number,
  expiry: { endMs: number | null; source: IssuedApiKey['expiry_source'] },
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
  expires_at: formatOptionalTime(expiry.endMs),
  expiry_source: expiry.source,
  active: row.active === 1,
});
