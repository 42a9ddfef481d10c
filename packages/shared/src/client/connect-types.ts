import type { WireClient } from './wire-client.ts';

/** Where a secret came from, in the words `whoami` shows. */
export type CredentialSource =
  | '--token-stdin'
  | 'PANGOLIN_TOKEN'
  | 'PANGOLIN_TOKEN_FILE'
  | 'PANGOLIN_API_KEY'
  | 'PANGOLIN_CLIENT_ID'
  | 'PANGOLIN_TOKEN_COMMAND'
  | 'PANGOLIN_USERNAME'
  | 'GitHub Actions'
  | 'keyring'
  | 'credentials file'
  | 'embedded owner'
  | 'program'
  | 'none';

/**
 * What a notice is about: the embedded server is in use; an original server cannot do something; a line a token command
 * wrote to its stderr; where a login is kept; a session that could not be ended.
 */
export type NoticeKind = 'embedded' | 'original' | 'command' | 'store' | 'session';

export interface ConnectOptions {
  url?: string;
  profile?: string;
  dataDir?: string;
  /** Overrides the profile's tenant; sent as X-Pangolin-Tenant. */
  tenantId?: string;
  /** The same by its id or its name; the server is asked for the id of a name, and tells only root. */
  tenant?: string;
  caFile?: string;
  insecureHttp?: boolean;
  /** The access token read from standard input. */
  tokenFromStdin?: string;
  /** Whether an embedded data directory may be created; otherwise a missing one is `no_server`. */
  createDataDir: boolean;
  /** Told what a person should know: the embedded mode, what an original server cannot do, a shortened lifetime. */
  onNotice(message: string, kind?: NoticeKind): void;
  /** How the client calls itself: `pangolin-user/0.1.0`. */
  userAgent?: string;
  /** Asked before each request; an access token it answers is used instead of any other credential. */
  obtainAccessToken?(): Promise<string | undefined>;
}

/** What the process lends the client: its environment, its clock, its account. Nothing else reads them. */
export interface Surroundings {
  env: Readonly<Record<string, string | undefined>>;
  platform: NodeJS.Platform;
  homeDir: string;
  /** The operating system's account name. */
  accountName: string;
  now(): number;
}

/** A client together with how it was found. */
export interface Connection {
  client: WireClient;
  /** The profile in use, or null when the URL was given or the server is embedded. */
  profile: string | null;
  source: CredentialSource;
}
