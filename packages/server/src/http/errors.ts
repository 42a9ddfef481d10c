import { ERRORS, PangolinError } from '@pangolin/shared/errors';

import type { Log } from '../deps.ts';
import { readStorageError } from '../store/storage-errors.ts';

import { type Replying, replyJson } from './reply.ts';

/** Any thrown value as PangolinError; what was not foreseen is logged, and told to nobody. */
export function toPangolinError(thrown: unknown, log: Log, requestId: string): PangolinError {
  const error = readStorageError(thrown);
  if (error instanceof PangolinError) {
    if (error.status >= 500) log.error({ request_id: requestId, code: error.code, cause: error.cause }, error.message);
    return error;
  }
  log.error({ request_id: requestId, err: error }, 'unexpected failure');
  return new PangolinError('internal_error', 'The server failed; its log has the reason under this request id.', {
    cause: error,
  });
}

/** RFC 9457 problem details, with `error` (what an original Pangolin client reads), `code`, `hint` and `more` as well. */
export function replyProblem(
  c: Replying,
  error: PangolinError,
  headers: Record<string, string> = {},
  more: Record<string, string> = {},
): Response {
  c.env.refusal = error;
  const body = {
    type: `urn:pangolin:error:${error.code}`,
    title: ERRORS[error.code].title,
    status: error.status,
    detail: error.message,
    error: error.message,
    code: error.code,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    ...(error.fields === undefined ? {} : { errors: error.fields }),
    ...more,
    request_id: c.env.requestId,
  };
  return replyJson(c, body, error.status, {
    ...errorHeaders(error),
    ...headers,
    'content-type': 'application/problem+json',
  });
}

/** Retry-After, and the challenge of RFC 6750 §3. */
export function errorHeaders(error: PangolinError): Record<string, string> {
  const headers: Record<string, string> = {};
  if (error.retryAfterSeconds !== undefined)
    headers['retry-after'] = String(Math.max(1, Math.ceil(error.retryAfterSeconds)));
  if (error.code === 'authentication_required') headers['www-authenticate'] = 'Bearer realm="pangolin"';
  else if (error.status === 401)
    headers['www-authenticate'] = `Bearer realm="pangolin", error="invalid_token", error_description="${error.code}"`;
  else if (error.code === 'insufficient_scope')
    headers['www-authenticate'] = 'Bearer realm="pangolin", error="insufficient_scope"';
  return headers;
}
