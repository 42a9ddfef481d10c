import { isUuid, PangolinError, type WireClient } from '@pangolin/shared/cli';

/** How a command line names a tenant: as an argument (id or name) or by exactly one option. */
export interface TenantChoice {
  id?: string;
  name?: string;
}

const hint = 'List them: pangolin-admin list-tenants';

/** Reads which tenant is meant; refuses none and more than one. */
export function chooseTenant(command: string, argument: string | undefined, options: TenantChoice): TenantChoice {
  const given = [argument, options.id, options.name].filter((value) => value !== undefined);
  if (given.length !== 1) {
    throw new PangolinError('invalid_argument', `${command} needs one tenant: TENANT, --id or --name.`, { hint });
  }
  if (argument === undefined) return options;
  return isUuid(argument) ? { id: argument.toLowerCase() } : { name: argument };
}

/** The id of the chosen tenant; `not_found` for a name that none has. */
export async function findTenantId(client: WireClient, { id, name }: TenantChoice): Promise<string> {
  if (id !== undefined) return id;
  const tenants = name === undefined ? [] : await client.tenants.list({ name });
  const found = tenants.find((tenant) => tenant.name === name);
  if (!found) throw new PangolinError('not_found', `There is no tenant named ${JSON.stringify(name)}.`, { hint });
  return found.id;
}
