import type { Command } from '@commander-js/extra-typings';
import { type Context, examples, printObject } from '@pangolin/shared/cli';

/** `rotate-master-key`: another key seals the signing keys. */
export function registerRotateMasterKey(program: Command, ctx: () => Context): void {
  program
    .command('rotate-master-key')
    .summary('seal the signing keys with another master key')
    .description(
      'Makes a new master key in the data directory, seals the private signing keys with it, and takes the old one away. ' +
        'Where PANGOLIN_MASTER_KEY or PANGOLIN_MASTER_KEY_FILE gives the key: put the new key before the old one there ' +
        '(two keys, with a comma or on two lines; a variable needs a restart), run this, and take the old one out. ' +
        'No token is invalidated.',
    )
    .addHelpText('after', examples('pangolin-admin rotate-master-key', 'pangolin-admin rotate-master-key --json'))
    .action(() => rotateMasterKey(ctx()));
}

async function rotateMasterKey(ctx: Context): Promise<void> {
  const { client } = await ctx.connect();
  const rotation = await ctx.working('Rotating the master key', client.signingKeys.reseal());
  const { source, replaced, resealed } = rotation;
  await ctx.say(
    replaced
      ? 'A new master key is in place, and the old one is gone. Backups made before need the key they were made with.'
      : `Everything is sealed with the first key of ${source === 'data-directory' ? 'master.key' : source}. ` +
          `Take the other one out on every server${source === 'PANGOLIN_MASTER_KEY' ? ', and restart' : ''}.`,
  );
  await ctx.say('Nothing is invalidated: tokens and API keys go on as before.');
  await printObject(ctx, rotation, { source, replaced, resealed });
}
