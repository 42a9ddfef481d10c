import { createHash } from 'node:crypto';
import { type ErrorCode, PangolinError } from '@pangolin/shared/errors';
import type { MaybePromise } from '../maybe-promise.ts';
import type { ObjectFormat } from './object-format.ts';
import type { Warehouse } from './warehouse/warehouse.ts';

/** What a metadata file holds; files are immutable, so it is true for ever. */
export interface MetadataFile<M> {
  location: string;
  metadata: M;
  /** The JSON that clients are sent. */
  text: string;
  /** What no other file has: 27 characters that an ETag may hold. */
  tag: string;
}

export interface MetadataFiles {
  /** Throws `file_not_found`, and `server_error` for what is no metadata. */
  read<M>(warehouse: Warehouse, format: ObjectFormat<M>, location: string): MaybePromise<MetadataFile<M>>;
  /**
   * Reads a file that somebody else wrote, and may have written again since it was read last. Throws `file_not_found`, and
   * `invalid_request` for what is no metadata.
   */
  readAnew<M>(warehouse: Warehouse, format: ObjectFormat<M>, location: string): Promise<MetadataFile<M>>;
  /** Writes a new file, durable when this resolves. */
  create<M>(warehouse: Warehouse, format: ObjectFormat<M>, location: string, metadata: M): Promise<MetadataFile<M>>;
}

const MAX_KEPT_CHARACTERS = 32 * 1024 * 1024;

/** More than a hundred thousand snapshots need; parsing it is a second or two in which nobody else is served. */
const MAX_FILE_BYTES = 32 * 1024 * 1024;

/** Reads and writes metadata files, and keeps those last used. */
export function createMetadataFiles(): MetadataFiles {
  const kept = new Map<string, KeptFile<unknown>>();
  const seen = new Set<KeptFile<unknown>>();
  let characters = 0;
  // It needs no new place in `kept`, where each change of places leaves a gap to be closed.
  let newest: KeptFile<unknown> | null = null;

  function keep<M>({ kind }: ObjectFormat<M>, location: string, metadata: M, text: string): MetadataFile<M> {
    const file = { kind, location, metadata, text, tag: tagOf(location) };
    forget(location);
    kept.set(location, file);
    newest = file;
    characters += text.length;
    for (const oldest of kept.keys()) {
      if (characters <= MAX_KEPT_CHARACTERS) break;
      forget(oldest);
    }
    return file;
  }

  function forget(location: string): void {
    const file = kept.get(location);
    if (!file) return;
    kept.delete(location);
    if (file === newest) newest = null;
    characters -= file.text.length;
  }

  /** Whether other hands did not delete a file. One look serves all that a turn of the event loop delivered. */
  function isThere(warehouse: Warehouse, file: KeptFile<unknown>): boolean {
    if (seen.has(file)) return true;
    if (warehouse.has?.(file.location) === false) return false;
    if (seen.size === 0) setImmediate(() => seen.clear());
    seen.add(file);
    return true;
  }

  async function load<M>(
    warehouse: Warehouse,
    format: ObjectFormat<M>,
    location: string,
    isForeign: boolean,
  ): Promise<MetadataFile<M>> {
    const content = await warehouse.read(location);
    refuseOversized(content.length, format, location, isForeign ? 'invalid_request' : 'server_error');
    const text = await unpack(location, content);
    const metadata = parse(text, format, location, isForeign ? 'invalid_request' : 'server_error');
    return keep(format, location, metadata, format.write(metadata));
  }

  return {
    read<M>(warehouse: Warehouse, format: ObjectFormat<M>, location: string) {
      const file = kept.get(location) as KeptFile<M> | undefined;
      // A client may name a table's file as a view's: what was read as the one is not the other.
      if (file?.kind !== format.kind || !isThere(warehouse, file)) {
        forget(location);
        return load(warehouse, format, location, false);
      }
      if (file !== newest) {
        kept.delete(location);
        kept.set(location, file);
        newest = file;
      }
      return file;
    },
    readAnew: (warehouse, format, location) => load(warehouse, format, location, true),
    async create(warehouse, format, location, metadata) {
      const text = format.write(metadata);
      refuseOversized(text.length, format, location, 'invalid_request');
      await warehouse.create(location, isPacked(location) ? await pack(text) : text);
      return keep(format, location, metadata, text);
    },
  };
}

interface KeptFile<M> extends MetadataFile<M> {
  kind: ObjectFormat<M>['kind'];
}

const tagOf = (location: string): string => createHash('sha256').update(location).digest('base64url').slice(0, 27);

function refuseOversized<M>(size: number, { kind }: ObjectFormat<M>, location: string, code: ErrorCode): void {
  if (size <= MAX_FILE_BYTES) return;
  throw new PangolinError(code, `The ${kind} metadata ${location} is larger than ${MAX_FILE_BYTES / 1024 / 1024} MiB.`);
}

/** What is wrong is the file, not the request; unless the request is to take the file. */
function parse<M>(text: string, format: ObjectFormat<M>, location: string, code: ErrorCode): M {
  try {
    return format.parse(text);
  } catch (cause) {
    if (!(cause instanceof PangolinError) || cause.code !== 'invalid_request') throw cause;
    throw new PangolinError(code, `The file ${location} is no ${format.kind} metadata: ${cause.message}`, { cause });
  }
}

const isPacked = (location: string): boolean => /\.gz\.metadata\.json$|\.metadata\.json\.gz$/.test(location);

// Compression is rare: it is loaded by the first file that has it.
async function pack(text: string): Promise<Buffer> {
  const [{ promisify }, { gzip }] = await Promise.all([import('node:util'), import('node:zlib')]);
  return promisify(gzip)(text);
}

async function unpack(location: string, content: Buffer): Promise<string> {
  if (!isPacked(location)) return content.toString('utf8');
  const [{ promisify }, { gunzip }] = await Promise.all([import('node:util'), import('node:zlib')]);
  try {
    const unpacked = await promisify(gunzip)(content, { maxOutputLength: MAX_FILE_BYTES });
    return unpacked.toString('utf8');
  } catch (cause) {
    throw new PangolinError('invalid_request', `The metadata file ${location} cannot be unpacked.`, { cause });
  }
}
