import type { Command } from '@commander-js/extra-typings';
import { type Context, examples, PangolinError, printObject, readUuid } from '@pangolin/shared/cli';
import { chooseTenant, findTenantId, type TenantChoice } from './find-tenant.ts';
import { tenantFields } from './tenant-columns.ts';

interface UpdateTenantOptions extends TenantChoice {
  newName?: string;
  description?: string;
}

/** `update-tenant`: its name and description. */
export function registerUpdateTenant(program: Command, ctx: () => Context): void {
  program
    .command('update-tenant')
    .summary('change a tenant')
    .description('Changes what a tenant is called, or what is said of it (root only). Its credentials go on working.')
    .argument('[tenant]', 'its name or id')
    .option('--id <uuid>', 'its id', readUuid)
    .option('--name <name>', 'its new name with TENANT or --id; otherwise its name')
    .option('--new-name <name>', 'its new name')
    .option('--description <text>', 'its new description')
    .addHelpText(
      'after',
      examples(
        'pangolin-admin update-tenant acme --description "ACME Corporation"',
        'pangolin-admin update-tenant --name acme --new-name acme-corp',
      ),
    )
    .action((tenant, options) => updateTenant(ctx(), tenant, options));
}

async function updateTenant(ctx: Context, argument: string | undefined, options: UpdateTenantOptions): Promise<void> {
  const { name, newName = name, description, ...choice } = options;
  // As with service users: who is named otherwise already, is renamed by --name.
  const isNamed = argument !== undefined || choice.id !== undefined;
  const renamed = isNamed ? newName : options.newName;
  const chosen = chooseTenant('update-tenant', argument, isNamed || name === undefined ? choice : { ...choice, name });
  const change = {
    ...(renamed !== undefined && { name: renamed }),
    ...(description !== undefined && { description }),
  };
  if (Object.keys(change).length === 0) {
    throw new PangolinError('invalid_argument', 'Nothing to change.', { hint: 'Give --new-name or --description.' });
  }
  const { client } = await ctx.connect();
  const id = await findTenantId(client, chosen);
  const tenant = await ctx.working('Changing the tenant', client.tenants.update(id, change));
  await printObject(ctx, tenant, tenantFields(tenant));
}
