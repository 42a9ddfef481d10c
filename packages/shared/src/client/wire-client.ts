import type {
  AppConfig,
  AuditChain,
  AuditCheckpoint,
  AuditCount,
  AuditEvent,
  AuditFilter,
  AuditPage,
  AuditVerification,
  AuditVerificationPage,
  Catalog,
  CreateCatalog,
  CreatedTenant,
  CreatedUser,
  CreateGrant,
  CreateServiceUser,
  CreateTenant,
  CreateToken,
  CreateUser,
  Grant,
  GrantPage,
  IssuedApiKey,
  IssuedToken,
  Jwks,
  LoggedIn,
  Login,
  MasterKeyRotation,
  Me,
  PasswordWasReset,
  PrunedTokens,
  PruneTokens,
  ResetPassword,
  RotateKey,
  ServiceUser,
  Settings,
  SettingsChange,
  SigningKey,
  SigningKeyRotation,
  Tenant,
  TenantTokenPage,
  Token,
  TokenPage,
  UpdateCatalog,
  UpdateServiceUser,
  UpdateSettings,
  UpdateTenant,
  UpdateUser,
  User,
} from '../contract/index.ts';

/** `all: true` follows `Link: rel="next"` to the end; otherwise one page. */
export type ListOptions<Query = object> = Partial<Omit<Query, 'limit' | 'offset' | 'cursor' | 'count'>> & {
  limit?: number;
  all?: boolean;
};

/**
 * The resources of a Pangolin server in the spelling of the wire (snake_case, RFC 3339 strings).
 * Every method throws PangolinError with the code the server answered, or one of the `network_…` codes.
 */
export interface WireClient {
  /** `https://host:port`; null when the server runs inside this process. */
  readonly origin: string | null;
  /** The embedded data directory; null when a server answers. */
  readonly dataDir: string | null;
  readonly tokens: {
    create(input: CreateToken): Promise<IssuedToken>;
    list(options?: ListOptions<TokenPage>): Promise<Token[]>;
    listOfTenant(options?: ListOptions<TenantTokenPage>): Promise<Token[]>;
    listOfUser(userId: string, options?: ListOptions<TokenPage>): Promise<Token[]>;
    get(id: string): Promise<Token>;
    getSelf(): Promise<Token>;
    revoke(id: string, reason?: string): Promise<{ message: string }>;
    revokeSelf(reason?: string): Promise<{ message: string }>;
    revokeOfUser(userId: string, reason?: string): Promise<{ message: string }>;
    delete(id: string): Promise<void>;
    /** Follows `next_cursor` to the end and answers the sum; lists the first 1,000. */
    prune(input: PruneTokens): Promise<PrunedTokens>;
    rotate(): Promise<IssuedToken>;
  };
  readonly serviceUsers: {
    create(input: CreateServiceUser): Promise<IssuedApiKey>;
    list(options?: ListOptions & { name?: string; unused_for_days?: number }): Promise<ServiceUser[]>;
    get(id: string): Promise<ServiceUser>;
    update(id: string, input: UpdateServiceUser): Promise<ServiceUser>;
    delete(id: string): Promise<void>;
    /** Reads the current key first and sends it as `expected_key_id`, unless the caller names one. */
    rotate(id: string, input?: RotateKey): Promise<IssuedApiKey>;
  };
  readonly users: {
    login(input: Login): Promise<LoggedIn>;
    logout(): Promise<{ message: string }>;
    me(): Promise<Me>;
    create(input: CreateUser): Promise<CreatedUser>;
    list(options?: ListOptions & { username?: string }): Promise<User[]>;
    get(id: string): Promise<User>;
    update(id: string, input: UpdateUser): Promise<User>;
    delete(id: string): Promise<void>;
    resetPassword(id: string, input: ResetPassword): Promise<PasswordWasReset>;
  };
  readonly catalogs: {
    list(options?: ListOptions): Promise<Catalog[]>;
    create(input: CreateCatalog): Promise<Catalog>;
    get(name: string): Promise<Catalog>;
    update(name: string, input: UpdateCatalog): Promise<Catalog>;
    delete(name: string): Promise<void>;
  };
  /** Root's alone. */
  readonly tenants: {
    list(options?: ListOptions & { name?: string }): Promise<Tenant[]>;
    create(input: CreateTenant): Promise<CreatedTenant>;
    get(id: string): Promise<Tenant>;
    update(id: string, input: UpdateTenant): Promise<Tenant>;
    delete(id: string): Promise<void>;
  };
  readonly settings: {
    get(): Promise<Settings>;
    update(input: UpdateSettings, options?: { dryRun?: boolean }): Promise<SettingsChange>;
  };
  readonly policies: {
    list(options?: ListOptions<GrantPage>): Promise<Grant[]>;
    /** The grant, also where it was granted before. */
    grant(input: CreateGrant): Promise<Grant>;
    revoke(id: string): Promise<void>;
  };
  readonly signingKeys: {
    list(options?: ListOptions): Promise<SigningKey[]>;
    rotate(): Promise<SigningKeyRotation>;
    reseal(): Promise<MasterKeyRotation>;
  };
  readonly audit: {
    list(options?: ListOptions<AuditPage>): Promise<AuditEvent[]>;
    count(filter?: AuditFilter): Promise<AuditCount>;
    get(id: string, options?: AuditChain): Promise<AuditEvent>;
    /** One walk; where it is not `complete`, go on `after_seq`. */
    verify(options?: Partial<AuditVerificationPage>): Promise<AuditVerification>;
    createCheckpoint(options?: AuditChain): Promise<AuditCheckpoint>;
  };
  readonly app: { config(): Promise<AppConfig>; jwks(): Promise<Jwks> };
  close(): Promise<void>;
}
