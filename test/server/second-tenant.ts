import type { TestServer } from './harness.ts';

/** The ids of what there is in another tenant. */
export interface SecondTenant {
  tenantId: string;
  userId: string;
  serviceUserId: string;
  tokenId: string;
  catalogName: string;
}

/** Puts a tenant with one of everything beside the default one, straight into the database. */
export async function insertSecondTenant({ deps }: TestServer): Promise<SecondTenant> {
  const created_at = deps.now();
  const tenant = {
    tenantId: deps.newId(),
    userId: deps.newId(),
    serviceUserId: deps.newId(),
    tokenId: deps.newId(),
    catalogName: 'theirs',
  };
  const tenant_id = tenant.tenantId;
  const epoch = { active: 1, epoch: 1, epoch_raised_at: null, created_at, created_by: null };
  const unused = { last_used_at: null, last_used_ip: null, last_used_client: null };
  await deps.db.transact(async (tx) => {
    await tx
      .insertInto('tenants')
      .values({ id: tenant_id, name: 'other', description: null, created_at, deleted_at: null })
      .execute();
    await tx
      .insertInto('users')
      .values({
        ...epoch,
        id: tenant.userId,
        tenant_id,
        kind: 'user',
        username: 'grace',
        email: null,
        role: 'tenant-admin',
        password_hash: null,
        last_login_at: null,
      })
      .execute();
    await tx
      .insertInto('service_users')
      .values({
        ...epoch,
        ...unused,
        id: tenant.serviceUserId,
        tenant_id,
        name: 'their-etl',
        description: null,
        role: 'tenant-user',
        scopes: '[]',
        allowed_networks: '[]',
        expires_at: null,
      })
      .execute();
    await tx
      .insertInto('tokens')
      .values({
        ...unused,
        id: tenant.tokenId,
        tenant_id,
        kind: 'personal',
        owner_kind: 'user',
        owner_id: tenant.userId,
        actor_id: tenant.userId,
        epoch: 1,
        name: null,
        description: null,
        role: 'tenant-admin',
        scopes: '[]',
        created_at,
        expires_at: created_at + 86_400_000,
        parent_id: null,
        root_kind: 'token',
        root_id: tenant.tokenId,
        revoked_at: null,
        revoked_by: null,
        revoked_reason: null,
      })
      .execute();
    await tx
      .insertInto('catalogs')
      .values({
        id: deps.newId(),
        tenant_id,
        name: tenant.catalogName,
        catalog_type: 'internal',
        warehouse_location: null,
        created_at,
        created_by: null,
      })
      .execute();
  });
  return tenant;
}

/** A token of the other tenant's administrator, signed by this installation. */
export const signTheirToken = async ({ deps }: TestServer, tenant: SecondTenant): Promise<string> => {
  const iat = Math.floor(deps.now() / 1000);
  const { jws } = await deps.signingKeys.sign({
    iss: deps.installation.issuer,
    aud: deps.installation.issuer,
    sub: tenant.userId,
    jti: tenant.tokenId,
    iat,
    nbf: iat,
    exp: iat + 3600,
    tenant_id: tenant.tenantId,
  });
  return jws;
};
