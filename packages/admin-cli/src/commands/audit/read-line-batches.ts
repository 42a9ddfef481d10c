import { PangolinError } from '@pangolin/shared/cli';

/** No event is nearly as long; what is longer is not read into memory. */
export const MAX_LINE_LENGTH = 256 * 1024;

const NEWLINE = 0x0a;

/**
 * The lines of a stream, some at a time and without their ends, decoded so that different bytes are different text.
 * Throws `audit_log_broken`, naming the line, for what is not UTF-8, too long, or not ended.
 */
export async function* readLineBatches(input: AsyncIterable<Uint8Array | string>): AsyncGenerator<string[]> {
  let rest: Buffer = Buffer.alloc(0);
  let lines = 0;
  for await (const chunk of input) {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    const end = bytes.lastIndexOf(NEWLINE);
    if (end < 0) {
      rest = Buffer.concat([rest, bytes]);
      if (rest.length > MAX_LINE_LENGTH) throw brokenLine(lines + 1, 'is longer than any line of an export');
      continue;
    }
    const block = Buffer.concat([rest, bytes.subarray(0, end + 1)]);
    rest = Buffer.from(bytes.subarray(end + 1));
    const text = decode(block);
    const batch = text === undefined ? decodeWhile(block) : text.slice(0, -1).split('\n');
    lines += batch.length;
    yield batch;
    if (text === undefined) throw brokenLine(lines + 1, 'is not UTF-8');
  }
  if (rest.length > 0) throw brokenLine(lines + 1, 'is cut off: it does not end');
}

/** The error for a line, by its number. */
export const brokenLine = (line: number, why: string): PangolinError =>
  new PangolinError('audit_log_broken', `Line ${line} ${why}.`);

/** The lines before the first that is not UTF-8. */
function decodeWhile(block: Buffer): string[] {
  const lines: string[] = [];
  for (let start = 0; start < block.length; ) {
    const end = block.indexOf(NEWLINE, start);
    const line = decode(block.subarray(start, end));
    if (line === undefined) break;
    lines.push(line);
    start = end + 1;
  }
  return lines;
}

function decode(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
