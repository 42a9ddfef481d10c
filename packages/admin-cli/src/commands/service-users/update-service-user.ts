import { type Command, Option } from '@commander-js/extra-typings';
import {
  type Context,
  examples,
  PangolinError,
  printObject,
  readBoolean,
  readUuid,
  roleOption,
} from '@pangolin/shared/cli';
import { findServiceUserId, requireServiceUser } from './find-service-user.ts';
import { serviceUserFields } from './service-user-columns.ts';

interface UpdateServiceUserOptions {
  id?: string;
  name?: string;
  description?: string;
  active?: boolean;
  role?: string;
  allowNetwork?: string[];
  allowAnyNetwork?: true;
}

/** `update-service-user`: its name, description, role, networks, or whether it works at all. */
export function registerUpdateServiceUser(program: Command, ctx: () => Context): void {
  program
    .command('update-service-user')
    .summary('change a service user')
    .description(
      'Changes a service user: by --id, or by --name where --name is not what changes. ' +
        'Deactivating stops its keys and everything obtained with them.',
    )
    .option('--id <uuid>', 'its id', readUuid)
    .option('--name <name>', 'its new name with --id; otherwise its name')
    .option('--description <text>', 'its new description')
    .option('--active <true|false>', 'whether it works', readBoolean)
    .addOption(roleOption('what it may do'))
    .option('--allow-network <cidr...>', 'accept its credentials from these networks only, instead of those before')
    .addOption(new Option('--allow-any-network', 'accept them from everywhere').conflicts('allowNetwork'))
    .addHelpText(
      'after',
      examples(
        'pangolin-admin update-service-user --name etl-pipeline --active false',
        'pangolin-admin update-service-user --name etl-pipeline --allow-network 10.1.0.0/16',
        'pangolin-admin update-service-user --id 0198c5a4-7d5e-7c3b-9a52-3f1f2f0f8a11 --name etl-nightly',
      ),
    )
    .action((options) => updateServiceUser(ctx(), options));
}

async function updateServiceUser(ctx: Context, options: UpdateServiceUserOptions): Promise<void> {
  const { id, name, description, active, role } = options;
  const networks = options.allowAnyNetwork ? [] : options.allowNetwork;
  if (id === undefined) requireServiceUser('update-service-user', options);
  const change = {
    ...(id !== undefined && name !== undefined && { name }),
    ...(description !== undefined && { description }),
    ...(active !== undefined && { active }),
    ...(role !== undefined && { role }),
    ...(networks !== undefined && { allowed_networks: networks }),
  };
  if (Object.keys(change).length === 0) {
    throw new PangolinError('invalid_argument', 'Nothing to change.', {
      hint: 'Give --description, --active, --role or --allow-network, or --name together with --id.',
    });
  }
  const { client } = await ctx.connect();
  const target = id ?? (await findServiceUserId(client, options));
  const user = await ctx.working('Changing the service user', client.serviceUsers.update(target, change));
  await printObject(ctx, user, serviceUserFields(user));
}
