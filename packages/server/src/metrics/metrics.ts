import type { Endpoint } from '@pangolin/shared/contract/endpoint';
import type { ErrorCode } from '@pangolin/shared/errors';
import type { Bindings } from '../http/env.ts';
import { readIssuance } from './issuance.ts';

/** Upper bounds of the latency buckets, in seconds; a request whose credential is known takes less than the first. */
export const LATENCY_BUCKETS = [
  0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
];

/** Upper bounds of the buckets of the event loop's lag, in seconds. */
export const LAG_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1];

export const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'other'] as const;

/** Status classes 1xx to 5xx. */
const CLASSES = 5;

/** How often each bucket was hit, the last one by what is above all bounds, and the sum of what was observed. */
export interface Histogram {
  counts: Float64Array;
  sum: number;
}

/** What is counted of one feature's requests. */
interface GroupCounts {
  /** By method and status class: `method * 5 + class - 1`. */
  answers: Float64Array;
  latency: Histogram;
  limited: number;
}

/** Counts in memory since the process began; nothing here names anybody. */
export interface Metrics {
  readonly groups: ReadonlyMap<string, GroupCounts>;
  readonly refusals: ReadonlyMap<ErrorCode, number>;
  /** By `issued personal`, `rotated api_key`, `revoked` …; see issuance.ts. */
  readonly credentials: ReadonlyMap<string, number>;
  readonly lag: Histogram;
  readonly undecided: number;
  readonly inFlight: number;
  /** A request whose answer takes a while has begun. */
  begin(): void;
  /** It has ended, whatever came of it. */
  end(): void;
  /** Counts an answer; about a microsecond, for every request. */
  answered(env: Bindings, method: string | undefined, status: number, seconds: number): void;
  /** A credential could not be checked, because the database did not answer. */
  checkFailed(): void;
  lagged(seconds: number): void;
}

export function createMetrics(): Metrics {
  const groups = new Map<string, GroupCounts>();
  const refusals = new Map<ErrorCode, number>();
  const credentials = new Map<string, number>();
  const lag = createHistogram(LAG_BUCKETS);
  let undecided = 0;
  let inFlight = 0;

  function groupOf(name: string): GroupCounts {
    const known = groups.get(name);
    if (known) return known;
    const counts = {
      answers: new Float64Array(METHODS.length * CLASSES),
      latency: createHistogram(LATENCY_BUCKETS),
      limited: 0,
    };
    groups.set(name, counts);
    return counts;
  }

  function countCredential(endpoint: Endpoint): void {
    const issuance = readIssuance(endpoint);
    if (issuance !== undefined) increment(credentials, issuance);
  }

  return {
    groups,
    refusals,
    credentials,
    lag,
    get undecided() {
      return undecided;
    },
    get inFlight() {
      return inFlight;
    },
    begin() {
      inFlight += 1;
    },
    end() {
      inFlight -= 1;
    },
    answered(env, method, status, seconds) {
      const group = groupOf(env.group ?? 'other');
      const place = methodIndex(method) * CLASSES + Math.floor(status / 100) - 1;
      group.answers[place] = (group.answers[place] ?? 0) + 1;
      observe(group.latency, LATENCY_BUCKETS, seconds);
      for (const change of env.changes ?? []) increment(credentials, change);
      if (env.refusal) {
        increment(refusals, env.refusal.code);
        if (status === 429) group.limited += 1;
      } else if (method !== 'GET' && env.endpoint && status < 300) countCredential(env.endpoint);
    },
    checkFailed() {
      undecided += 1;
    },
    lagged: (seconds) => observe(lag, LAG_BUCKETS, seconds),
  };
}

const createHistogram = (bounds: readonly number[]): Histogram => ({
  counts: new Float64Array(bounds.length + 1),
  sum: 0,
});

function observe(histogram: Histogram, bounds: readonly number[], value: number): void {
  let i = 0;
  while (i < bounds.length && value > (bounds[i] ?? 0)) i += 1;
  histogram.counts[i] = (histogram.counts[i] ?? 0) + 1;
  histogram.sum += value;
}

function methodIndex(method: string | undefined): number {
  if (method === 'GET') return 0;
  const index = (METHODS as readonly (string | undefined)[]).indexOf(method);
  return index < 0 ? METHODS.length - 1 : index;
}

const increment = <Key>(counts: Map<Key, number>, key: Key): void => void counts.set(key, (counts.get(key) ?? 0) + 1);
