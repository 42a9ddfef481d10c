import { type Context, printSecret, RULE, toFieldBlock } from '@pangolin/shared/cli';
import type { IssuedApiKey } from '@pangolin/shared/contract';
import { issuedKeyFields } from './service-user-columns.ts';

/** What is said around a new key, and what happens when it cannot be shown. */
interface KeyStory {
  /** Where the key is good; null for the embedded server. */
  origin: string | null;
  title: string;
  undo?: () => Promise<unknown>;
  undone: string;
  remedy: string;
}

/** Shows a new API key once: alone in a pipe with its id on stderr, framed on a terminal. */
export async function printIssuedKey(
  ctx: Context,
  issued: IssuedApiKey,
  { title, origin, ...story }: KeyStory,
): Promise<void> {
  if (issued.expiry_source === 'policy_default')
    await ctx.say(`The key expires at ${issued.expires_at}, as the policy has it for keys where nothing is asked for.`);
  await printSecret(ctx, {
    ...story,
    secret: issued.api_key,
    json: issued,
    plain: `${issued.api_key}\n`,
    aside: `id: ${issued.id}`,
    terminal: (style) =>
      [
        `✅ ${title}`,
        RULE,
        `${toFieldBlock(issuedKeyFields(issued), style)}${RULE}`,
        '',
        '⚠️  Save this key securely. It will not be shown again.',
        `💡 Use it: curl -H "X-API-Key: <API KEY>" ${origin ?? 'http://localhost:8080'}/api/v1/catalogs`,
        '',
      ].join('\n'),
  });
}
