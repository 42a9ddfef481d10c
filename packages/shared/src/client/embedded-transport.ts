import type { Transport } from './transport-types.ts';

/** The server's front door, as far as the client needs it. */
interface EmbeddedServer extends Pick<Transport, 'send' | 'close'> {
  dataDir: string;
}

interface ServerModule {
  openEmbedded(options: EmbeddedOptions): Promise<EmbeddedServer>;
}

export interface EmbeddedOptions {
  dataDir: string;
  /** Whether a data directory may be created. */
  create: boolean;
  /** The operating system's account: what the owner is called. */
  ownerName: string;
  /** What PANGOLIN_MASTER_KEY holds, or the file that PANGOLIN_MASTER_KEY_FILE names. */
  masterKey?: string | undefined;
  masterKeyFile?: string | undefined;
  now?: () => number;
  /** A `postgres://` database instead of a file in the data directory, and this process's own clock. */
  databaseUrl?: string;
  wallMs?: () => number;
}

/** A transport into a server in this process; `dataDir` is where its data is. */
export interface EmbeddedTransport extends Transport {
  readonly origin: null;
  readonly dataDir: string;
}

/**
 * Opens a data directory and answers requests from it in this process, as its owner.
 * Throws `no_server`, `data_directory_refused`, `master_key_missing`, `database_too_new` and the `storage_…` codes.
 */
export async function openEmbeddedTransport(options: EmbeddedOptions): Promise<EmbeddedTransport> {
  const { openEmbedded }: ServerModule = await import('@pangolin/server');
  const server = await openEmbedded(options);
  return { origin: null, dataDir: server.dataDir, send: server.send, close: server.close };
}
