import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const SOURCES = fileURLToPath(new URL('../../../packages/server/src', import.meta.url));

const TABLES = 'audit_events|audit_checkpoints';
const CHANGES = [
  new RegExp(`\\b(?:updateTable|deleteFrom|replaceInto|mergeInto)\\(\\s*['"\`](?:${TABLES})\\b`),
  new RegExp(`\\b(?:update|delete\\s+from|drop\\s+table|truncate|alter\\s+table)\\s+"?(?:${TABLES})\\b`, 'i'),
];

test('no query changes or deletes what was recorded; a restore alone puts another history in the place of a whole one', () => {
  const sources = readdirSync(SOURCES, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
  expect(sources.length).toBeGreaterThan(100);
  const changing = sources.filter((name) => {
    if (name.startsWith('backups/')) return false;
    const text = readFileSync(join(SOURCES, name), 'utf8');
    return CHANGES.some((change) => change.test(text));
  });
  expect(changing).toEqual([]);
});
