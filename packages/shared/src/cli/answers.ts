import type { Context } from './context.ts';
import { type Column, type FieldValue, toFieldBlock, toFieldLines, toTabLines, toTable } from './table.ts';

/** Prints a list: a table on a terminal, tab-separated lines in a pipe, an array in JSON. */
export async function printList<Row>(
  ctx: Context,
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  whenEmpty: string,
): Promise<void> {
  if (rows.length === 0) await ctx.say(whenEmpty);
  if (rows.length === 0 && !ctx.flags.json) return;
  await ctx.print({
    json: rows,
    plain: toTabLines(columns, rows),
    terminal: (style, width) => toTable(columns, rows, style, width),
  });
}

/** Prints one object: aligned on a terminal, `field<TAB>value` lines in a pipe, whole in JSON. */
export const printObject = (ctx: Context, json: unknown, fields: Readonly<Record<string, FieldValue>>): Promise<void> =>
  ctx.print({ json, plain: toFieldLines(fields), terminal: (style) => toFieldBlock(fields, style) });

/** Reports what was done: a remark on stderr, or the wire's answer in JSON. */
export const printDone = (ctx: Context, json: unknown, message: string): Promise<void> =>
  ctx.flags.json ? ctx.print({ json, plain: '' }) : ctx.say(message);

/** A time as a table shows it: `2027-02-20 12:00`, in UTC; what is no time stays as it is. */
export function formatTime(time: string | null): string {
  const moment = new Date(typeof time === 'string' ? time : Number.NaN);
  if (Number.isNaN(moment.getTime())) return time ?? '';
  return moment.toISOString().slice(0, 16).replace('T', ' ');
}
