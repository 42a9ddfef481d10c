import { type Command, Option } from '@commander-js/extra-typings';
import {
  type Context,
  examples,
  PangolinError,
  printDone,
  readExpiry,
  readWholeNumber,
  roleOption,
  scopeOption,
} from '@pangolin/shared/cli';
import { findServiceUserByName } from './find-service-user.ts';
import { printIssuedKey } from './print-issued-key.ts';

interface CreateServiceUserOptions {
  name: string;
  description?: string;
  role?: string;
  expiresInDays?: number;
  expiresAt?: string;
  scope?: string[];
  allowNetwork?: string[];
  ifNotExists?: true;
}

/** `create-service-user`: a principal for a program, with its first key. */
export function registerCreateServiceUser(program: Command, ctx: () => Context): void {
  program
    .command('create-service-user')
    .summary('create a service user and show its key once')
    .description('Creates a service user and prints its API key once: in a pipe the key on stdout, the id on stderr.')
    .requiredOption('--name <name>', 'what it is called; unique in the tenant')
    .option('--description <text>', 'what it is for')
    .addOption(roleOption('what it may do (default: tenant-user)'))
    .option(
      '--expires-in-days <days>',
      "when it stops (default: never, its key by the policy's default)",
      readWholeNumber,
    )
    .addOption(
      new Option('--expires-at <date>', 'when it stops: a day in UTC or an RFC 3339 time')
        .argParser(readExpiry)
        .conflicts('expiresInDays'),
    )
    .addOption(scopeOption())
    .option('--allow-network <cidr...>', 'accept its credentials from these networks only')
    .option('--if-not-exists', 'succeed without a new key where the name is taken')
    .addHelpText(
      'after',
      examples(
        'pangolin-admin create-service-user --name etl-pipeline --role tenant-user',
        'pangolin-admin create-service-user --name robot --allow-network 10.1.0.0/16 2001:db8::/32',
        'pangolin-admin create-service-user --name nightly --scope catalog:read --expires-in-days 365 --if-not-exists',
      ),
    )
    .action((options) => createServiceUser(ctx(), options));
}

async function createServiceUser(ctx: Context, options: CreateServiceUserOptions): Promise<void> {
  const { client } = await ctx.connect({ createDataDir: true });
  const creating = client.serviceUsers.create({
    name: options.name,
    ...(options.description !== undefined && { description: options.description }),
    ...(options.role !== undefined && { role: options.role }),
    ...(options.expiresInDays !== undefined && { expires_in_days: options.expiresInDays }),
    ...(options.expiresAt !== undefined && { expires_at: options.expiresAt }),
    ...(options.scope && { scopes: options.scope }),
    ...(options.allowNetwork && { allowed_networks: options.allowNetwork }),
  });
  const issued = await ctx.working('Creating the service user', creating).catch(async (error) => {
    if (!options.ifNotExists || !(error instanceof PangolinError) || error.code !== 'conflict') throw error;
    const existing = await findServiceUserByName(client, options.name);
    if (!existing) throw error;
    const message = `Service user ${options.name} exists already; no key was made.\nid: ${existing.id}`;
    await printDone(ctx, existing, message);
    return null;
  });
  if (!issued) return;
  await printIssuedKey(ctx, issued, {
    title: 'Service user created',
    origin: client.origin,
    undo: () => client.serviceUsers.delete(issued.id),
    undone: 'The service user was deleted again.',
    remedy: `Delete it: pangolin-admin delete-service-user --id ${issued.id}`,
  });
}
