import { ERRORS, type ErrorCode, type ErrorOptions, type FieldProblem, isErrorCode, PangolinError } from '../errors.ts';
import { readKebabKeys } from './field-names.ts';
import type { TransportAnswer } from './transport-types.ts';

/** What an answer is read for: who gave it, and which credential it was an answer to. */
export interface AnswerContext {
  /** The origin, or a word for the embedded server. */
  server: string;
  /** What was asked, for messages: `GET /api/v1/users/me`, without its query. */
  asked: string;
  credential: 'bearer' | 'api_key' | 'password' | 'none';
}

/** An error that did not come in Pangolin's own shape: from an original server, a gateway, or a stranger. */
export class ForeignError extends PangolinError {
  /** The status as it arrived; `status` is that of the code. */
  readonly answeredStatus: number;

  constructor(answeredStatus: number, code: ErrorCode, message: string, options: ErrorOptions) {
    super(code, message, options);
    this.answeredStatus = answeredStatus;
  }
}

/** The body of a successful answer, with snake_case keys; undefined where there is none. Throws PangolinError. */
export function readAnswer(answer: TransportAnswer, context: AnswerContext): unknown {
  const { status } = answer;
  if (status >= 200 && status < 300) return status === 204 ? undefined : readSuccess(answer, context);
  if (status < 400) throw redirected(answer, context);
  const body = parseObject(answer.text);
  throw body !== null && typeof body.code === 'string'
    ? readProblem(answer, body, context)
    : foreignError(answer, body, context);
}

function readSuccess({ text, header }: TransportAnswer, { server, asked }: AnswerContext): unknown {
  if (text === '') return undefined;
  try {
    return readKebabKeys(JSON.parse(text));
  } catch (cause) {
    const type = header('content-type')?.split(';')[0] ?? 'something that is not JSON';
    throw new PangolinError('unexpected_answer', `${server} answered ${asked} with ${type}`, {
      cause,
      hint: 'Check that the address is that of a Pangolin server (--url, PANGOLIN_URL)',
    });
  }
}

function redirected(answer: TransportAnswer, { server, asked }: AnswerContext): PangolinError {
  const location = answer.header('location') ?? '';
  const to = URL.canParse(location) ? ` to ${new URL(location).origin}` : '';
  return new PangolinError('unexpected_answer', `${server} redirects ${asked}${to} (HTTP ${answer.status})`, {
    hint: 'Redirects are not followed, so that no credential goes astray: give the address of the server itself',
  });
}

function readProblem(answer: TransportAnswer, body: Record<string, unknown>, context: AnswerContext): PangolinError {
  const code = isErrorCode(body.code) ? body.code : codeForStatus(answer.status, context);
  const message = sayable(body.detail) ?? sayable(body.title) ?? ERRORS[code].title;
  return new PangolinError(code, message, {
    ...retryAfter(answer),
    hint: sayable(body.hint) ?? hintFor(code, context),
    ...(Array.isArray(body.errors) ? { fields: body.errors.filter(isFieldProblem) } : {}),
  });
}

function foreignError(
  answer: TransportAnswer,
  body: Record<string, unknown> | null,
  context: AnswerContext,
): PangolinError {
  const { status } = answer;
  const { server, asked } = context;
  if (status === 407) {
    return new PangolinError('network_unreachable', `The proxy in front of ${server} asks for a password`, {
      hint: 'Put username and password into HTTPS_PROXY: http://user:password@proxy:port',
    });
  }
  const said = body === null ? plainText(answer) : (sayable(body.error) ?? sayable(body.message));
  if (said === undefined && body === null && status < 500) {
    return new ForeignError(
      status,
      'unexpected_answer',
      `${server} answered ${asked} with HTTP ${status}, not as Pangolin does`,
      {
        hint: 'Check that the address is that of a Pangolin server (--url, PANGOLIN_URL)',
      },
    );
  }
  const code = codeForStatus(status, context);
  return new ForeignError(status, code, said ?? `${server} answered ${asked} with HTTP ${status}`, {
    ...retryAfter(answer),
    hint: hintFor(code, context),
  });
}

/** The code that fits best where the server sent none that is known. */
function codeForStatus(status: number, { credential }: AnswerContext): ErrorCode {
  if (status === 401) {
    if (credential === 'password') return 'login_failed';
    if (credential === 'api_key') return 'api_key_invalid';
    return credential === 'bearer' ? 'token_unknown' : 'authentication_required';
  }
  if (status >= 502 && status <= 504) return 'unavailable';
  if (status >= 500) return 'server_error';
  return STATUS_CODES[status] ?? 'invalid_request';
}

const STATUS_CODES: Record<number, ErrorCode> = {
  403: 'forbidden',
  404: 'not_found',
  405: 'method_not_allowed',
  409: 'conflict',
  413: 'body_too_large',
  415: 'unsupported_media_type',
  421: 'wrong_host',
  422: 'policy_refused',
  429: 'too_many_requests',
};

const hintFor = (code: ErrorCode, { server }: AnswerContext): string | undefined =>
  code === 'authentication_required' && server.startsWith('http')
    ? `Log in with: pangolin-user login --url ${server}`
    : undefined;

function retryAfter(answer: TransportAnswer): ErrorOptions {
  const seconds = Number(answer.header('retry-after') ?? Number.NaN);
  return Number.isFinite(seconds) && seconds >= 0 ? { retryAfterSeconds: seconds } : {};
}

function plainText({ text, header }: TransportAnswer): string | undefined {
  return header('content-type')?.startsWith('text/plain') ? sayable(text) : undefined;
}

/** A text short and plain enough to be shown to a person. */
function sayable(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined;
  const clean = value.replace(/\p{C}+/gu, ' ').trim();
  return clean === '' ? undefined : clean.slice(0, 1000);
}

function parseObject(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return value !== null && typeof value === 'object' && !Array.isArray(value) ? { ...value } : null;
  } catch {
    return null;
  }
}

const isFieldProblem = (value: unknown): value is FieldProblem =>
  value !== null &&
  typeof value === 'object' &&
  'field' in value &&
  typeof value.field === 'string' &&
  'message' in value &&
  typeof value.message === 'string';
