import type { Command } from '@commander-js/extra-typings';
import { type Context, examples, printObject } from '@pangolin/shared/cli';
import type { SigningKeyRotation } from '@pangolin/shared/contract';

/** How long whoever verifies tokens by the JWKS may keep a copy of it. */
const JWKS_MAX_AGE_MS = 5 * 60_000;

/** `rotate-signing-key`: the next key signs, and nothing is invalidated. */
export function registerRotateSigningKey(program: Command, ctx: () => Context): void {
  program
    .command('rotate-signing-key')
    .summary('sign tokens with the next key from now on')
    .description(
      'Lets the next key sign, retires the one that signed, and makes a new next key. No token is invalidated: the ' +
        'retired key verifies until the last token it signed has expired. To end tokens, revoke them.',
    )
    .addHelpText('after', examples('pangolin-admin rotate-signing-key', 'pangolin-admin rotate-signing-key --json'))
    .action(() => rotateSigningKey(ctx()));
}

async function rotateSigningKey(ctx: Context): Promise<void> {
  const { client } = await ctx.connect();
  const rotation = await ctx.working('Rotating the signing key', client.signingKeys.rotate());
  const { retired, active, next } = rotation;
  const end =
    retired.verify_until === null ? 'without end, as there are tokens that have none' : `until ${retired.verify_until}`;
  await ctx.say(`Nothing is invalidated: tokens signed by ${retired.kid} verify ${end}.`);
  if (isNews(rotation)) {
    await ctx.say(
      `${active.kid} was published less than 5 minutes ago: whoever verifies tokens by a copy of the JWKS may not know it yet.`,
    );
  }
  await printObject(ctx, rotation, {
    active: active.kid,
    next: next.kid,
    retired: retired.kid,
    verify_until: retired.verify_until,
  });
}

const isNews = ({ active }: SigningKeyRotation): boolean =>
  active.activated_at !== null && Date.parse(active.activated_at) - Date.parse(active.created_at) < JWKS_MAX_AGE_MS;
