import type { Command } from '@commander-js/extra-typings';
import { type Context, examples, printObject } from '@pangolin/shared/cli';
import { tenantFields } from './tenant-columns.ts';

/** `create-tenant`: users, service users and catalogs of their own. */
export function registerCreateTenant(program: Command, ctx: () => Context): void {
  program
    .command('create-tenant')
    .summary('create a tenant')
    .description(
      'Creates a tenant (root only): users, service users, tokens and catalogs that no other tenant sees. ' +
        'It begins with a catalog called default, and without users.',
    )
    .argument('<name>', 'what people call it when they log in')
    .option('--description <text>', 'whose it is')
    .addHelpText(
      'after',
      examples(
        'pangolin-admin create-tenant acme',
        'pangolin-admin create-tenant acme --description "ACME Corporation"',
      ),
    )
    .action((name, options) => createTenant(ctx(), name, options));
}

async function createTenant(ctx: Context, name: string, options: { description?: string }): Promise<void> {
  const { client } = await ctx.connect({ createDataDir: true });
  const creating = client.tenants.create({
    name,
    ...(options.description !== undefined && { description: options.description }),
  });
  const tenant = await ctx.working('Creating the tenant', creating);
  await printObject(ctx, tenant, { ...tenantFields(tenant), default_catalog: tenant.default_catalog });
  if (!ctx.terminal) return;
  const quoted = /^[\w.-]+$/.test(name) ? name : `'${name.replaceAll("'", "'\\''")}'`;
  await ctx.say(
    `💡 Give it an administrator:\n   pangolin-admin create-user USERNAME --role tenant-admin --tenant ${quoted}`,
  );
}
