import * as z from 'zod/mini';

/**
 * Says in the OpenAPI document that words are read in any case, and with or without dashes, underscores and spaces; the
 * first spelling of each is the one to use.
 */
export const spelledAs = (words: readonly string[]) =>
  z.meta({ anyOf: [{ enum: [...words] }, { pattern: `^(?:${words.map(inAnySpelling).join('|')})$` }] });

const inAnySpelling = (word: string): string =>
  `[-_ ]*${[...word.replace(/[-_ ]/g, '')].map((letter) => `[${letter.toLowerCase()}${letter.toUpperCase()}][-_ ]*`).join('')}`;
