import { isSecretText } from '../credentials/secret-text.ts';
import { PangolinError } from '../errors.ts';

/**
 * What fields of an answer must be for a client to work with it; those with a question mark may be missing.
 * A `list` is one of objects.
 */
export type Shape = Readonly<Record<string, 'whole' | 'secret' | 'secret?' | 'time?' | 'object?' | 'list' | 'list?'>>;

/** Secrets go to terminals, pipes and headers as they are: in any answer, these fields hold one and nothing else. */
const EVERYWHERE: Shape = {
  token: 'secret?',
  api_key: 'secret?',
  password: 'secret?',
  access_token: 'secret?',
  expires_at: 'time?',
};

/**
 * Reads an answer where an object is due. `label` says what was answered by whom, for messages, which never repeat a
 * field. Throws `unexpected_answer`.
 */
export function readObjectAnswer(value: unknown, shape: Shape, label: string): object {
  if (!isObject(value)) throw unexpected(`${label} with something that is not an object`);
  checkFields(value, EVERYWHERE, label);
  checkFields(value, shape, label);
  return value;
}

/** Reads an answer where a list of objects is due. Throws `unexpected_answer`. */
export function readListAnswer(value: unknown, label: string): object[] {
  if (!isListOfObjects(value)) throw unexpected(`${label} with something that is not a list of objects`);
  for (const row of value) checkFields(row, EVERYWHERE, label);
  return value;
}

/** The error for an answer that no Pangolin server gives. */
export const unexpected = (message: string): PangolinError =>
  new PangolinError('unexpected_answer', message, {
    hint: 'Check that the address is that of a Pangolin server (--url, PANGOLIN_URL)',
  });

function checkFields(value: object, shape: Shape, label: string): void {
  for (const [name, kind] of Object.entries(shape)) {
    if (!ACCEPTS[kind](Reflect.get(value, name)))
      throw unexpected(`${label} with a field ${name} that is ${NOT[kind]}`);
  }
}

const isObject = (value: unknown): value is object =>
  value !== null && typeof value === 'object' && !Array.isArray(value);

const isListOfObjects = (value: unknown): value is object[] => Array.isArray(value) && value.every(isObject);

const ACCEPTS: Record<Shape[string], (value: unknown) => boolean> = {
  whole: Number.isSafeInteger,
  secret: isSecretText,
  'secret?': (value) => value === undefined || value === null || isSecretText(value),
  // What it says is not read here: a time that cannot be parsed is shown as it is.
  'time?': (value) => value === undefined || value === null || typeof value === 'string',
  'object?': (value) => value === undefined || isObject(value),
  list: isListOfObjects,
  'list?': (value) => value === undefined || isListOfObjects(value),
};

const NOT: Record<Shape[string], string> = {
  whole: 'not a whole number',
  secret: 'no secret on one line',
  'secret?': 'no secret on one line',
  'time?': 'not a time',
  'object?': 'not an object',
  list: 'not a list of objects',
  'list?': 'not a list of objects',
};
