import type { Command } from '@commander-js/extra-typings';
import { printObject } from '../answers.ts';
import type { Context } from '../context.ts';
import { examples } from '../program.ts';

/** `whoami`: the identity and where its credential came from. */
export function registerWhoami(program: Command, ctx: () => Context): void {
  program
    .command('whoami')
    .summary('show who you are and how that is known')
    .description('Shows who you are, at which server, and where the credential came from.')
    .addHelpText('after', examples(`${program.name()} whoami`, `${program.name()} whoami --json`))
    .action(() => whoami(ctx()));
}

async function whoami(ctx: Context): Promise<void> {
  const { client, profile, source } = await ctx.connect();
  const me = await ctx.working('Asking the server', client.users.me());
  const server = client.origin ?? `embedded (${client.dataDir})`;
  await printObject(
    ctx,
    { ...me, source, profile, server },
    {
      username: me.username,
      kind: me.kind,
      email: me.email,
      role: me.role,
      id: me.id,
      tenant_id: me.tenant_id,
      privileges: me.privileges,
      source,
      credential_type: me.credential.type,
      credential_id: me.credential.id,
      expires_at: me.credential.expires_at,
      scopes: me.credential.scopes,
      profile,
      server,
    },
  );
}
