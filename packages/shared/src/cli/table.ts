import { sanitizeLine } from './sanitize.ts';
import type { Style } from './style.ts';

/** One column of a list: its heading on a terminal and its value in a row. */
export interface Column<Row> {
  title: string;
  value(row: Row): string | number | boolean | null;
  /** What a terminal shows instead of `value`; null leaves the column to pipes. */
  terminal?: ((row: Row) => string) | null;
  /** Shortened first when a terminal is too narrow. */
  flexible?: boolean;
}

/** A value on one line, even where a server answered something else than was promised. */
const cellOf = (value: unknown): string => {
  if (value === null || value === undefined) return '';
  return sanitizeLine(typeof value === 'object' ? JSON.stringify(value) : String(value));
};

/** Lines of tab-separated values, without a heading; empty for no rows. */
export const toTabLines = <Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string =>
  rows.map((row) => `${columns.map((column) => cellOf(column.value(row))).join('\t')}\n`).join('');

/** `field<TAB>value` lines for one object; lists are joined with spaces, nothing is an empty value. */
export const toFieldLines = (fields: Readonly<Record<string, FieldValue>>): string =>
  Object.entries(fields)
    .map(([field, value]) => `${field}\t${fieldText(value)}\n`)
    .join('');

export type FieldValue = string | number | boolean | null | undefined | readonly string[];

/** The value of one field on one line. */
export const fieldText = (value: FieldValue): string =>
  Array.isArray(value) ? value.map(cellOf).join(' ') : cellOf(value);

/** The fields of one object, aligned for a terminal. */
export function toFieldBlock(fields: Readonly<Record<string, FieldValue>>, style: Style): string {
  const names = Object.keys(fields);
  const width = Math.max(0, ...names.map((name) => name.length)) + 2;
  return names.map((name) => `${style.bold(name.padEnd(width))}${fieldText(fields[name]) || '-'}\n`).join('');
}

const NARROWEST = 12;

/** A table for a terminal of `width` columns. */
export function toTable<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  style: Style,
  width: number,
): string {
  const shown = columns.filter((column) => column.terminal !== null);
  const cells = rows.map((row) =>
    shown.map((column) => (column.terminal ? cellOf(column.terminal(row)) : cellOf(column.value(row))) || '-'),
  );
  const widths = shown.map((column, at) =>
    Math.max(displayWidth(column.title), ...cells.map((line) => displayWidth(line[at] ?? ''))),
  );
  const gaps = 2 * (shown.length - 1);
  for (const [at, column] of shown.entries()) {
    const excess = widths.reduce((sum, one) => sum + one, gaps) - width;
    if (column.flexible && excess > 0) widths[at] = Math.max(NARROWEST, (widths[at] ?? 0) - excess);
  }
  const line = (values: readonly string[]): string =>
    values
      .map((value, at) => padToWidth(shortenToWidth(value, widths[at] ?? 0), widths[at] ?? 0))
      .join('  ')
      .trimEnd();
  const heading = style.bold(line(shown.map((column) => column.title)));
  return `${[heading, ...cells.map(line)].join('\n')}\n`;
}

const WIDE =
  /\p{Emoji_Presentation}|[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]/u;
const NARROW = /^[\x20-\x7e]*$/;

const characterWidth = (character: string): number => {
  if (/[\p{M}\u200b-\u200d]/u.test(character)) return 0;
  return WIDE.test(character) ? 2 : 1;
};

/** Columns a line takes on a terminal: wide characters count two, combining ones none. */
const displayWidth = (text: string): number =>
  NARROW.test(text) ? text.length : [...text].reduce((sum, character) => sum + characterWidth(character), 0);

const padToWidth = (text: string, width: number): string => text + ' '.repeat(Math.max(0, width - displayWidth(text)));

function shortenToWidth(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  let kept = '';
  let used = 1;
  for (const character of text) {
    used += characterWidth(character);
    if (used > width) break;
    kept += character;
  }
  return `${kept}…`;
}
