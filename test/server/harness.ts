import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Endpoint, ErrorCode, IssuedApiKey, IssuedToken, Role } from '@pangolin/shared/contract';
import { serviceUsersApi, tokensApi, usersApi } from '@pangolin/shared/contract';
import { expect, onTestFinished } from 'vitest';
import type { Deps, Log } from '../../packages/server/src/deps.ts';
import { openServer } from '../../packages/server/src/embedded.ts';
import type { Bindings } from '../../packages/server/src/http/env.ts';
import { databaseOf, dumpDatabase } from './test-database.ts';

/** 2026-11-22T12:00:00Z */
export const START_MS = Date.UTC(2026, 10, 22, 12);
export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;
export const UNKNOWN_ID = '01900000-0000-7000-8000-000000000000';
export const PASSWORD = 'correct-horse-battery-staple';

/** Stands still until it is moved. */
export interface Clock {
  nowMs: number;
  advance(ms: number): void;
}

interface Outcome {
  status: number;
  headers: Headers;
  text: string;
  json: unknown;
}

interface Problem {
  status: number;
  code: ErrorCode;
  detail: string;
  hint?: string;
  errors?: { field: string; message: string }[];
  request_id: string;
}

interface Asked {
  params?: Record<string, string>;
  query?: Record<string, string | number>;
  body?: unknown;
  headers?: Record<string, string>;
}

type Answered<E extends Endpoint> = E['answer'] extends { _zod: { output: infer Output } } ? Output : undefined;

/** Somebody who asks: the embedded owner, or whoever holds a credential, or nobody. */
export interface TestCaller {
  send(
    method: string,
    path: string,
    init?: { body?: string | Uint8Array | ReadableStream; headers?: Record<string, string> },
  ): Promise<Outcome>;
  /** Asks an endpoint of the contract, whatever it answers. */
  ask(endpoint: Endpoint, asked?: Asked): Promise<Outcome>;
  /** Asks and expects success: the status and the answer's exact shape as the contract has them. */
  call<E extends Endpoint>(endpoint: E, asked?: Asked): Promise<Answered<E>>;
  /** Asks and expects problem details. */
  refused(endpoint: Endpoint, asked?: Asked): Promise<Problem>;
}

/** What servers on one data directory have in common. */
interface Shared {
  clock: Clock;
  /** By how much their own clocks have moved on: on PostgreSQL a server knows within a second what others changed. */
  leapMs: number;
  servers: number;
}

export interface TestServer {
  dataDir: string;
  shared: Shared;
  deps: Deps;
  clock: Clock;
  /** Every line that was logged, as JSON. */
  logs: string[];
  /** How long each login was made to wait, in milliseconds; nobody really waits. */
  delays: number[];
  owner: TestCaller;
  nobody: TestCaller;
  /** Who presents a token or an API key as a bearer. */
  bearer(secret: string, headers?: Record<string, string>): TestCaller;
  apiKey(secret: string): TestCaller;
  /** Who presents nothing but X-DataHub-Actor; heard by a server without authentication alone. */
  actor(urn: string): TestCaller;
  close(): Promise<void>;
}

/** Secrets of the running test: looked for in every file and log line when it ends. */
const issued = new Set<string>();

/** Opens the server over a new data directory, or as a further process over an existing one. */
export async function openTestServer(
  options: {
    beside?: TestServer;
    dataDir?: string;
    /** Its database, whatever tests run on; null: the file in the data directory. */
    databaseUrl?: string | null;
    masterKey?: string;
    masterKeyFile?: string;
    /** Believes whoever asks: `nobody` is the owner, or whom X-DataHub-Actor names. */
    noAuth?: boolean;
  } = {},
): Promise<TestServer> {
  const dataDir = options.beside?.dataDir ?? options.dataDir ?? (await createFolder());
  const shared = options.beside?.shared ?? { clock: createClock(), leapMs: 0, servers: 0 };
  const { clock } = shared;
  shared.servers += 1;
  const logs: string[] = [];
  const delays: number[] = [];
  const database = await chooseDatabase(dataDir, options.databaseUrl);
  const opened = await openServer({
    dataDir,
    ...database,
    create: true,
    ownerName: 'ada',
    now: () => clock.nowMs,
    wallMs: () => Date.now() + shared.leapMs,
    log: createRecordingLog(logs),
    ...(options.noAuth && { noAuth: true }),
    masterKey: options.masterKey,
    masterKeyFile: options.masterKeyFile,
    sleep: async (ms) => void delays.push(ms),
  });
  const { deps } = opened;
  let closing: Promise<void> | undefined;
  const close = () => {
    closing ??= opened.close();
    return closing;
  };
  onTestFinished(async () => {
    await close();
    await refuseLeaks(dataDir, logs, database.databaseUrl);
  });
  const callerWith = (headers: Record<string, string>, owner?: Bindings['owner']) =>
    createCaller(async (request) => {
      // Whoever asks where several servers change things asks a second later.
      if (shared.servers > 1) shared.leapMs += 1_000;
      for (const [name, value] of Object.entries(headers))
        if (!request.headers.has(name)) request.headers.set(name, value);
      return opened.app.fetch(request, { requestId: deps.newId(), ...(owner ? { owner } : {}) });
    });
  return {
    dataDir,
    shared,
    deps,
    clock,
    logs,
    delays,
    owner: callerWith({}, { client: 'test' }),
    nobody: callerWith({}),
    bearer: (secret, headers = {}) => callerWith({ authorization: `Bearer ${secret}`, ...headers }),
    apiKey: (secret) => callerWith({ 'x-api-key': secret }),
    actor: (urn) => callerWith({ 'x-datahub-actor': urn }),
    close,
  };
}

async function chooseDatabase(dataDir: string, url: string | null | undefined): Promise<{ databaseUrl?: string }> {
  if (url === undefined) return databaseOf(dataDir);
  return url === null ? {} : { databaseUrl: url };
}

/** An empty folder that is gone after the test. */
export async function createFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'pangolin-server-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

export function createClock(nowMs = START_MS): Clock {
  return {
    nowMs,
    advance(ms) {
      this.nowMs += ms;
    },
  };
}

/** A log that keeps what a real one would write. */
export function createRecordingLog(lines: string[]): Log {
  const at = (level: string) => (fields: object, message: string) =>
    void lines.push(
      JSON.stringify({ level, message, ...fields }, (_, value) =>
        value instanceof Error ? { message: value.message, stack: value.stack, cause: value.cause } : value,
      ),
    );
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

/** Callers over anything that answers requests. */
export function createCaller(fetch: (request: Request) => Promise<Response>, origin = 'http://localhost'): TestCaller {
  const caller: TestCaller = {
    async send(method, path, init = {}) {
      if (typeof init.body === 'string') collectSecrets(readJson(init.body));
      const { body = null, headers = {} } = init;
      const response = await fetch(new Request(origin + path, { method, headers, body, duplex: 'half' }));
      const text = await response.text();
      const json = readJson(text);
      collectSecrets(json);
      return { status: response.status, headers: response.headers, text, json };
    },
    ask(endpoint, { params = {}, query = {}, body, headers = {} } = {}) {
      const path = endpoint.path.replace(/\{(\w+)\}/g, (_, name: string) =>
        encodeURIComponent(params[name] ?? UNKNOWN_ID),
      );
      const search = new URLSearchParams(
        Object.entries(query).map(([name, value]): [string, string] => [name, String(value)]),
      ).toString();
      const isForm = endpoint.bodyType === 'form';
      const content =
        body === undefined
          ? {}
          : {
              body: isForm ? new URLSearchParams(body as Record<string, string>).toString() : JSON.stringify(body),
              headers: {
                'content-type': isForm ? 'application/x-www-form-urlencoded' : 'application/json',
                ...headers,
              },
            };
      return caller.send(endpoint.method.toUpperCase(), search === '' ? path : `${path}?${search}`, {
        headers,
        ...content,
      });
    },
    async call<E extends Endpoint>(endpoint: E, asked?: Asked) {
      const { status, text, json } = await caller.ask(endpoint, asked);
      expect(status, text).toBe(endpoint.status);
      if (endpoint.answer === null) {
        expect(text).toBe('');
        return undefined as Answered<E>;
      }
      const answer = endpoint.answer.parse(json);
      expect(answer, 'the answer has exactly the fields of the contract').toEqual(json);
      return answer as Answered<E>;
    },
    async refused(endpoint, asked) {
      const { status, headers, text, json } = await caller.ask(endpoint, asked);
      expect(headers.get('content-type'), text).toBe('application/problem+json');
      const problem = json as Problem;
      expect(problem).toMatchObject({ status, type: `urn:pangolin:error:${problem.code}`, error: problem.detail });
      expect(headers.get('x-request-id')).toBe(problem.request_id);
      return problem;
    },
  };
  return caller;
}

/** Mints a token and answers it with somebody who presents it. */
export async function mint(server: TestServer, by: TestCaller, body: object = {}) {
  const token: IssuedToken = await by.call(tokensApi.create, { body });
  return { ...token, caller: server.bearer(token.token) };
}

/** Creates a service user and answers it with somebody who presents its key. */
export async function createServiceUser(
  server: TestServer,
  body: { name: string; role?: Role; [field: string]: unknown },
) {
  const key: IssuedApiKey = await server.owner.call(serviceUsersApi.create, { body });
  return { ...key, caller: server.apiKey(key.api_key) };
}

/** Creates a user with the password of all test users. */
export const createUser = (server: TestServer, username: string, role: Role = 'tenant-user') =>
  server.owner.call(usersApi.create, { body: { username, role, password: PASSWORD } });

/** Creates a user and answers it with its session. */
export async function createLoggedIn(server: TestServer, username: string, role: Role = 'tenant-user') {
  const user = await createUser(server, username, role);
  return { ...user, ...(await logIn(server, username)) };
}

export async function logIn(server: TestServer, username: string) {
  const { token, expires_at } = await server.nobody.call(usersApi.login, { body: { username, password: PASSWORD } });
  return { token, expires_at, caller: server.bearer(token) };
}

/** Why a credential is refused, or `ok`. */
export async function standingOf(caller: TestCaller): Promise<ErrorCode | 'ok'> {
  const { status, json } = await caller.ask(usersApi.me);
  if (status === 200) return 'ok';
  expect(status).toBe(401);
  return (json as Problem).code;
}

const SECRET_FIELDS = ['token', 'api_key', 'password', 'access_token', 'accessToken', 'client_secret'];

function collectSecrets(json: unknown): void {
  if (typeof json !== 'object' || json === null) return;
  for (const [name, value] of Object.entries(json)) {
    if (SECRET_FIELDS.includes(name) && typeof value === 'string' && value.length >= 8) issued.add(value);
    collectSecrets(value);
  }
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The standing check: no secret rests in the data directory, in the database or in a log. */
export async function refuseLeaks(dataDir: string, logs: readonly string[], databaseUrl?: string): Promise<void> {
  const entries = await readdir(dataDir, { recursive: true, withFileTypes: true }).catch(() => []);
  const names = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const files = await Promise.all(names.map(async (name) => ({ name, bytes: await readFile(name) })));
  if (databaseUrl !== undefined && issued.size > 0)
    files.push({ name: 'the database', bytes: Buffer.from(await dumpDatabase(databaseUrl)) });
  for (const secret of issued) {
    const parts = [secret, ...(secret.startsWith('eyJ') ? secret.split('.').slice(2) : []), secret.slice(-49)];
    for (const part of parts.filter((one) => one.length >= 8)) {
      for (const { name, bytes } of files) expect(bytes.includes(part), `a secret rests in ${name}`).toBe(false);
      for (const line of logs) expect(line.includes(part), 'a secret was logged').toBe(false);
    }
  }
  issued.clear();
}
