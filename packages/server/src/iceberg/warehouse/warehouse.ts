/** Where a catalog keeps its files. Locations are URIs that were found to lie within it (location.ts). */
export interface Warehouse {
  /** The normalised location of the whole warehouse, without a slash at its end. */
  readonly root: string;
  /** Writes a new file, durable when this resolves; never replaces one. Throws `storage_…` and `unavailable`. */
  create(location: string, content: string | Uint8Array): Promise<void>;
  /** Makes a directory, where there are such: not every client makes those it writes to. */
  makeDirectory?(location: string): Promise<void>;
  /** Throws `file_not_found`, with the message `Failed to open input stream for file: <location>`. */
  read(location: string): Promise<Buffer>;
  /** Whether a file is there, where that costs next to nothing to find out. */
  has?(location: string): boolean;
  /** Deletes files; one that is not there counts as deleted. */
  remove(locations: readonly string[]): Promise<void>;
  /** Short-lived credentials for what lies under some locations; null where clients reach the files by themselves. */
  vend(request: VendRequest): Promise<VendedCredentials | null>;
}

export interface VendRequest {
  /** Everything a client needs for one table: its location, and other places its files are written to. */
  locations: readonly string[];
  access: 'read' | 'write';
  /** Who asks; part of the session's name in the storage's own audit trail. */
  principal: string;
  /** When the credential they were asked with ends, in milliseconds since 1970; null: not by itself. */
  endsAtMs: number | null;
}

/** `config` has Iceberg's FileIO properties, such as `s3.access-key-id`. */
export interface VendedCredentials {
  prefixes: readonly string[];
  config: Readonly<Record<string, string>>;
  expiresAtMs: number;
}
