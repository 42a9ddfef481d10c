import {
  type Column,
  type Context,
  fieldText,
  formatTime,
  toFieldBlock,
  toFieldLines,
  toTable,
} from '@pangolin/shared/cli';
import type { SettingsChange } from '@pangolin/shared/contract';
import { settingsFields } from './settings-fields.ts';

/**
 * Shows a change: on a terminal what differs, before and after, and the tokens and keys that are refused; in a pipe every
 * setting as it is then.
 */
export async function printSettingsChange(ctx: Context, answer: SettingsChange): Promise<void> {
  const { affected_count: tokens, affected_key_count: keys = 0, dry_run: dryRun } = answer;
  const changed = dryRun ? 'would change' : 'changed';
  const refused = [counted(tokens, 'token'), counted(keys, 'key')].filter((text) => text !== null);
  const differences = readDifferences(answer);
  if (Object.keys(differences).length === 0) await ctx.say('Nothing changes: the settings are as asked already.');
  else if (ctx.terminal) await ctx.say(`These settings ${changed}:`);
  await ctx.print({
    json: answer,
    plain: toFieldLines({
      ...settingsFields(answer),
      dry_run: dryRun,
      affected_count: tokens,
      affected_tokens: answer.affected_tokens.map((token) => token.id),
      affected_key_count: keys,
      affected_keys: (answer.affected_keys ?? []).map((key) => key.id),
    }),
    terminal: (style, width) =>
      [
        toFieldBlock(differences, style),
        ...(tokens > 0 ? [toTable(TOKEN_COLUMNS, answer.affected_tokens, style, width)] : []),
        ...(keys > 0 ? [toTable(KEY_COLUMNS, answer.affected_keys, style, width)] : []),
      ]
        .filter((part) => part !== '')
        .join('\n'),
  });
  if (refused.length === 0) return;
  const are = dryRun ? 'would be' : tokens + keys === 1 ? 'is now' : 'are now';
  const unlisted = tokens > answer.affected_tokens.length || keys > (answer.affected_keys ?? []).length;
  await ctx.say(`${refused.join(' and ')} ${are} refused.${unlisted ? ' The first 1000 of each are listed.' : ''}`);
}

function readDifferences(answer: SettingsChange): Record<string, string> {
  const before = settingsFields(answer.before ?? answer);
  return Object.fromEntries(
    Object.entries(settingsFields(answer)).flatMap(([field, value]) => {
      const [was, is] = [fieldText(before[field]), fieldText(value)];
      return was === is ? [] : [[field, `${was || 'none'} → ${is || 'none'}`]];
    }),
  );
}

const counted = (count: number, what: string): string | null =>
  count === 0 ? null : `${count} valid ${what}${count === 1 ? '' : 's'}`;

const TOKEN_COLUMNS: Column<SettingsChange['affected_tokens'][number]>[] = [
  { title: 'TOKEN', value: (token) => token.id },
  { title: 'WHOSE', value: (token) => token.username },
  { title: 'NAME', value: (token) => token.name, flexible: true },
  { title: 'EXPIRES', value: (token) => formatTime(token.expires_at ?? 'never') },
];

const KEY_COLUMNS: Column<SettingsChange['affected_keys'][number]>[] = [
  { title: 'KEY', value: (key) => key.preview },
  { title: 'SERVICE USER', value: (key) => key.service_user_name, flexible: true },
  { title: 'CREATED', value: (key) => formatTime(key.created_at) },
  { title: 'EXPIRES', value: (key) => formatTime(key.expires_at ?? 'never') },
];
