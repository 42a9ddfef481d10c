import type { Command } from '@commander-js/extra-typings';
import { type Context, examples, readGraceHours, readUuid, readWholeNumber } from '@pangolin/shared/cli';
import { findServiceUserId, requireServiceUser, type ServiceUserChoice } from './find-service-user.ts';
import { printIssuedKey } from './print-issued-key.ts';

interface RotateOptions extends ServiceUserChoice {
  grace?: number;
  expiresInDays?: number;
}

/** `rotate-service-user-key`: a new key, and the end of the old one. */
export function registerRotateServiceUserKey(program: Command, ctx: () => Context): void {
  program
    .command('rotate-service-user-key')
    .summary("replace a service user's key and show the new one once")
    .description('Makes a new key and prints it once. The old one stops at once, or after the grace.')
    .option('--id <uuid>', "the service user's id", readUuid)
    .option('--name <name>', "the service user's name")
    .option('--grace <time>', 'how long the old key still works: 24h, 7d (at most) (default: 0)', readGraceHours)
    .option('--expires-in-days <days>', 'when the new key stops', readWholeNumber)
    .addHelpText(
      'after',
      examples(
        'pangolin-admin rotate-service-user-key --id 0198c5a4-7d5e-7c3b-9a52-3f1f2f0f8a11',
        'pangolin-admin rotate-service-user-key --name etl-pipeline --grace 24h',
      ),
    )
    .action((options) => rotateServiceUserKey(ctx(), options));
}

async function rotateServiceUserKey(ctx: Context, options: RotateOptions): Promise<void> {
  requireServiceUser('rotate-service-user-key', options);
  const { client } = await ctx.connect();
  const id = await findServiceUserId(client, options);
  const grace = options.grace ?? 0;
  const rotating = client.serviceUsers.rotate(id, {
    ...(grace > 0 && { grace_hours: grace }),
    ...(options.expiresInDays !== undefined && { expires_in_days: options.expiresInDays }),
  });
  const issued = await ctx.working('Replacing the key', rotating);
  await printIssuedKey(ctx, issued, {
    title: grace > 0 ? `New key; the old one stops in ${grace} hours` : 'New key; the old one has stopped',
    origin: client.origin,
    undone:
      grace > 0
        ? `The new key is lost; the old one stops in ${grace} hours.`
        : 'The new key is lost, and the old one has stopped.',
    remedy: `Rotate again: pangolin-admin rotate-service-user-key --id ${issued.id}`,
  });
}
