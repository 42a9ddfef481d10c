import type { Command } from '@commander-js/extra-typings';
import { type Context, examples, printList, privilegeOption, roleOption } from '@pangolin/shared/cli';
import type { Grant } from '@pangolin/shared/contract';
import { chooseGrantee, type GranteeOptions } from './choose-grantee.ts';
import { GRANT_COLUMNS } from './grant-columns.ts';

/** `list-policies`: which privilege is granted to whom. */
export function registerListPolicies(program: Command, ctx: () => Context): void {
  program
    .command('list-policies')
    .summary('list what is granted to whom')
    .description(
      'Lists which privilege is granted to which role, user or service user of the tenant. What is granted to a role ' +
        'counts for the roles above it too; root holds everything without being granted it. In a pipe: privilege, ' +
        'kind of grantee, name, grantee id, created, by, grant id, separated by tabs.',
    )
    .addOption(privilegeOption('only of this privilege'))
    .addOption(roleOption('only to this role'))
    .option('--user <name>', 'only to this user (username or id) alone')
    .option('--service-user <name>', 'only to this service user (name or id) alone')
    .addHelpText(
      'after',
      examples(
        'pangolin-admin list-policies',
        'pangolin-admin list-policies --privilege MANAGE_USERS',
        'pangolin-admin list-policies --user ada --json',
      ),
    )
    .action((options) => listPolicies(ctx(), options));
}

async function listPolicies(ctx: Context, options: GranteeOptions & { privilege?: string }): Promise<void> {
  const { privilege } = options;
  const grantee = chooseGrantee('list-policies', options);
  const { client } = await ctx.connect();
  const listing = client.policies.list({
    ...(privilege !== undefined && { privilege }),
    ...grantee?.fields,
    all: true,
  });
  const grants = (await ctx.working('Listing policies', listing)).sort(rolesFirst);
  const whenEmpty = 'Nothing is granted like that. Grant something: pangolin-admin grant PRIVILEGE --role ROLE';
  await printList(ctx, GRANT_COLUMNS, grants, whenEmpty);
}

const rank = ({ grantee }: Grant): string => `${grantee?.kind === 'role' ? 1 : 2} ${grantee?.kind} ${grantee?.name}`;

const rolesFirst = (a: Grant, b: Grant): number => {
  const [left, right] = [`${rank(a)} ${a.privilege}`, `${rank(b)} ${b.privilege}`];
  return left < right ? -1 : left > right ? 1 : 0;
};
