import { BY_THE_SERVER, createAuditEvent, SYSTEM_CHAIN } from '../audit/record.ts';
import { createSigningKey, storeSigningKey } from '../signing-keys/create-signing-key.ts';
import type { Database } from '../store/database.ts';
import { foundTenant } from '../tenants/found-tenant.ts';
import type { MasterKey } from './master-key.ts';
import { findInstallation, insertInstallation, insertOwner } from './store.ts';

/** What was decided once, when the database was created. */
export interface Installation {
  id: string;
  /** `iss` and `aud` of every token: good at every address the server ever has. */
  issuer: string;
  defaultTenantId: string;
  ownerId: string;
}

export interface FirstStart {
  masterKey: MasterKey;
  ownerName: string;
  now(): number;
  newId(): string;
}

/**
 * Reads the installation, or founds it: one tenant `default`, one catalog `default`, a signing key, and the owner.
 * Several processes may start on an empty database at once; one founds it, the others read.
 */
export async function openInstallation(db: Database, first: FirstStart): Promise<Installation> {
  const found = await findInstallation(db.read);
  if (found) return toInstallation(found);
  const { masterKey } = first;
  masterKey.prepare();
  const [active, next] = [await createSigningKey(first.newId()), await createSigningKey(first.newId())];
  return db.transact(async (tx) => {
    const meanwhile = await findInstallation(tx);
    if (meanwhile) return toInstallation(meanwhile);
    const now = first.now();
    const row = {
      one: 1,
      id: first.newId(),
      default_tenant_id: first.newId(),
      owner_id: first.newId(),
      created_at: now,
    };
    const tenant = { tenant_id: row.default_tenant_id, created_at: now };
    await insertInstallation(tx, row);
    const named = { name: 'default', description: null };
    await foundTenant(tx, { id: row.default_tenant_id, ...named, created_at: now }, first.newId);
    await insertOwner(tx, {
      ...tenant,
      id: row.owner_id,
      kind: 'owner',
      username: first.ownerName,
      email: null,
      role: 'root',
      password_hash: null,
      active: 1,
      epoch: 1,
      epoch_raised_at: null,
      created_by: null,
      last_login_at: null,
    });
    await storeSigningKey(tx, masterKey, active, { state: 'active', createdAtMs: now });
    await storeSigningKey(tx, masterKey, next, { state: 'next', createdAtMs: now });
    await createAuditEvent(tx, {
      id: first.newId(),
      time: now,
      chain: SYSTEM_CHAIN,
      tenantId: row.default_tenant_id,
      by: BY_THE_SERVER,
      event: {
        action: 'installation.created',
        resourceType: 'installation',
        resourceId: row.id,
        details: { signing_key: active.kid },
      },
    });
    return toInstallation(row);
  });
}

const toInstallation = (row: { id: string; default_tenant_id: string; owner_id: string }): Installation => ({
  id: row.id,
  issuer: `urn:pangolin:${row.id}`,
  defaultTenantId: row.default_tenant_id,
  ownerId: row.owner_id,
});
