import type { Command } from '@commander-js/extra-typings';
import { type Context, examples, printObject, readPrivilegeName, roleOption } from '@pangolin/shared/cli';
import { chooseGrantee, type GranteeOptions, granteeMissing } from './choose-grantee.ts';
import { grantFields } from './grant-columns.ts';

/** `grant`: lets a role, a user or a service user do something. */
export function registerGrant(program: Command, ctx: () => Context): void {
  program
    .command('grant')
    .summary('grant a privilege')
    .description(
      'Grants a privilege to a role, a user or a service user: GENERATE_PERSONAL_ACCESS_TOKENS, MANAGE_ACCESS_TOKENS, ' +
        'MANAGE_SERVICE_ACCOUNTS, MANAGE_USERS, MANAGE_CATALOGS or VIEW_AUDIT, which you must hold yourself. It counts at ' +
        'once. Granting what is granted already changes nothing.',
    )
    .argument('<privilege>', 'such as MANAGE_USERS or manage-users', readPrivilegeName)
    .addOption(roleOption('to everybody of at least this role'))
    .option('--user <name>', 'to this user (username or id)')
    .option('--service-user <name>', 'to this service user (name or id)')
    .addHelpText(
      'after',
      examples(
        'pangolin-admin grant MANAGE_SERVICE_ACCOUNTS --user ada',
        'pangolin-admin grant view-audit --service-user siem-export',
        'pangolin-admin grant MANAGE_CATALOGS --role tenant-user',
      ),
    )
    .action((privilege, options) => grant(ctx(), privilege, options));
}

async function grant(ctx: Context, privilege: string, options: GranteeOptions): Promise<void> {
  const grantee = chooseGrantee('grant', options);
  if (!grantee) throw granteeMissing('grant');
  const { client } = await ctx.connect();
  const granted = await ctx.working('Granting', client.policies.grant({ privilege, ...grantee.fields }));
  await printObject(ctx, granted, grantFields(granted));
}
