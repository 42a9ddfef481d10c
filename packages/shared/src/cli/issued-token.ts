import type { WireClient } from '../client/wire-client.ts';
import type { IssuedToken } from '../contract/tokens.ts';
import type { Context } from './context.ts';
import { printSecret, RULE } from './secret-output.ts';
import { type FieldValue, fieldText } from './table.ts';

/** What is said around a new token. */
interface TokenStory {
  client: WireClient;
  /** Lines in the frame, besides the token and its end. */
  fields?: Readonly<Record<string, FieldValue>>;
  /** What a pipe is told on stderr beside the token. */
  aside?: string;
  /** What to type when it could not be shown, nor be revoked again. */
  remedy: string;
}

/** Shows a new token once: alone in a pipe, framed on a terminal. One that cannot be shown is revoked again. */
export function printIssuedToken(
  ctx: Context,
  issued: IssuedToken,
  { client, fields = {}, ...story }: TokenStory,
): Promise<void> {
  return printSecret(ctx, {
    ...story,
    secret: issued.token,
    json: issued,
    plain: `${issued.token}\n`,
    terminal: () => tokenBox(issued, fields, client.origin ?? 'http://localhost:8080'),
    undo: () => client.tokens.revoke(issued.id, 'it could not be shown'),
    undone: 'The token was revoked again.',
  });
}

const tokenBox = (issued: IssuedToken, fields: Readonly<Record<string, FieldValue>>, origin: string): string =>
  [
    '✅ Token generated successfully!',
    RULE,
    `Token: ${issued.token}`,
    ...Object.entries(fields).map(([name, value]) => `${name}: ${fieldText(value)}`),
    `Expires: ${fieldText(issued.expires_at ?? 'never')}`,
    RULE,
    '',
    '⚠️  Save this token securely. It will not be shown again.',
    '💡 Use this token with PyIceberg:',
    `   catalog = load_catalog('default', uri='${origin}/v1/default', token='<TOKEN>')`,
    '',
  ].join('\n');
