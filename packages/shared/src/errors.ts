/**
 * Every way Pangolin can fail: a stable code, the HTTP status a server answers with, and the exit code a command ends with.
 * Exit codes: 1 failed, 2 usage, 3 not authenticated, 4 not allowed, 5 network, 6 refused by policy, 70 a bug.
 */
export const ERRORS = {
  invalid_request: { status: 400, exit: 2, title: 'The request is not valid' },
  invalid_argument: { status: 400, exit: 2, title: 'The command was not used correctly' },
  view_invalid: { status: 400, exit: 2, title: 'The view is not valid' },
  input_required: { status: 400, exit: 2, title: 'Input is needed, and nobody can be asked' },

  authentication_required: { status: 401, exit: 3, title: 'No credential was presented' },
  credential_malformed: { status: 401, exit: 3, title: 'The credential is not one of ours' },
  token_signature_invalid: { status: 401, exit: 3, title: 'The token was not signed by this installation' },
  token_wrong_issuer: { status: 401, exit: 3, title: 'The token belongs to another installation' },
  token_wrong_tenant: { status: 401, exit: 3, title: 'The token belongs to another tenant' },
  token_not_yet_valid: { status: 401, exit: 3, title: 'The token is not valid yet' },
  token_expired: { status: 401, exit: 3, title: 'The token has expired' },
  token_revoked: { status: 401, exit: 3, title: 'The token was revoked' },
  token_unauthenticated: { status: 401, exit: 3, title: 'The token was made by a server without authentication' },
  token_unknown: { status: 401, exit: 3, title: 'The token is not known here' },
  token_lifetime_refused: { status: 401, exit: 3, title: 'The token lives longer than the policy now allows' },
  api_key_invalid: { status: 401, exit: 3, title: 'The API key is not valid' },
  api_key_expired: { status: 401, exit: 3, title: 'The API key has expired' },
  api_key_lifetime_refused: { status: 401, exit: 3, title: 'The API key lives longer than the policy now allows' },
  api_key_revoked: { status: 401, exit: 3, title: 'The API key was rotated or revoked' },
  principal_inactive: { status: 401, exit: 3, title: 'The owner of the credential is deactivated, expired or deleted' },
  login_failed: { status: 401, exit: 3, title: 'Username or password is wrong' },
  not_logged_in: { status: 401, exit: 3, title: 'Nobody is logged in' },

  forbidden: { status: 403, exit: 4, title: 'Not allowed' },
  insufficient_scope: { status: 403, exit: 4, title: 'The credential does not carry the scope this needs' },
  address_not_allowed: { status: 403, exit: 4, title: 'Requests from this address are not accepted' },
  cross_site_request: { status: 403, exit: 4, title: 'Requests from other sites are refused' },

  not_found: { status: 404, exit: 1, title: 'Not found' },
  namespace_not_found: { status: 404, exit: 1, title: 'There is no such namespace' },
  table_not_found: { status: 404, exit: 1, title: 'There is no such table' },
  view_not_found: { status: 404, exit: 1, title: 'There is no such view' },
  warehouse_not_found: { status: 404, exit: 1, title: 'There is no such catalog' },
  file_not_found: { status: 404, exit: 1, title: 'A file of the table is missing' },
  method_not_allowed: { status: 405, exit: 1, title: 'This method is not served here' },
  conflict: { status: 409, exit: 1, title: 'Conflict' },
  already_exists: { status: 409, exit: 1, title: 'There is something of that name already' },
  namespace_not_empty: { status: 409, exit: 1, title: 'The namespace is not empty' },
  commit_failed: { status: 409, exit: 1, title: 'The table has changed meanwhile' },
  body_too_large: { status: 413, exit: 1, title: 'The request body is too large' },
  unsupported_media_type: { status: 415, exit: 1, title: 'The content type is not supported' },
  wrong_host: { status: 421, exit: 1, title: 'This server does not answer for that host' },
  contradictory_request: { status: 422, exit: 1, title: 'The request contradicts itself' },
  policy_refused: { status: 422, exit: 6, title: 'Refused by policy' },
  too_many_requests: { status: 429, exit: 1, title: 'Too many failed attempts' },

  internal_error: { status: 500, exit: 70, title: 'A bug in Pangolin' },
  commit_state_unknown: { status: 500, exit: 1, title: 'It is not known whether the commit took effect' },
  server_error: { status: 500, exit: 1, title: 'The server failed' },
  unavailable: { status: 503, exit: 1, title: 'Not available right now' },
  storage_busy: { status: 503, exit: 1, title: 'The database is busy' },
  storage_full: { status: 503, exit: 1, title: 'The disk is full' },
  storage_read_only: { status: 503, exit: 1, title: 'The data directory cannot be written' },
  storage_damaged: { status: 503, exit: 1, title: 'The database cannot be read' },

  no_server: { status: 500, exit: 1, title: 'No server is configured' },
  audit_log_broken: { status: 500, exit: 1, title: 'The audit log is not as it was recorded' },
  data_directory_refused: { status: 500, exit: 1, title: 'The data directory cannot be used' },
  master_key_missing: { status: 500, exit: 1, title: 'The master key is missing or wrong' },
  database_too_new: { status: 500, exit: 1, title: 'The database was written by a newer Pangolin' },
  backup_unusable: { status: 500, exit: 1, title: 'The backup file cannot be used' },
  output_failed: { status: 500, exit: 1, title: 'The output could not be written' },
  settings_unreadable: { status: 500, exit: 1, title: 'A settings or credentials file cannot be read' },
  keyring_failed: { status: 500, exit: 1, title: 'The keyring did not answer' },
  token_command_failed: { status: 500, exit: 3, title: 'The token could not be obtained' },

  network_unreachable: { status: 502, exit: 5, title: 'The server cannot be reached' },
  network_timeout: { status: 504, exit: 5, title: 'The server did not answer in time' },
  tls_failed: { status: 502, exit: 5, title: 'The TLS connection failed' },
  insecure_transport: { status: 502, exit: 5, title: 'A credential would travel unencrypted' },
  unexpected_answer: { status: 502, exit: 5, title: 'That is not a Pangolin server' },
} as const satisfies Record<string, { status: number; exit: number; title: string }>;

export type ErrorCode = keyof typeof ERRORS;

/** One invalid field of a request: its name as the caller spelled it, and what is wrong with it. */
export interface FieldProblem {
  field: string;
  message: string;
}

export interface ErrorOptions {
  cause?: unknown;
  /** What to type or do next. */
  hint?: string | undefined;
  /** For `too_many_requests` and `unavailable`: when to try again, in seconds. */
  retryAfterSeconds?: number;
  /** For `invalid_request`: each field that was refused. */
  fields?: FieldProblem[];
}

/**
 * The one error class of Pangolin.
 * `message` may leave the process and never holds a secret; `cause` never leaves it; `hint` is the next step.
 */
export class PangolinError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly retryAfterSeconds: number | undefined;
  readonly fields: FieldProblem[] | undefined;

  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'PangolinError';
    this.code = code;
    this.hint = options.hint;
    this.retryAfterSeconds = options.retryAfterSeconds;
    this.fields = options.fields;
  }

  /** The HTTP status this error is answered with. */
  get status(): number {
    return ERRORS[this.code].status;
  }

  /** The exit code a command ends with. */
  get exitCode(): number {
    return ERRORS[this.code].exit;
  }
}

/** Whether a string is one of the codes above, for errors that arrive over the wire. */
export const isErrorCode = (code: unknown): code is ErrorCode =>
  typeof code === 'string' && Object.hasOwn(ERRORS, code);
