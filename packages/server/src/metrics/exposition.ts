import { type Histogram, LAG_BUCKETS, LATENCY_BUCKETS, METHODS, type Metrics } from './metrics.ts';

/** What is read when somebody asks, not counted as it happens. */
export interface Readings {
  version: string;
  nodeVersion: string;
  databaseAnswers: boolean;
  /** Null: unknown. */
  signingKeyAgeSeconds: number | null;
  /** When the TLS certificate ends, in seconds since 1970; null: no TLS. */
  certificateEndsAt: number | null;
  /** Connections of the pool, by state; null: this database has none. */
  pool: { total: number; idle: number; waiting: number } | null;
  startedAtSeconds: number;
  cpuSeconds: number;
  memory: { rss: number; heapUsed: number; heapTotal: number; external: number };
}

type Sample = [labels: Readonly<Record<string, string>>, value: number, suffix?: string];

/** Prometheus' text format, version 0.0.4. */
export function writeMetrics(metrics: Metrics, readings: Readings): string {
  const lines: string[] = [];
  const family = (name: string, type: 'counter' | 'gauge' | 'histogram', help: string, samples: Sample[]) => {
    if (samples.length === 0) return;
    lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`);
    for (const [labels, value, suffix = ''] of samples) lines.push(`${name}${suffix}${writeLabels(labels)} ${value}`);
  };
  const gauge = (name: string, help: string, value: number | null) =>
    family(name, 'gauge', help, value === null ? [] : [[{}, value]]);
  const { groups, refusals, credentials } = metrics;

  family(
    'pangolin_http_requests_total',
    'counter',
    'Requests that were answered, by the feature they asked for.',
    [...groups].flatMap(([group, { answers }]) => readAnswers(group, answers)),
  );
  family(
    'pangolin_http_request_duration_seconds',
    'histogram',
    'From the arrival of a request to its answer.',
    [...groups].flatMap(([group, { latency }]) => readHistogram({ group }, latency, LATENCY_BUCKETS)),
  );
  gauge('pangolin_http_requests_in_flight', 'Requests whose answer is not there yet.', metrics.inFlight);
  family(
    'pangolin_refusals_total',
    'counter',
    'Requests that were refused or failed, by reason.',
    [...refusals].map(([code, count]) => [{ code }, count]),
  );
  family(
    'pangolin_rate_limited_total',
    'counter',
    'Requests that were answered 429, by the feature they asked for.',
    [...groups].map(([group, { limited }]) => [{ group }, limited]),
  );
  family(
    'pangolin_revocation_check_failures_total',
    'counter',
    'Credentials that could not be checked because the database did not answer; the requests were refused.',
    [[{}, metrics.undecided]],
  );
  for (const [what, help] of [
    ['issued', 'Tokens and API keys that were issued.'],
    ['rotated', 'Tokens and API keys that were replaced.'],
    ['revoked', 'Requests to revoke tokens, or everything of a principal, that were granted.'],
  ]) {
    const samples = [...credentials]
      .filter(([name]) => name.startsWith(`${what} `))
      .map(([name, count]): Sample => [{ kind: name.split(' ')[1] ?? '' }, count]);
    family(`pangolin_credentials_${what}_total`, 'counter', help ?? '', samples);
  }
  gauge('pangolin_database_up', 'Whether the database answered just now.', Number(readings.databaseAnswers));
  gauge('pangolin_signing_key_age_seconds', 'How long the active key has been signing.', readings.signingKeyAgeSeconds);
  gauge(
    'pangolin_tls_certificate_expiry_seconds',
    'When the certificate ends, since 1970.',
    readings.certificateEndsAt,
  );
  family(
    'pangolin_database_pool_connections',
    'gauge',
    'Connections to the database, and requests that wait for one.',
    Object.entries(readings.pool ?? {}).map(([state, count]) => [{ state }, count]),
  );
  family(
    'pangolin_event_loop_lag_seconds',
    'histogram',
    'How late timers are.',
    readHistogram({}, metrics.lag, LAG_BUCKETS),
  );
  gauge('process_start_time_seconds', 'When the process began, since 1970.', readings.startedAtSeconds);
  family('process_cpu_seconds_total', 'counter', 'Processor time, user and system.', [[{}, readings.cpuSeconds]]);
  gauge('process_resident_memory_bytes', 'Resident memory.', readings.memory.rss);
  gauge('nodejs_heap_size_used_bytes', 'JavaScript heap in use.', readings.memory.heapUsed);
  gauge('nodejs_heap_size_total_bytes', 'JavaScript heap.', readings.memory.heapTotal);
  gauge('nodejs_external_memory_bytes', 'Memory of buffers and bindings.', readings.memory.external);
  family('pangolin_build_info', 'gauge', 'The release that runs.', [
    [{ version: readings.version, node: readings.nodeVersion }, 1],
  ]);
  return `${lines.join('\n')}\n`;
}

function readAnswers(group: string, answers: Float64Array): Sample[] {
  return METHODS.flatMap((method, i) =>
    [1, 2, 3, 4, 5].flatMap((status): Sample[] => {
      const count = answers[i * 5 + status - 1] ?? 0;
      return count === 0 ? [] : [[{ group, method, status: `${status}xx` }, count]];
    }),
  );
}

/** Cumulative, as the format has it: each bucket counts what is in those below it too. */
function readHistogram(
  labels: Record<string, string>,
  { counts, sum }: Histogram,
  bounds: readonly number[],
): Sample[] {
  let total = 0;
  const buckets = [...bounds.map(String), '+Inf'].map((le, i): Sample => {
    total += counts[i] ?? 0;
    return [{ ...labels, le }, total, '_bucket'];
  });
  return [...buckets, [labels, sum, '_sum'], [labels, total, '_count']];
}

function writeLabels(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(value)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

const escapeLabel = (value: string): string => value.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n');
