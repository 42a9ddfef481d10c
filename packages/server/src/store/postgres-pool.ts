import { createHash } from 'node:crypto';
import type { CompiledQuery, DatabaseConnection, QueryResult } from 'kysely';
import pg from 'pg';
import { monotonicMs } from '../times.ts';
import type { PoolStats } from './database.ts';
import { isLost, isStale, toConnectionError } from './postgres-errors.ts';

/** How the connections of a pool behave; times in milliseconds, 0: no limit. */
export interface PoolOptions {
  max: number;
  isReadOnly: boolean;
  /** The server ends a statement that takes longer. */
  statementMs: number;
  /** A statement gives up waiting for another transaction after this. */
  lockMs: number;
  /** The server ends a connection whose transaction asks for nothing: its process is frozen, or cut off. */
  idleInTransactionMs: number;
  /** A connection that does not answer for so long is given up. */
  answerMs: number;
}

/** One connection, for as long as it is held. */
export interface PostgresConnection extends DatabaseConnection {
  /**
   * Runs statements separated by semicolons in one exchange, and answers what each of them did; `answerMs` instead of what
   * the pool was opened with.
   */
  run(
    statements: string,
    options?: { answerMs: number },
  ): Promise<{ command: string; rows: Record<string, unknown>[] }[]>;
  /** Rows as arrays of their columns. */
  readRows(query: CompiledQuery): Promise<unknown[][]>;
  /** Whether an error has made the transaction refuse everything but its end. */
  hasFailed(): boolean;
  /** Whether it is gone, or does not answer. */
  isLost(): boolean;
  /** Whether nobody else can use it: it is lost, or a transaction that `run` began has not ended. */
  isSpent(): boolean;
}

export interface PostgresPool {
  /** Holds a connection for a while; one that is spent afterwards is not used again. */
  use<T>(work: (connection: PostgresConnection) => Promise<T>): Promise<T>;
  stats(): PoolStats;
  end(): Promise<void>;
}

const CONNECT_TIMEOUT_MS = 3_000;
const IDLE_TIMEOUT_MS = 30_000;
const AT_ONCE_MS = 1_000;
const MAX_NAMED_STATEMENTS = 500;

const INT8 = 20;
const NUMERIC = 1700;

const BEGINS = /^begin\b/;
const ENDS = /(?:^|; )(?:commit|rollback)$/;

/** Counts, times and sums are numbers here: all of them are far below 2^53. */
const types: pg.CustomTypesConfig = {
  getTypeParser: (oid, format) => (oid === INT8 || oid === NUMERIC ? Number : pg.types.getTypeParser(oid, format)),
};

/** A commit is on disk before it is answered; a server that waits for its standbys as well goes on doing so. */
const DURABLE = `select set_config('synchronous_commit', 'on', false) where current_setting('synchronous_commit') = 'off'`;

/** Opens a pool; connections are made when they are needed. */
export function createPostgresPool(url: URL, options: PoolOptions): PostgresPool {
  const pool = new pg.Pool({
    connectionString: withSettings(url, options),
    types,
    max: options.max,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    idleTimeoutMillis: IDLE_TIMEOUT_MS,
    query_timeout: options.answerMs,
    keepAlive: true,
  });
  // What a connection was doing when it broke is told to whoever was doing it.
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));
  const known = new WeakMap<pg.PoolClient, PostgresConnection>();
  const nameOf = createStatementNames();

  async function open(client: pg.PoolClient): Promise<PostgresConnection> {
    const connection = createConnection(client, nameOf);
    if (!options.isReadOnly) await connection.run(DURABLE);
    known.set(client, connection);
    return connection;
  }

  return {
    async use(work) {
      const client = await pool.connect().catch((error) => {
        throw toConnectionError(error, '08001');
      });
      let connection: PostgresConnection | undefined;
      try {
        connection = known.get(client) ?? (await open(client));
        return await work(connection);
      } finally {
        client.release(connection === undefined || connection.isSpent());
      }
    },
    stats: () => ({ total: pool.totalCount, idle: pool.idleCount, waiting: pool.waitingCount }),
    async end() {
      if (!pool.ending) await pool.end();
    },
  };
}

/** What a session must be like, whatever the server's configuration says; the URL's own `options` stay. */
function withSettings(base: URL, options: PoolOptions): string {
  const url = new URL(base);
  const { searchParams } = url;
  if (!searchParams.has('application_name')) searchParams.set('application_name', 'pangolin');
  searchParams.set('statement_timeout', String(options.statementMs));
  searchParams.set('lock_timeout', String(options.lockMs));
  searchParams.set('idle_in_transaction_session_timeout', String(options.idleInTransactionMs));
  const given = searchParams.get('options');
  if (options.isReadOnly)
    searchParams.set('options', `${given === null ? '' : `${given} `}-c default_transaction_read_only=on`);
  return url.href;
}

/**
 * A name for each statement's text, by which a connection prepares it once. The same text has the same name everywhere: where
 * connections are shared behind our back, a name never stands for what somebody else has prepared.
 */
function createStatementNames(): (sql: string) => string | undefined {
  const names = new Map<string, string>();
  return (sql) => {
    const known = names.get(sql);
    if (known !== undefined || names.size >= MAX_NAMED_STATEMENTS) return known;
    if (!/^(?:select|insert|update|delete|with)\b/.test(sql)) return undefined;
    const name = `pangolin_${createHash('sha256').update(sql).digest('hex').slice(0, 40)}`;
    names.set(sql, name);
    return name;
  };
}

function createConnection(client: pg.PoolClient, nameOf: (sql: string) => string | undefined): PostgresConnection {
  // The driver learns how the transaction stands only after it has told of the error.
  let isOpen = false;
  let hasFailed = false;
  let wasLost = false;
  const failed = (thrown: unknown): never => {
    const error = toConnectionError(thrown, '08006');
    hasFailed = true;
    wasLost ||= isLost(error);
    throw error;
  };
  const prepare = ({ sql, parameters }: CompiledQuery) => {
    const name = nameOf(sql);
    return { text: sql, values: [...parameters], ...(name === undefined ? {} : { name }) };
  };
  return {
    async run(text, options) {
      const query = options ? { text, query_timeout: options.answerMs } : text;
      if (BEGINS.test(text)) isOpen = true;
      const results: pg.QueryResult | pg.QueryResult[] = await client.query(query).catch(failed);
      if (ENDS.test(text)) isOpen = false;
      if (/^(?:begin|rollback)\b/.test(text)) hasFailed = false;
      return Array.isArray(results) ? results : [results];
    },
    async readRows(query) {
      const { rows } = await client.query({ ...prepare(query), rowMode: 'array' as const }).catch(failed);
      return rows;
    },
    async executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
      const { command, rowCount, rows } = await client.query(prepare(query)).catch(failed);
      const isChange = command === 'INSERT' || command === 'UPDATE' || command === 'DELETE';
      return { rows, ...(isChange ? { numAffectedRows: BigInt(rowCount ?? 0) } : {}) };
    },
    streamQuery() {
      throw new Error('Nothing is streamed.');
    },
    hasFailed: () => hasFailed,
    isLost: () => wasLost,
    isSpent: () => wasLost || isOpen,
  };
}

/**
 * A connection that died while it rested says so at once; whether the database is gone shows with a new one. What another
 * release has changed shows on one connection after another.
 */
export async function onceMore<T>(read: () => Promise<T>): Promise<T> {
  const startMs = monotonicMs();
  for (let hasLost = false; ; ) {
    try {
      return await read();
    } catch (error) {
      if (!isLost(error) || hasLost || monotonicMs() - startMs >= AT_ONCE_MS) throw error;
      hasLost = !isStale(error);
    }
  }
}
