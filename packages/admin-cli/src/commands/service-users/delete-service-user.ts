import type { Command } from '@commander-js/extra-typings';
import { type Context, confirmDestruction, examples, printDone, readUuid } from '@pangolin/shared/cli';
import { findServiceUserId, requireServiceUser, type ServiceUserChoice } from './find-service-user.ts';

/** `delete-service-user`: for good, with its keys and everything obtained with them. */
export function registerDeleteServiceUser(program: Command, ctx: () => Context): void {
  program
    .command('delete-service-user')
    .summary('delete a service user')
    .description('Deletes a service user. Its keys, and everything obtained with them, stop at once.')
    .option('--id <uuid>', 'its id', readUuid)
    .option('--name <name>', 'its name')
    .option('--yes', 'do not ask')
    .addHelpText('after', examples('pangolin-admin delete-service-user --name etl-pipeline --yes'))
    .action((options) => deleteServiceUser(ctx(), options));
}

async function deleteServiceUser(ctx: Context, options: ServiceUserChoice & { yes?: true }): Promise<void> {
  requireServiceUser('delete-service-user', options);
  const { client } = await ctx.connect();
  const id = await findServiceUserId(client, options);
  const label = options.name ?? id;
  if (!(await confirmDestruction(ctx, options, `Delete service user ${label} and stop its keys?`))) return;
  await ctx.working('Deleting the service user', client.serviceUsers.delete(id));
  await printDone(ctx, { id, deleted: true }, `Deleted service user ${label}.`);
}
