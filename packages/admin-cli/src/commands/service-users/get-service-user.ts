import type { Command } from '@commander-js/extra-typings';
import { type Context, examples, printObject, readUuid } from '@pangolin/shared/cli';
import { findServiceUserId, requireServiceUser, type ServiceUserChoice } from './find-service-user.ts';
import { serviceUserFields } from './service-user-columns.ts';

/** `get-service-user`: one service user and its keys' public parts. */
export function registerGetServiceUser(program: Command, ctx: () => Context): void {
  program
    .command('get-service-user')
    .summary('show a service user')
    .description('Shows a service user, when it was last used and the public parts of its keys.')
    .option('--id <uuid>', 'its id', readUuid)
    .option('--name <name>', 'its name')
    .addHelpText('after', examples('pangolin-admin get-service-user --name etl-pipeline'))
    .action((options) => getServiceUser(ctx(), options));
}

async function getServiceUser(ctx: Context, options: ServiceUserChoice): Promise<void> {
  requireServiceUser('get-service-user', options);
  const { client } = await ctx.connect();
  const id = await findServiceUserId(client, options);
  const user = await ctx.working('Asking the server', client.serviceUsers.get(id));
  await printObject(ctx, user, serviceUserFields(user));
}
