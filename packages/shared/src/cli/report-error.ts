import { PangolinError } from '../errors.ts';
import { sanitizeText } from './sanitize.ts';
import type { Style } from './style.ts';

/** How an error is told: as text for people or as one JSON object. */
export interface ErrorReport {
  exitCode: number;
  text(style: Style): string;
  json: { error: Record<string, unknown> };
}

/** What a bug report needs to say. */
export interface ReportDetails {
  program: string;
  version: string;
  nodeVersion: string;
  platform: string;
  /** PANGOLIN_DEBUG is set: stacks and causes, which may hold secrets, are shown. */
  debug: boolean;
}

/** Tells a Pangolin error with its hint, and anything else as a bug, without its message, which may hold anything. */
export function describeError(error: unknown, details: ReportDetails): ErrorReport {
  const known = error instanceof PangolinError ? error : asBug(error, details);
  const { code, hint, exitCode, fields, retryAfterSeconds } = known;
  const message = sanitizeText(known.message);
  const untold = fields?.filter(({ field, message: problem }) => !message.includes(`'${field}' ${problem}`)) ?? [];
  const wrong = untold.map(({ field, message: problem }) => sanitizeText(`${field}: ${problem}`));
  const extra = wrong.filter((line) => !message.includes(line));
  const stack = details.debug ? stackOf(error) : undefined;
  return {
    exitCode,
    text: (style) =>
      [
        `${style.red('Error:')} ${message}`,
        ...extra.map((line) => `  ${line}`),
        ...(hint === undefined ? [] : [style.yellow(sanitizeText(hint))]),
        ...(stack === undefined ? [] : [stack]),
        '',
      ].join('\n'),
    json: {
      error: {
        code,
        message: known.message,
        ...(hint !== undefined && { hint }),
        exit_code: exitCode,
        ...(fields && { fields }),
        ...(retryAfterSeconds !== undefined && { retry_after_seconds: retryAfterSeconds }),
        ...(stack !== undefined && { stack }),
      },
    },
  };
}

function asBug(error: unknown, { program, version, nodeVersion, platform }: ReportDetails): PangolinError {
  const name = error instanceof Error ? error.name : typeof error;
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? ` ${error.code}` : '';
  return new PangolinError('internal_error', `This is a bug in Pangolin (${name}${code}).`, {
    cause: error,
    hint: [
      `Please report it with: ${program} ${version}, Node ${nodeVersion}, ${platform}, the command you typed`,
      'without its secrets, and what PANGOLIN_DEBUG=1 adds to this message (read it before you send it).',
    ].join(' '),
  });
}

function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const stack = error.stack ?? String(error);
  return error.cause === undefined ? stack : `${stack}\nCaused by: ${stackOf(error.cause)}`;
}
