import { InvalidArgumentError, Option } from '@commander-js/extra-typings';
import type { readLifetime } from '@pangolin/shared/cli';
import { readIsoDuration, TOKEN_DURATION_NAMES, TOKEN_DURATIONS } from '@pangolin/shared/contract/durations';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** Reads an ISO 8601 duration (P30D, PT12H), or the name of one of DataHub's, in the fields of the wire. */
function readDuration(value: string): ReturnType<typeof readLifetime> {
  const text = value.trim();
  const spelling = text.toUpperCase().replaceAll('-', '_');
  const name = TOKEN_DURATION_NAMES.find((one) => one === spelling);
  const iso = name === undefined ? text : TOKEN_DURATIONS[name];
  if (iso === null) return { expires_at: null };
  const ms = readIsoDuration(iso);
  if (ms === undefined) {
    throw new InvalidArgumentError(
      `Give an ISO 8601 duration such as P30D, P1Y or PT12H, or one of ${TOKEN_DURATION_NAMES.join(', ')}.`,
    );
  }
  if (ms % MINUTE_MS !== 0)
    throw new InvalidArgumentError('Tokens live for whole minutes: give PT1M, PT90M or the like.');
  if (ms % DAY_MS === 0) return { expires_in_days: ms / DAY_MS };
  return ms % HOUR_MS === 0 ? { expires_in_hours: ms / HOUR_MS } : { expires_in_minutes: ms / MINUTE_MS };
}

/** `--duration`, whose names a shell completes. */
export function durationOption() {
  const option = new Option(
    '--duration <duration>',
    "how long it lives: ISO 8601 such as P30D, P1Y (365 days) or PT12H, or by DataHub's names (default: the policy's)",
  ).argParser(readDuration);
  option.argChoices = [...TOKEN_DURATION_NAMES];
  return option;
}
