import type { Log } from './deps.ts';

/** What a log leaves out: everything below its level. */
export type LogLevel = 'error' | 'warn' | 'info' | 'debug';

/** A log on stderr, one JSON object a line. */
export async function createLog(level: LogLevel): Promise<Log> {
  // Bundled, a CommonJS module has its default export alone.
  const { default: pino } = await import('pino');
  const destination = pino.destination({ dest: 2, sync: true });
  // Whoever closes the other end of stderr does not want the log; the server goes on without it.
  destination.on('error', () => {});
  const formatters = { level: (label: string) => ({ level: label }) };
  const log: Log = pino({ base: null, level, formatters, timestamp: pino.stdTimeFunctions.isoTime }, destination);
  return log;
}
