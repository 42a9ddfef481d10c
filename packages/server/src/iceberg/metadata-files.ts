import { PangolinError } from '@pangolin/shared/errors';
import type { MaybePromise } from '../maybe-promise.ts';
import type { ObjectFormat } from './object-format.ts';
import type { Warehouse } from './warehouse/warehouse.ts';

/** What a metadata file holds; files are immutable, so it is true for ever. */
export interface MetadataFile<M> {
  location: string;
  metadata: M;
  /** The JSON that clients are sent. */
  text: string;
}

export interface MetadataFiles {
  /** Throws `file_not_found`, and `invalid_request` for what is no metadata. */
  read<M>(warehouse: Warehouse, format: ObjectFormat<M>, location: string): MaybePromise<MetadataFile<M>>;
  /** Writes a new file, durable when this resolves. */
  create<M>(warehouse: Warehouse, format: ObjectFormat<M>, location: string, metadata: M): Promise<MetadataFile<M>>;
}

const MAX_KEPT_CHARACTERS = 32 * 1024 * 1024;
const MAX_UNPACKED_BYTES = 256 * 1024 * 1024;

/** Reads and writes metadata files, and keeps those last used. */
export function createMetadataFiles(): MetadataFiles {
  const kept = new Map<string, MetadataFile<unknown>>();
  let characters = 0;

  function keep<M>(key: string, file: MetadataFile<M>): MetadataFile<M> {
    forget(key);
    kept.set(key, file);
    characters += file.text.length;
    for (const oldest of kept.keys()) {
      if (characters <= MAX_KEPT_CHARACTERS) break;
      forget(oldest);
    }
    return file;
  }

  function forget(key: string): void {
    const file = kept.get(key);
    if (!file) return;
    kept.delete(key);
    characters -= file.text.length;
  }

  async function load<M>(warehouse: Warehouse, format: ObjectFormat<M>, location: string): Promise<MetadataFile<M>> {
    const metadata = format.parse(await unpack(location, await warehouse.read(location)));
    return keep(keyOf(format, location), { location, metadata, text: format.write(metadata) });
  }

  return {
    read<M>(warehouse: Warehouse, format: ObjectFormat<M>, location: string) {
      const key = keyOf(format, location);
      const file = kept.get(key) as MetadataFile<M> | undefined;
      if (!file || warehouse.has?.(location) === false) {
        forget(key);
        return load(warehouse, format, location);
      }
      kept.delete(key);
      kept.set(key, file);
      return file;
    },
    async create(warehouse, format, location, metadata) {
      const text = format.write(metadata);
      await warehouse.create(location, isPacked(location) ? await pack(text) : text);
      return keep(keyOf(format, location), { location, metadata, text });
    },
  };
}

/** A client may name a table's file as a view's: what was read as the one is not the other. */
const keyOf = <M>({ kind }: ObjectFormat<M>, location: string): string => `${kind} ${location}`;

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
    const unpacked = await promisify(gunzip)(content, { maxOutputLength: MAX_UNPACKED_BYTES });
    return unpacked.toString('utf8');
  } catch (cause) {
    throw new PangolinError('invalid_request', `The metadata file ${location} cannot be unpacked.`, { cause });
  }
}
