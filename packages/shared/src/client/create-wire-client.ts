import type { IssuedApiKey, IssuedToken, Me, RotateKey, ServiceUser } from '../contract/index.ts';
import { type Caller, createCaller, queryOf, segment } from './call-server.ts';
import type { ConnectOptions } from './connect-types.ts';
import { fillIssuedApiKey, fillIssuedToken, fillLoggedIn, fillMe, fillServiceUser } from './original-answers.ts';
import { createOriginalServer, type OriginalServer } from './original-server.ts';
import { pruneToTheEnd } from './prune-tokens.ts';
import type { Transport } from './transport-types.ts';
import type { WireClient } from './wire-client.ts';

export interface WireClientOptions {
  transport: Transport;
  /** The embedded data directory; null over HTTP. */
  dataDir?: string | null;
  /** The headers that authenticate one request; asked before each. */
  authorize(): Promise<Record<string, string>>;
  userAgent: string;
  /** Sent as X-Pangolin-Tenant. */
  tenantId?: string | undefined;
  /** The same by its name, which the server is asked about; only root is told. */
  tenantName?: string | undefined;
  onNotice: ConnectOptions['onNotice'];
  now(): number;
  /** Runs before the transport closes. */
  beforeClose?(): Promise<void>;
}

const ISSUED_TOKEN = { token: 'secret' } as const;
const ISSUED_KEY = { api_key: 'secret' } as const;
const SERVICE_USER = { keys: 'list?' } as const;
const GRANT = { grantee: 'object?' } as const;
const CHECKPOINT = { seq: 'whole' } as const;
const VERIFICATION = { seq: 'whole', events: 'whole', checkpoints: 'whole' } as const;
const SETTINGS_CHANGE = { before: 'object?', affected_tokens: 'list', affected_keys: 'list?' } as const;

interface Parts {
  caller: Caller;
  original: OriginalServer;
  now(): number;
}

/**
 * The resources of one Pangolin server. Of an answer's shape only what the client itself works with is checked, and the
 * secrets: the whole contract would cost every command the time it takes to load the schemas.
 */
export function createWireClient(options: WireClientOptions): WireClient {
  const { transport, now } = options;
  const caller = createCaller(options);
  const original = createOriginalServer({ ...options, caller });
  const parts = { caller, original, now };
  return {
    origin: transport.origin,
    dataDir: options.dataDir ?? null,
    tokens: tokenCalls(parts),
    serviceUsers: serviceUserCalls(parts),
    users: userCalls(parts),
    catalogs: catalogCalls(parts),
    tenants: tenantCalls(parts),
    settings: {
      get: () => caller.call('GET', '/api/v1/config/settings'),
      update: (input, { dryRun } = {}) =>
        caller.call('PUT', `/api/v1/config/settings${queryOf({ dry_run: dryRun })}`, input, SETTINGS_CHANGE),
    },
    policies: policyCalls(parts),
    signingKeys: {
      list: (query) => caller.list('/api/v1/signing-keys', query),
      rotate: () => caller.call('POST', '/api/v1/signing-keys/rotate'),
      reseal: () => caller.call('POST', '/api/v1/signing-keys/reseal'),
    },
    audit: auditCalls(parts),
    app: {
      config: () => caller.call('GET', '/api/v1/app/config'),
      jwks: () => caller.call('GET', '/.well-known/jwks.json', undefined, { keys: 'list' }),
    },
    async close() {
      await options.beforeClose?.();
      await transport.close();
    },
  };
}

function tokenCalls({ caller, original, now }: Parts): WireClient['tokens'] {
  const one = (id: string) => `/api/v1/tokens/${segment(id)}`;
  // The only revocation paths that an original server has, too.
  const revoke = async (path: string, reason: string | undefined) => {
    const ours = () => caller.tell('POST', path, reason === undefined ? {} : { reason });
    const { message = 'Revoked' } = await original.speak(ours, () => original.revoke(path, reason));
    return { message };
  };
  return {
    async create(input) {
      const ours = () => caller.call<IssuedToken>('POST', '/api/v1/tokens', input, ISSUED_TOKEN);
      return fillIssuedToken(await original.speak<{ token: string }>(ours, () => original.createToken(input)), now());
    },
    list: (query) => caller.list('/api/v1/users/me/tokens', query),
    listOfTenant: (query) => caller.list('/api/v1/tokens', query),
    listOfUser: (userId, query) => caller.list(`/api/v1/users/${segment(userId)}/tokens`, query),
    get: (id) => caller.call('GET', one(id)),
    getSelf: () => caller.call('GET', '/api/v1/tokens/self'),
    revoke: (id, reason) => revoke(`/api/v1/auth/revoke/${segment(id)}`, reason),
    revokeSelf: (reason) => revoke('/api/v1/auth/revoke', reason),
    async revokeOfUser(userId, reason) {
      const body = reason === undefined ? {} : { reason };
      const { message = 'Revoked' } = await caller.tell('POST', `/api/v1/users/${segment(userId)}/tokens/revoke`, body);
      return { message };
    },
    async delete(id) {
      await caller.tell('DELETE', one(id));
    },
    prune: (input) => pruneToTheEnd(caller, input),
    rotate: () => caller.call('POST', '/api/v1/tokens/rotate', undefined, ISSUED_TOKEN),
  };
}

function serviceUserCalls({ caller, original, now }: Parts): WireClient['serviceUsers'] {
  const path = '/api/v1/service-users';
  const one = (id: string) => `${path}/${segment(id)}`;

  async function rotateOurs(id: string, input: RotateKey): Promise<IssuedApiKey> {
    const current = await caller.call<Partial<ServiceUser>>('GET', one(id), undefined, SERVICE_USER);
    // An original server would ignore or refuse what the rotation says; its service users have no list of keys.
    if (current.keys === undefined && (await original.isOriginal())) {
      return fillIssuedApiKey(await original.rotateKey(id, input), current, now());
    }
    const expected = input.expected_key_id ?? current.keys?.[0]?.id;
    const body = { ...input, ...(expected === undefined ? {} : { expected_key_id: expected }) };
    return caller.call('POST', `${one(id)}/rotate`, body, ISSUED_KEY);
  }

  return {
    async create(input) {
      const ours = () => caller.call<IssuedApiKey>('POST', path, input, ISSUED_KEY);
      const answer = await original.speak<{ api_key: string }>(ours, () => original.createServiceUser(input));
      return fillIssuedApiKey(answer, {}, now());
    },
    list: async (query) => (await caller.list<ServiceUser>(path, query)).map(fillServiceUser),
    get: async (id) => fillServiceUser(await caller.call('GET', one(id), undefined, SERVICE_USER)),
    update: async (id, input) => fillServiceUser(await caller.call('PUT', one(id), input, SERVICE_USER)),
    async delete(id) {
      await caller.tell('DELETE', one(id));
    },
    rotate: (id, input = {}) =>
      original.speak(
        () => rotateOurs(id, input),
        async () => fillIssuedApiKey(await original.rotateKey(id, input), { id }, now()),
      ),
  };
}

function userCalls({ caller }: Parts): WireClient['users'] {
  const path = '/api/v1/users';
  const one = (id: string) => `${path}/${segment(id)}`;
  return {
    // Both kinds of server read the kebab-case spelling; an original one wants it even when it is null.
    login: async ({ username, password, tenant_id = null, tenant }) => {
      const where = tenant == null ? { 'tenant-id': tenant_id } : { tenant };
      return fillLoggedIn(await caller.logIn(`${path}/login`, { username, password, ...where }), username);
    },
    async logout() {
      const { message = 'Logged out' } = await caller.tell('POST', `${path}/logout`, {});
      return { message };
    },
    async me() {
      const me = await caller.call<Me>('GET', `${path}/me`, undefined, { credential: 'object?' });
      return fillMe(me, me.credential === undefined ? (await caller.authorize()).authorization : undefined);
    },
    create: (input) => caller.call('POST', path, input),
    list: (query) => caller.list(path, query),
    get: (id) => caller.call('GET', one(id)),
    update: (id, input) => caller.call('PUT', one(id), input),
    async delete(id) {
      await caller.tell('DELETE', one(id));
    },
    resetPassword: (id, input) => caller.call('POST', `${one(id)}/password`, input),
  };
}

function catalogCalls({ caller }: Parts): WireClient['catalogs'] {
  const path = '/api/v1/catalogs';
  const one = (name: string) => `${path}/${segment(name)}`;
  return {
    list: (query) => caller.list(path, query),
    create: (input) => caller.call('POST', path, input),
    get: (name) => caller.call('GET', one(name)),
    update: (name, input) => caller.call('PUT', one(name), input),
    async delete(name) {
      await caller.tell('DELETE', one(name));
    },
  };
}

function policyCalls({ caller }: Parts): WireClient['policies'] {
  const path = '/api/v1/policies';
  return {
    list: (query) => caller.list(path, query),
    grant: (input) => caller.call('POST', path, input, GRANT),
    async revoke(id) {
      await caller.tell('DELETE', `${path}/${segment(id)}`);
    },
  };
}

function tenantCalls({ caller }: Parts): WireClient['tenants'] {
  const path = '/api/v1/tenants';
  const one = (id: string) => `${path}/${segment(id)}`;
  return {
    list: (query) => caller.list(path, query),
    create: (input) => caller.call('POST', path, input),
    get: (id) => caller.call('GET', one(id)),
    update: (id, input) => caller.call('PUT', one(id), input),
    async delete(id) {
      await caller.tell('DELETE', one(id));
    },
  };
}

function auditCalls({ caller }: Parts): WireClient['audit'] {
  const path = '/api/v1/audit';
  return {
    list: (query) => caller.list(path, query),
    count: (filter = {}) => caller.call('GET', `${path}/count${queryOf(filter)}`, undefined, { count: 'whole' }),
    get: (id, options = {}) => caller.call('GET', `${path}/${segment(id)}${queryOf(options)}`),
    verify: (options = {}) => caller.call('GET', `${path}/verify${queryOf(options)}`, undefined, VERIFICATION),
    createCheckpoint: (options = {}) =>
      caller.call('POST', `${path}/checkpoints${queryOf(options)}`, undefined, CHECKPOINT),
  };
}
