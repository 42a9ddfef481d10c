import { type Context, type FieldValue, fieldText, printSecret, RULE, toFieldBlock } from '@pangolin/shared/cli';

/** What is said around a generated password, and what happens when it cannot be shown. */
interface PasswordStory {
  title: string;
  json: { id: string; username: string };
  password: string;
  undo?: () => Promise<unknown>;
  undone: string;
  remedy: string;
}

/** Shows a generated password once: alone in a pipe with the user's id on stderr, framed on a terminal. */
export function printPassword(ctx: Context, { title, password, ...story }: PasswordStory): Promise<void> {
  const { id, username } = story.json;
  const fields: Record<string, FieldValue> = { Id: id, Username: username, Password: password };
  return printSecret(ctx, {
    ...story,
    secret: password,
    plain: `${password}\n`,
    aside: `id: ${id}`,
    terminal: (style) =>
      [
        `✅ ${title}`,
        RULE,
        `${toFieldBlock(fields, style)}${RULE}`,
        '',
        '⚠️  Save this password securely. It will not be shown again.',
        `💡 Log in: pangolin-user login --url URL --username ${fieldText(username)}`,
        '',
      ].join('\n'),
  });
}
