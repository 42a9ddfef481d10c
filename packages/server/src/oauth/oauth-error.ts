import { PangolinError } from '@pangolin/shared/errors';
import { errorHeaders } from '../http/errors.ts';
import { type Replying, replyJson } from '../http/reply.ts';

/** The codes of RFC 6749 §5.2, RFC 7009 §2.2.1 and RFC 8693 §2.2.2 that this server answers. */
type Code =
  | 'invalid_request'
  | 'invalid_client'
  | 'invalid_grant'
  | 'invalid_scope'
  | 'unauthorized_client'
  | 'unsupported_grant_type'
  | 'unsupported_token_type';

/** Carried as the cause of a PangolinError that answers an OAuth request. */
class OAuthCode {
  readonly code: Code;
  /** What it comes from, which is not told. */
  readonly cause: unknown;
  constructor(code: Code, cause: unknown) {
    this.code = code;
    this.cause = cause;
  }
}

/** An error with a code of its own; `message` becomes the `error_description`. */
export const oauthError = (code: Code, message: string, cause?: unknown): PangolinError =>
  new PangolinError(
    code === 'invalid_client' ? 'login_failed' : code === 'unauthorized_client' ? 'forbidden' : 'invalid_request',
    message,
    {
      cause: new OAuthCode(code, cause),
    },
  );

/** Answers an error as RFC 6749 §5.2 has it; 401 with the scheme the client used (RFC 9110 §11.6.1). */
export function replyOAuthError(c: Replying, error: PangolinError, authorization: string | undefined): Response {
  c.env.refusal = error;
  const code = readCode(error);
  const headers = errorHeaders(error);
  delete headers['www-authenticate'];
  if (code === 'invalid_client') {
    const usedBasic = /^basic /i.test(authorization ?? '');
    headers['www-authenticate'] = `${usedBasic ? 'Basic' : 'Bearer'} realm="pangolin"`;
  }
  return replyJson(c, { error: code, error_description: toDescription(error.message) }, readStatus(code, error), {
    ...headers,
    pragma: 'no-cache',
  });
}

function readCode(error: PangolinError): string {
  if (error.cause instanceof OAuthCode) return error.cause.code;
  if (error.status === 401) return 'invalid_client';
  if (error.status === 429 || error.status === 503) return 'temporarily_unavailable';
  return error.status >= 500 ? 'server_error' : 'invalid_request';
}

function readStatus(code: string, error: PangolinError): number {
  if (code === 'invalid_client') return 401;
  return [403, 405, 413, 415, 421, 429].includes(error.status) || error.status >= 500 ? error.status : 400;
}

/** RFC 6749 §5.2 allows printable ASCII without quotes and backslashes. */
const toDescription = (message: string): string => message.replace(/["\\]/g, "'").replace(/[^\x20-\x7e]/g, '?');
