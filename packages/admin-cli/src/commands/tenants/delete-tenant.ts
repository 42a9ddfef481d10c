import type { Command } from '@commander-js/extra-typings';
import { type Context, confirmDestruction, examples, printDone, readUuid } from '@pangolin/shared/cli';
import { chooseTenant, findTenantId, type TenantChoice } from './find-tenant.ts';

/** `delete-tenant`: for good, with everybody in it. */
export function registerDeleteTenant(program: Command, ctx: () => Context): void {
  program
    .command('delete-tenant')
    .summary('delete a tenant')
    .description(
      'Deletes a tenant that has no tables (root only): its users, service users and empty catalogs. Every credential ' +
        'in it stops at once. Its audit events stay.',
    )
    .argument('[tenant]', 'its name or id')
    .option('--id <uuid>', 'its id', readUuid)
    .option('--name <name>', 'its name')
    .option('--yes', 'do not ask')
    .addHelpText('after', examples('pangolin-admin delete-tenant acme --yes'))
    .action((tenant, options) => deleteTenant(ctx(), tenant, options));
}

async function deleteTenant(
  ctx: Context,
  argument: string | undefined,
  options: TenantChoice & { yes?: true },
): Promise<void> {
  const { yes, ...named } = options;
  const choice = chooseTenant('delete-tenant', argument, named);
  const { client } = await ctx.connect();
  const id = await findTenantId(client, choice);
  const label = choice.name ?? id;
  const question = `Delete tenant ${label} with all its users and service users, and end every credential in it?`;
  if (!(await confirmDestruction(ctx, { ...(yes && { yes }) }, question))) return;
  await ctx.working('Deleting the tenant', client.tenants.delete(id));
  await printDone(ctx, { id, deleted: true }, `Deleted tenant ${label}.`);
}
