const ESCAPES: Record<string, string> = { '\t': '\\t', '\n': '\\n', '\r': '\\r' };

// Control characters (C0, DEL, C1), line separators and the marks that reorder text.
const UNSAFE = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/gu;

const escapeCharacter = (character: string): string =>
  ESCAPES[character] ?? `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;

/** One line of visible text: whatever could move a cursor, end a field or reorder a line is written as an escape. */
export const sanitizeLine = (text: string): string => text.replace(UNSAFE, escapeCharacter);

/**
 * Visible text on several lines. A line that a continuous-integration runner would read as a command (`::name::`) is
 * broken up.
 */
export const sanitizeText = (text: string): string =>
  text
    .split(/\r?\n/)
    .map(sanitizeLine)
    .join('\n')
    .replace(/^(\s*):(?=:)/gmu, '$1: ');
