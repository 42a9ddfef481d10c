import type { Refusals } from './audit/refusals.ts';
import type { NetworkLists } from './credentials/networks.ts';
import type { CredentialReader } from './credentials/store.ts';
import type { VerifiedCredentials } from './credentials/verified-credentials.ts';
import type { IcebergState } from './iceberg/iceberg-state.ts';
import type { Warehouses } from './iceberg/warehouse/open-warehouse.ts';
import type { Installation } from './installation/installation.ts';
import type { MasterKey } from './installation/master-key.ts';
import type { LastUsed } from './last-used/last-used.ts';
import type { FailedCredentials } from './limits/failed-credentials.ts';
import type { Metrics } from './metrics/metrics.ts';
import type { Serving } from './serving.ts';
import type { LoginFailures } from './sessions/login-failures.ts';
import type { LoginThrottle } from './sessions/login-throttle.ts';
import type { SigningKeys } from './signing-keys/signing-keys.ts';
import type { Database } from './store/database.ts';
import type { Turns } from './turns.ts';
import type { Passwords } from './users/passwords.ts';

/** A structured log; pino's shape. Nothing that is logged may hold a secret. */
export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** Everything the server reaches outside a request, made once in embedded.ts. */
export interface Deps {
  db: Database;
  /** Milliseconds since 1970. */
  now(): number;
  /** A new UUIDv7. */
  newId(): string;
  /** A new random UUID (version 4), for what others identify by it. */
  newUuid(): string;
  randomBytes(size: number): Buffer;
  log: Log;
  installation: Installation;
  signingKeys: SigningKeys;
  masterKey: MasterKey;
  credentials: CredentialReader;
  verified: VerifiedCredentials;
  networks: NetworkLists;
  lastUsed: LastUsed;
  passwords: Passwords;
  failedCredentials: FailedCredentials;
  loginFailures: LoginFailures;
  refusals: Refusals;
  logins: LoginThrottle;
  metrics: Metrics;
  serving: Serving;
  /** Of lists that take the event loop for long. */
  turns: Turns;
  warehouses: Warehouses;
  iceberg: IcebergState;
  /** Where the embedded default keeps everything. */
  dataDir: string;
  /** The operating system's account, for the embedded owner. */
  ownerName: string;
  version: string;
  /** Whether callers prove who they are; a server started without authentication believes what they say. */
  authenticates: boolean;
  /** `serve --public-url`, an origin; null: the loopback origin the client used. */
  publicUrl: string | null;
}
