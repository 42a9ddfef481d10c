import { type Command, InvalidArgumentError, Option } from '@commander-js/extra-typings';
import { type Context, examples, readBoolean, readWholeNumber, roleOption } from '@pangolin/shared/cli';
import { TOKEN_DURATION_NAMES } from '@pangolin/shared/contract/durations';
import { printSettingsChange } from './print-settings-change.ts';
import { readSettingsChange } from './read-settings-change.ts';

const numberOr =
  <Word extends string>(word: Word) =>
  (value: string): number | Word => {
    if (value === word) return word;
    if (!/^[1-9]\d{0,8}$/.test(value)) throw new InvalidArgumentError(`Give a whole number of at least 1, or ${word}.`);
    return Number(value);
  };

/** `update-settings`: lifetimes, limits and allowed networks, with a look before the leap. */
export function registerUpdateSettings(program: Command, ctx: () => Context): void {
  program
    .command('update-settings')
    .summary('change lifetimes, limits and allowed networks')
    .description(
      'Changes lifetimes, limits and allowed networks. A lower maximum refuses longer-lived tokens and keys from that ' +
        "moment: --dry-run tells which. With --role the lifetimes are that role's, within those of the tenant.",
    )
    .option('--default-token-days <days>', 'how long a token lives where nothing was asked', numberOr('none'))
    .option('--max-token-days <days>', 'how long a token may live', numberOr('none'))
    .option(
      '--default-key-days <days>',
      "how long a service user's key lives where nothing was asked, or none",
      numberOr('none'),
    )
    .option('--max-key-days <days>', "how long a service user's key may live, or none for no limit", numberOr('none'))
    .addOption(roleOption('the role whose lifetimes change; none takes one away (default: the whole tenant)'))
    .option('--max-tokens-per-user <count>', 'how many valid tokens one may have, or unlimited', numberOr('unlimited'))
    .option('--allow-non-expiring-tokens <true|false>', 'whether there may be tokens without expiry', readBoolean)
    .option('--session-hours <hours>', 'how long a login lasts', readWholeNumber)
    .option(
      '--allow-network <cidr...>',
      'accept credentials and logins from these networks only, instead of those before',
    )
    .addOption(new Option('--allow-any-network', 'accept them from everywhere').conflicts('allowNetwork'))
    .addOption(
      new Option(
        '--allow-token-duration <duration...>',
        "offer these durations in DataHub's API only, instead of those before",
      ).choices(TOKEN_DURATION_NAMES),
    )
    .addOption(new Option('--allow-any-token-duration', 'offer them all').conflicts('allowTokenDuration'))
    .option('--dry-run', 'change nothing; tell which tokens and keys would be refused')
    .addHelpText(
      'after',
      examples(
        'pangolin-admin update-settings --max-token-days 180 --dry-run',
        'pangolin-admin update-settings --role tenant-admin --max-token-days 30 --max-key-days 90',
        'pangolin-admin update-settings --max-tokens-per-user unlimited --max-key-days none',
        'pangolin-admin update-settings --allow-network 10.0.0.0/8 2001:db8::/32',
        'pangolin-admin update-settings --allow-token-duration ONE_HOUR ONE_DAY ONE_WEEK',
      ),
    )
    .action(async (options) => {
      const change = readSettingsChange(options);
      const context = ctx();
      const { client } = await context.connect();
      const changing = client.settings.update(change, { dryRun: options.dryRun ?? false });
      await printSettingsChange(context, await context.working('Changing the settings', changing));
    });
}
