import { type FieldProblem, PangolinError } from '@pangolin/shared/errors';
import type { Context } from 'hono';
import type * as z from 'zod/mini';
import type { Env } from './env.ts';
import { readHeader } from './headers.ts';

/** Under /api/v1 and on OAuth endpoints. */
const MAX_BODY_BYTES = 1024 * 1024;

/** How many fields a refusal names: an answer is not larger than what was asked. */
const MAX_PROBLEMS = 20;

/**
 * Reads a JSON object; kebab-case names are read as snake_case. Undefined when it may be left out and was.
 * Throws `unsupported_media_type`, `body_too_large` and `invalid_request` with the field's name.
 */
export async function readJsonBody(c: Context<Env>, schema: z.ZodMiniType, optional: boolean): Promise<unknown> {
  const text = await readText(c, MAX_BODY_BYTES);
  if (text === '' && optional) return parse(schema, {});
  requireContentType(c, 'application/json');
  const value = parseJson(text);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new PangolinError('invalid_request', 'The body must be a JSON object.');
  }
  return parse(schema, ...foldNames(value as Record<string, unknown>));
}

/**
 * Reads the text of a JSON body; a request that has none gets an empty object. `take` is told how many bytes it is going to
 * hold, at once where the length is announced, else as they come. Throws as `readJsonBody`, and what `take` throws.
 */
export async function readJsonText(c: Context<Env>, maxBytes: number, take: (bytes: number) => void): Promise<string> {
  const text = await readText(c, maxBytes, take);
  if (text === '') return '{}';
  requireContentType(c, 'application/json');
  return text;
}

/** Reads a form (RFC 6749 §3.2); empty parameters count as absent, repeated ones are refused. */
export async function readFormBody(c: Context<Env>, schema: z.ZodMiniType): Promise<unknown> {
  requireContentType(c, 'application/x-www-form-urlencoded');
  const fields = readOnce(await readText(c, MAX_BODY_BYTES));
  return parse(schema, Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== '')));
}

function readOnce(encoded: string): Record<string, string> {
  const fields = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(encoded)) {
    if (fields.has(name))
      throw new PangolinError('invalid_request', `The parameter ${quote(name)} is given more than once.`);
    fields.set(name, value);
  }
  return Object.fromEntries(fields);
}

/** Reads the query of a URL; what is given twice is refused, since somebody on the way may have read the other one. */
export function readQuery(url: string): Record<string, string> {
  const start = url.indexOf('?');
  return start < 0 ? {} : readOnce(url.slice(start));
}

/** Parses path parameters or a query. */
export const readFields = (schema: z.ZodMiniType, fields: Record<string, string>): unknown =>
  parse(schema, ...foldNames(fields));

function parse(schema: z.ZodMiniType, value: unknown, spelling: ReadonlyMap<string, string> = new Map()): unknown {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issues = result.error.issues.slice(0, MAX_PROBLEMS) as Issue[];
  const fields = issues.flatMap((issue) => describeIssue(issue, spelling)).slice(0, MAX_PROBLEMS);
  const [first] = fields;
  const message = first
    ? `${first.field === '' ? 'The request' : `The field ${quote(first.field)}`} ${first.message}.`
    : 'The request is not valid.';
  throw new PangolinError('invalid_request', message, { fields });
}

/** The members of zod's issues that are told to people. */
interface Issue {
  code: string;
  path: PropertyKey[];
  message: string;
  input?: unknown;
  expected?: string;
  keys?: string[];
  values?: unknown[];
  minimum?: number;
  maximum?: number;
  origin?: string;
}

function describeIssue(issue: Issue, spelling: ReadonlyMap<string, string>): FieldProblem[] {
  const nameOf = (key: string) => spelling.get(key) ?? key;
  if (issue.code === 'unrecognized_keys') {
    return (issue.keys ?? [])
      .slice(0, MAX_PROBLEMS)
      .map((key) => ({ field: nameOf(key).slice(0, 100), message: 'is not known here' }));
  }
  const [head = '', ...rest] = issue.path.map(String);
  const field = [nameOf(head), ...rest].join('.');
  return [{ field, message: describe(issue) }];
}

function describe(issue: Issue): string {
  switch (issue.code) {
    case 'invalid_type':
      return issue.input === undefined && issue.message === 'Invalid input'
        ? `is missing or not a ${issue.expected}`
        : ownWords(issue, `must be a ${issue.expected}`);
    case 'invalid_value':
      return `must be ${(issue.values ?? []).map(String).join(' or ')}`;
    case 'too_small':
      if (issue.origin === 'string' && issue.minimum === 1) return ownWords(issue, 'must not be empty');
      return ownWords(issue, `must be at least ${issue.minimum}${issue.origin === 'string' ? ' characters long' : ''}`);
    case 'too_big':
      return ownWords(issue, `must be at most ${issue.maximum}${issue.origin === 'string' ? ' characters long' : ''}`);
    default:
      return ownWords(issue, 'is not valid');
  }
}

const ownWords = (issue: Issue, otherwise: string): string =>
  issue.message === 'Invalid input' ? otherwise : issue.message;

/** Existing Pangolin clients spell `tenant-id`; both spellings at once would be two answers to one question. */
function foldNames(value: Record<string, unknown>): [Record<string, unknown>, ReadonlyMap<string, string>] {
  const spelling = new Map<string, string>();
  for (const name of Object.keys(value)) {
    const folded = name.replaceAll('-', '_');
    if (spelling.has(folded)) throw new PangolinError('invalid_request', `The field ${quote(name)} is given twice.`);
    spelling.set(folded, name);
  }
  return [Object.fromEntries([...spelling].map(([folded, name]) => [folded, value[name]])), spelling];
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new PangolinError('invalid_request', text === '' ? 'A JSON body is needed.' : 'The body is not valid JSON.', {
      cause,
    });
  }
}

function requireContentType(c: Context<Env>, wanted: string): void {
  const given = readHeader(c, 'content-type')?.split(';')[0]?.trim().toLowerCase();
  if (given === wanted) return;
  throw new PangolinError(
    'unsupported_media_type',
    `The content type must be ${wanted}${given ? `, not ${quote(given)}` : ''}.`,
  );
}

async function readText(c: Context<Env>, maxBytes: number, take?: (bytes: number) => void): Promise<string> {
  try {
    return await readBounded(c, maxBytes, take);
  } catch (error) {
    if (error instanceof PangolinError || !isHangUp(error)) throw error;
    throw new PangolinError('invalid_request', 'The request ended before its body did.', { cause: error });
  }
}

/** Whether the other side went away; nobody will read the answer. */
function isHangUp(error: unknown): boolean {
  const { name, code, message } = error as NodeJS.ErrnoException;
  return (
    name === 'AbortError' ||
    code === 'ECONNRESET' ||
    code === 'ERR_STREAM_PREMATURE_CLOSE' ||
    /abort|connection closed/i.test(message)
  );
}

/** Counts while it reads: a length may be missing, or wrong. */
async function readBounded(c: Context<Env>, maxBytes: number, take?: (bytes: number) => void): Promise<string> {
  const tooLarge = () => new PangolinError('body_too_large', `The body is larger than ${maxBytes / 1024 / 1024} MiB.`);
  const announced = Number(readHeader(c, 'content-length') ?? Number.NaN);
  if (announced > maxBytes) throw tooLarge();
  if (announced <= maxBytes) {
    take?.(announced);
    return c.req.raw.text();
  }
  const { body } = c.req.raw;
  if (!body) return '';
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body as unknown as AsyncIterable<Uint8Array>) {
    size += chunk.byteLength;
    if (size > maxBytes) throw tooLarge();
    take?.(chunk.byteLength);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

const quote = (name: string): string => `'${name.replace(/[^\x20-\x7e]/g, '?').slice(0, 100)}'`;
