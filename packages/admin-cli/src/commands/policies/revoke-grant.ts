import type { Command } from '@commander-js/extra-typings';
import {
  type Context,
  examples,
  PangolinError,
  printDone,
  readPrivilegeName,
  readUuid,
  roleOption,
  type WireClient,
} from '@pangolin/shared/cli';
import { type ChosenGrantee, chooseGrantee, type GranteeOptions } from './choose-grantee.ts';

/** `revoke-grant`: takes a privilege back, by what was said to grant it, or by the grant's id. */
export function registerRevokeGrant(program: Command, ctx: () => Context): void {
  program
    .command('revoke-grant')
    .summary('take a privilege back')
    .description(
      'Takes back a privilege that was granted to a role, a user or a service user. It is gone from every credential at ' +
        'once; the credentials themselves live on, but for tokens that somebody who lost it had obtained for others with ' +
        'a token or key. What you do not hold yourself you cannot take: a privilege you take from your own role, only root ' +
        'can give back.',
    )
    .argument('[privilege]', 'such as MANAGE_USERS or manage-users', readPrivilegeName)
    .addOption(roleOption('from this role'))
    .option('--user <name>', 'from this user (username or id)')
    .option('--service-user <name>', 'from this service user (name or id)')
    .option('--id <uuid>', 'the grant, by its id', readUuid)
    .addHelpText(
      'after',
      examples(
        'pangolin-admin revoke-grant MANAGE_USERS --user ada',
        'pangolin-admin revoke-grant generate-personal-access-tokens --role tenant-user',
        'pangolin-admin revoke-grant --id 0198c5a4-7d5e-7c3b-9a52-3f1f2f0f8a11',
      ),
    )
    .action((privilege, options) => revokeGrant(ctx(), privilege, options));
}

async function revokeGrant(
  ctx: Context,
  privilege: string | undefined,
  options: GranteeOptions & { id?: string },
): Promise<void> {
  const grantee = chooseGrantee('revoke-grant', options);
  const named = readNamed(privilege, grantee, options.id);
  const { client } = await ctx.connect();
  const id = typeof named === 'string' ? named : await findGrantId(client, named);
  await ctx.working('Revoking', client.policies.revoke(id));
  const what = typeof named === 'string' ? `the grant ${id}` : `${named.privilege} from ${named.grantee.label}`;
  await printDone(ctx, { id, revoked: true }, `Revoked ${what}.`);
}

interface Named {
  privilege: string;
  grantee: ChosenGrantee;
}

/** Which grant is meant: its id, or what it is; refuses both and half of the second. */
function readNamed(
  privilege: string | undefined,
  grantee: ChosenGrantee | undefined,
  id: string | undefined,
): Named | string {
  if (id !== undefined && privilege === undefined && grantee === undefined) return id;
  if (id === undefined && privilege !== undefined && grantee !== undefined) return { privilege, grantee };
  const message = 'revoke-grant needs a privilege and one of --role, --user and --service-user; or --id alone.';
  throw new PangolinError('invalid_argument', message, {
    hint: 'See what is granted to whom: pangolin-admin list-policies',
  });
}

async function findGrantId(client: WireClient, { privilege, grantee }: Named): Promise<string> {
  const [found] = await client.policies.list({ privilege, ...grantee.fields });
  if (found) return found.id;
  throw new PangolinError('not_found', `${privilege} is not granted to ${grantee.label}.`, {
    hint: `See to whom it is, roles among them: pangolin-admin list-policies --privilege ${privilege}`,
  });
}
