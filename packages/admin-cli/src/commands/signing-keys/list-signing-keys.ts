import type { Command } from '@commander-js/extra-typings';
import { type Column, type Context, examples, formatTime, printList } from '@pangolin/shared/cli';
import type { SigningKey } from '@pangolin/shared/contract';

const COLUMNS: Column<SigningKey>[] = [
  { title: 'KID', value: (key) => key.kid },
  { title: 'STATE', value: (key) => key.state },
  { title: 'ALGORITHM', value: (key) => key.algorithm, terminal: null },
  { title: 'CREATED', value: (key) => key.created_at, terminal: (key) => formatTime(key.created_at) },
  { title: 'ACTIVATED', value: (key) => key.activated_at, terminal: (key) => formatTime(key.activated_at) },
  { title: 'RETIRED', value: (key) => key.retired_at, terminal: (key) => formatTime(key.retired_at) },
  { title: 'VERIFIES UNTIL', value: (key) => key.verify_until, terminal: describeEnd },
  {
    title: 'AUDIT',
    value: (key) => key.signed_checkpoint,
    terminal: (key) => (key.signed_checkpoint ? 'signed' : ''),
  },
];

function describeEnd({ state, verify_until }: SigningKey): string {
  return state === 'retired' && verify_until === null ? 'no end' : formatTime(verify_until);
}

/** `list-signing-keys`: what signs tokens now and next, and what still verifies them. */
export function registerListSigningKeys(program: Command, ctx: () => Context): void {
  program
    .command('list-signing-keys')
    .summary('list the keys that sign tokens')
    .description(
      'Lists the keys that sign tokens, newest first: the next one, the active one, and the retired ones with the time ' +
        'until which they verify what they signed. In a pipe: kid, state, algorithm, created, activated, retired, ' +
        'verifies until, signed the audit log, separated by tabs.',
    )
    .addHelpText('after', examples('pangolin-admin list-signing-keys', 'pangolin-admin list-signing-keys --json'))
    .action(() => listSigningKeys(ctx()));
}

async function listSigningKeys(ctx: Context): Promise<void> {
  const { client } = await ctx.connect();
  const keys = await ctx.working('Listing signing keys', client.signingKeys.list({ all: true }));
  await printList(ctx, COLUMNS, keys, 'No signing keys.');
}
