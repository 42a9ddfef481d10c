import type { Context } from '@pangolin/shared/cli';

/** Warns of a password that a flag gives as part of a database URL: arguments are for everybody on the machine to read. */
export async function warnOfPassword(ctx: Context, flag: string, url: string | undefined): Promise<void> {
  if (url === undefined || !hasPassword(url)) return;
  await ctx.say(
    `Warning: everybody on this machine can read the password in ${flag} in its list of processes. ` +
      'Give the URL in PANGOLIN_DATABASE_URL, or the password in PGPASSWORD.',
  );
}

const hasPassword = (url: string): boolean =>
  /^postgres/.test(url) && (!URL.canParse(url) || new URL(url).password !== '' || /[?&]password=/.test(url));
