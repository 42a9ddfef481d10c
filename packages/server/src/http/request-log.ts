import type { IncomingMessage } from 'node:http';
import type { Log } from '../deps.ts';
import type { Bindings } from './env.ts';
import { readAddress } from './headers.ts';

const MAX_PATH_LENGTH = 500;
const MAX_HEADER_LENGTH = 200;

/**
 * Logs an answered request in one line: what changes something by `info`, what was refused or failed by `warn`, and what
 * was only read by `debug`, if that is wanted at all.
 */
export function logRequest(
  log: Log,
  { method, url, headers }: Pick<IncomingMessage, 'method' | 'url' | 'headers'>,
  env: Bindings,
  answer: { status: number; ms: number },
): void {
  const { caller, refusal } = env;
  const fields = {
    request_id: env.requestId,
    method,
    path: hideSecrets(url ?? ''),
    status: answer.status,
    ms: Math.round(answer.ms * 100) / 100,
    ...(refusal && { code: refusal.code }),
    ...(caller && { tenant_id: caller.actor.tenantId, principal_id: caller.actor.id }),
    address: readAddress({ env }),
    // Whoever misconfigured a proxy needs to see what it sent.
    ...(env.group === undefined && { host: bounded(headers.host), origin: bounded(headers.origin) }),
  };
  if (refusal || answer.status >= 400) log.warn(fields, answer.status >= 500 ? 'failed' : 'refused');
  else if (isReading(method)) log.debug(fields, 'request');
  else log.info(fields, 'request');
}

/** Whether requests of this method change nothing. */
export const isReading = (method: string | undefined): boolean => method === 'GET' || method === 'HEAD';

const bounded = (header: string | undefined): string | undefined => header?.slice(0, MAX_HEADER_LENGTH);

/** Without the query, and without a token or key that somebody put into a path by mistake. */
export const hideSecrets = (url: string): string =>
  (url.split('?', 1)[0] ?? '').replace(/eyJ[\w.%-]{20,}|pgl_\w+/g, '[secret]').slice(0, MAX_PATH_LENGTH);
