import { PangolinError } from '../errors.ts';
import { readListAnswer, readObjectAnswer, type Shape, unexpected } from './answer-shape.ts';
import { createTenantFinder } from './find-tenant.ts';
import { type AnswerContext, readAnswer } from './read-answer.ts';
import type { Transport, TransportAnswer, TransportRequest } from './transport-types.ts';

/** Gives the headers that authenticate one request; none for nobody. */
type Authorizer = () => Promise<Record<string, string>>;

export interface CallOptions {
  transport: Transport;
  authorize: Authorizer;
  /** `pangolin-user/0.1.0`. */
  userAgent: string;
  /** Sent as X-Pangolin-Tenant. */
  tenantId?: string | undefined;
  /** Sent as X-Pangolin-Tenant, once the server has told its id; only root is told. */
  tenantName?: string | undefined;
}

type Method = TransportRequest['method'];

/** Sends requests to one server and reads its answers. Every method throws PangolinError. */
export interface Caller {
  readonly server: string;
  /** For what is answered with an object. */
  call<T>(method: Method, path: string, body?: object, shape?: Shape): Promise<T>;
  /** For what is answered with nothing, or with a message alone. */
  tell(method: Method, path: string, body?: object): Promise<{ message?: string }>;
  /** Without a credential of the caller's: the password in the body is one. */
  logIn<T>(path: string, body: object): Promise<T>;
  /**
   * One page, or every one with `all`: at most 10,000 pages and 1,000,000 rows. Each brings something new, but for a filter
   * that matches little: then at most 1,000 in a row bring nothing.
   */
  list<T>(path: string, options?: { limit?: number; all?: boolean }): Promise<T[]>;
  /** The headers that would authenticate the next request. */
  authorize: Authorizer;
}

/** Builds the Caller of one server. */
export function createCaller({ transport, authorize, userAgent, tenantId, tenantName }: CallOptions): Caller {
  const server = transport.origin ?? 'The embedded server';
  const named = tenantName === undefined ? null : createTenantFinder(tenantName, ask);

  async function exchange(method: Method, path: string, body: object | undefined, auth: Record<string, string>) {
    const headers: Record<string, string> = { accept: 'application/json', 'user-agent': userAgent, ...auth };
    const tenant = tenantId ?? (await named?.of(auth));
    if (tenant !== undefined) headers['x-pangolin-tenant'] = tenant;
    if (body === undefined) return transport.send({ method, path, headers });
    headers['content-type'] = 'application/json';
    return transport.send({ method, path, headers, body: JSON.stringify(body) });
  }

  /** In no tenant but the credential's own. */
  async function ask(path: string, auth: Record<string, string>) {
    const headers = { accept: 'application/json', 'user-agent': userAgent, ...auth };
    const answer = await transport.send({ method: 'GET', path, headers });
    const context = contextOf('GET', path, 'bearer');
    return readListAnswer(readAnswer(answer, context), labelOf(context));
  }

  const contextOf = (method: Method, path: string, credential: AnswerContext['credential']): AnswerContext => ({
    server,
    asked: `${method} ${path.split('?')[0]}`,
    credential,
  });

  async function callForAnswer(method: Method, path: string, body?: object) {
    const auth = await authorize();
    const answer = await exchange(method, path, body, auth);
    const credential = auth.authorization ? 'bearer' : auth['x-api-key'] ? 'api_key' : 'none';
    const context = contextOf(method, path, credential);
    return { answer, value: readAnswer(answer, context), label: labelOf(context) };
  }

  return {
    server,
    authorize,
    async call<T>(method: Method, path: string, body?: object, shape: Shape = {}) {
      const { value, label } = await callForAnswer(method, path, body);
      return readObjectAnswer(value, shape, label) as T;
    },
    async tell(method, path, body) {
      const { value, label } = await callForAnswer(method, path, body);
      const told = value === undefined ? {} : readObjectAnswer(value, {}, label);
      return 'message' in told && typeof told.message === 'string' ? { message: told.message } : {};
    },
    async logIn<T>(path: string, body: object) {
      const headers = { accept: 'application/json', 'user-agent': userAgent, 'content-type': 'application/json' };
      const answer = await transport.send({ method: 'POST', path, headers, body: JSON.stringify(body) });
      const context = contextOf('POST', path, 'password');
      return readObjectAnswer(readAnswer(answer, context), { token: 'secret' }, labelOf(context)) as T;
    },
    async list<T>(path: string, { all = false, limit, ...filters }: { limit?: number; all?: boolean } = {}) {
      const rows: T[] = [];
      const seen = new Set<string>();
      let pages = 0;
      let emptyPages = 0;
      let next: string | null = path + queryOf({ limit: limit ?? (all ? 1000 : undefined), ...filters });
      while (next !== null) {
        const { answer, value, label } = await callForAnswer('GET', next);
        const page = readListAnswer(value, label);
        for (const row of page) rows.push(row as T);
        const asked: string = next;
        next = all ? nextPage(answer) : null;
        if (next === null) break;
        emptyPages = page.length === 0 ? emptyPages + 1 : 0;
        const known = seen.size;
        for (const row of page) seen.add(keyOf(row));
        const isStuck = next === asked || emptyPages > MAX_EMPTY_PAGES;
        if (isStuck || (page.length > 0 && seen.size === known))
          throw unexpected(`${label} with pages that bring nothing new and do not end`);
        pages += 1;
        if (pages >= MAX_PAGES || rows.length >= MAX_ROWS)
          throw unexpected(`${label} with more pages than can be read`);
      }
      return rows;
    },
  };
}

const labelOf = ({ server, asked }: AnswerContext): string => `${server} answered ${asked}`;

const MAX_PAGES = 10_000;
const MAX_EMPTY_PAGES = 1_000;
const MAX_ROWS = 1_000_000;

/** What tells one row from another. */
const keyOf = (row: object): string => ('id' in row && typeof row.id === 'string' ? row.id : JSON.stringify(row));

/** `?a=1&b=2`, or nothing; fields that are undefined are left out. */
export function queryOf(fields: Record<string, unknown>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(fields)) if (value !== undefined) query.set(name, String(value));
  return query.size === 0 ? '' : `?${query}`;
}

/** One segment of a path. Throws `invalid_argument` for what would lead to another path. */
export function segment(value: string): string {
  if (value === '' || value === '.' || value === '..') {
    throw new PangolinError('invalid_argument', `'${value}' is not an id or a name`);
  }
  return encodeURIComponent(value);
}

/** The path of `Link: rel="next"` (RFC 8288); its host is ignored: pages come from the same server. */
function nextPage(answer: TransportAnswer): string | null {
  const target = /<([^>]*)>\s*;[^,]*\brel="?next"?/.exec(answer.header('link') ?? '')?.[1];
  if (target === undefined || !URL.canParse(target, 'http://localhost')) return null;
  const { pathname, search } = new URL(target, 'http://localhost');
  return pathname + search;
}
