import { PangolinError } from '../errors.ts';

/** Finds the id of a tenant by its name; asked once. */
export interface TenantFinder {
  /** Throws `not_found`, and `forbidden` for anybody but root, who alone may see what tenants there are. */
  of(auth: Record<string, string>): Promise<string>;
}

/** `ask` answers the rows of a list, in no tenant but the credential's own. */
export function createTenantFinder(
  name: string,
  ask: (path: string, auth: Record<string, string>) => Promise<readonly object[]>,
): TenantFinder {
  let found: Promise<string> | undefined;

  async function find(auth: Record<string, string>): Promise<string> {
    const rows = await ask(`/api/v1/tenants?${new URLSearchParams({ name })}`, auth).catch((cause: unknown) => {
      if (!(cause instanceof PangolinError) || cause.code !== 'forbidden') throw cause;
      throw new PangolinError('forbidden', 'To name a tenant takes the role root: you are in your own already', {
        cause,
        hint: 'Leave --tenant and PANGOLIN_TENANT out',
      });
    });
    const tenant = rows.find((row) => 'name' in row && row.name === name);
    if (tenant && 'id' in tenant && typeof tenant.id === 'string') return tenant.id;
    throw new PangolinError('not_found', `There is no tenant named ${JSON.stringify(name)}`, {
      hint: 'See them: pangolin-admin list-tenants',
    });
  }

  return {
    of(auth) {
      found ??= find(auth);
      return found;
    },
  };
}
