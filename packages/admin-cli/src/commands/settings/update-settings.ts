import { type Command, InvalidArgumentError } from '@commander-js/extra-typings';
import { type Context, examples, PangolinError, printObject, readWholeNumber } from '@pangolin/shared/cli';
import { settingsFields } from './settings-fields.ts';

interface UpdateSettingsOptions {
  defaultTokenDays?: number;
  maxTokenDays?: number;
  maxTokensPerUser?: number | 'unlimited';
  sessionHours?: number;
  dryRun?: true;
}

const readLimit = (value: string): number | 'unlimited' => {
  if (value === 'unlimited') return value;
  if (!/^[1-9]\d{0,8}$/.test(value)) throw new InvalidArgumentError('Give a whole number of at least 1, or unlimited.');
  return Number(value);
};

/** `update-settings`: lifetimes and limits, with a look before the leap. */
export function registerUpdateSettings(program: Command, ctx: () => Context): void {
  program
    .command('update-settings')
    .summary('change lifetimes and limits')
    .description(
      'Changes lifetimes and limits. A lower maximum refuses longer-lived tokens from that moment: ' +
        '--dry-run tells which.',
    )
    .option('--default-token-days <days>', 'how long a token lives where nothing was asked', readWholeNumber)
    .option('--max-token-days <days>', 'how long a token may live', readWholeNumber)
    .option('--max-tokens-per-user <count>', 'how many valid tokens one may have, or unlimited', readLimit)
    .option('--session-hours <hours>', 'how long a login lasts', readWholeNumber)
    .option('--dry-run', 'change nothing; tell which tokens would be refused')
    .addHelpText(
      'after',
      examples(
        'pangolin-admin update-settings --max-token-days 180 --dry-run',
        'pangolin-admin update-settings --max-tokens-per-user unlimited',
      ),
    )
    .action((options) => updateSettings(ctx(), options));
}

const SHOWN_ON_TERMINAL = 3;

async function updateSettings(ctx: Context, options: UpdateSettingsOptions): Promise<void> {
  const { defaultTokenDays, maxTokenDays, maxTokensPerUser, sessionHours, dryRun = false } = options;
  const change = {
    ...(defaultTokenDays !== undefined && { default_token_days: defaultTokenDays }),
    ...(maxTokenDays !== undefined && { max_token_days: maxTokenDays }),
    ...(maxTokensPerUser !== undefined && {
      max_tokens_per_user: maxTokensPerUser === 'unlimited' ? null : maxTokensPerUser,
    }),
    ...(sessionHours !== undefined && { session_hours: sessionHours }),
  };
  if (Object.keys(change).length === 0) {
    throw new PangolinError('invalid_argument', 'Nothing to change.', {
      hint: 'See what can be: pangolin-admin update-settings --help',
    });
  }
  const { client } = await ctx.connect();
  const answer = await ctx.working('Changing the settings', client.settings.update(change, { dryRun }));
  const verb = dryRun ? 'would be' : 'are now';
  if (answer.affected_count > 0) await ctx.say(`${answer.affected_count} valid tokens ${verb} refused.`);
  const affected = answer.affected_tokens.map((token) => token.id);
  const unshown = ctx.terminal ? affected.splice(SHOWN_ON_TERMINAL).length : 0;
  await printObject(ctx, answer, {
    ...settingsFields(answer),
    dry_run: answer.dry_run,
    affected_count: answer.affected_count,
    affected_tokens: unshown > 0 ? [...affected, '(all of them: --json)'] : affected,
  });
}
