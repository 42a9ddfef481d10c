import { PangolinError } from '../errors.ts';

/** Whether a value is a token or key as it may stand in a header: printable ASCII without spaces, at most 16 KiB. */
export const isSecretText = (value: unknown): boolean =>
  typeof value === 'string' && /^[\x21-\x7e]{1,16384}$/.test(value);

/**
 * A token or key as it may stand in a header: printable ASCII without spaces, at most 16 KiB.
 * `label` names where it came from. Throws `credential_malformed`, never repeating it.
 */
export function readSecretText(text: string, label: string): string {
  if (isSecretText(text)) return text;
  const problem =
    text === ''
      ? 'is empty'
      : text.length > 16_384
        ? 'is too long'
        : 'holds spaces, line breaks or other characters that no token has';
  throw new PangolinError('credential_malformed', `${label} ${problem}`, {
    hint: 'It must be exactly one token on one line, as get-token prints it',
  });
}

/** A secret that ends in a line break, as files and commands end. */
export const readSecretLine = (text: string, label: string): string =>
  readSecretText(text.replace(/\r?\n$/, ''), label);
