import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { PangolinError } from '@pangolin/shared/errors';
import { extract as createExtract } from 'tar-stream';
import { CHECKSUMS, DATABASE, MANIFEST, MASTER_KEY, type Manifest, readManifest, unusable } from './manifest.ts';

/** An entry of a backup. Its content is read once, in order. */
export interface ArchiveEntry {
  name: string;
  sizeBytes: number;
  content: AsyncIterable<Buffer>;
}

/** What a backup holds besides its database. */
export interface ArchiveContents {
  manifest: Manifest;
  /** As it stands in a master.key file. */
  masterKey: string | null;
  /** By name: the SHA-256, in hex, of each of the warehouses' files. */
  files: ReadonlyMap<string, string>;
}

const MAX_SMALL_BYTES = 1024 * 1024;
/** A line of checksums for each file; a hundred million files are no backup of ours. */
const MAX_CHECKSUMS_BYTES = 2 ** 32;
const MAX_NAME_BYTES = 4096;

/** Below the folders that warehouses are in, without a part that leads elsewhere. */
export function isWarehouseFile(name: string): boolean {
  if (Buffer.byteLength(name) > MAX_NAME_BYTES || /[\0\\]|^[A-Za-z]:/.test(name)) return false;
  const [place, ...below] = name.split('/');
  if (place !== 'warehouse' && place !== 'warehouses') return false;
  return below.length > 0 && below.every((part) => part !== '' && part !== '.' && part !== '..');
}

/** Goes through the entries of a backup, plain or gzip, whatever it is called. Throws `backup_unusable`. */
export async function forEachEntry(file: FileHandle, visit: (entry: ArchiveEntry) => Promise<void>): Promise<void> {
  const magic = Buffer.alloc(2);
  await file.read(magic, 0, 2, 0);
  const source = file.createReadStream({ start: 0, autoClose: false });
  const extract = createExtract();
  const ended = () => {};
  if (magic.equals(Buffer.from([0x1f, 0x8b]))) pipeline(source, createGunzip(), extract, ended);
  else pipeline(source, extract, ended);
  try {
    for await (const entry of extract) {
      const { name, type, size } = entry.header;
      if (type !== 'file') throw unusable(`It holds ${JSON.stringify(name)}, which is no plain file.`);
      await visit({ name, sizeBytes: size, content: entry as AsyncIterable<Buffer> });
      // What nobody read must still go by.
      entry.resume();
    }
  } catch (error) {
    if (error instanceof PangolinError || isFileError(error)) throw error;
    throw unusable('It is damaged or cut short.', error);
  } finally {
    extract.destroy();
  }
}

/** A disk that fails is not the backup's fault; what zlib and tar-stream find is. */
const isFileError = (error: unknown): boolean => typeof (error as NodeJS.ErrnoException | null)?.syscall === 'string';

/**
 * Reads a whole backup and checks it: what is in it, in which order, under which names, and that everything has the
 * SHA-256 it had when it was written. `takeDatabase` is given the database. Throws `backup_unusable`.
 */
export async function verifyArchive(
  file: FileHandle,
  takeDatabase: (entry: ArchiveEntry) => Promise<void>,
): Promise<ArchiveContents> {
  const hashes = new Map<string, string>();
  let manifest: Manifest | undefined;
  let masterKey: string | null = null;
  let checksums: string | undefined;
  await forEachEntry(file, async (entry) => {
    const { name } = entry;
    if (manifest === undefined) {
      if (name !== MANIFEST) throw unusable('It is not a backup of Pangolin: it does not begin with a manifest.json.');
      const bytes = await readSmall(entry, MAX_SMALL_BYTES);
      manifest = readManifest(bytes);
      hashes.set(name, sha256(bytes));
      return;
    }
    if (checksums !== undefined || hashes.has(name)) throw unusable(`It holds ${JSON.stringify(name)} unexpectedly.`);
    if (name === CHECKSUMS) checksums = (await readSmall(entry, MAX_CHECKSUMS_BYTES)).toString('utf8');
    else if (name === DATABASE) hashes.set(name, await takeChecked(entry, manifest, takeDatabase));
    else if (!hashes.has(DATABASE)) throw unusable('Its database is not where it belongs.');
    else if (name === MASTER_KEY && manifest.has_master_key) {
      const bytes = await readSmall(entry, MAX_SMALL_BYTES);
      masterKey = bytes.toString('utf8');
      hashes.set(name, sha256(bytes));
    } else if (isWarehouseFile(name)) hashes.set(name, await hashOf(entry.content));
    else throw unusable(`It holds ${JSON.stringify(name)}, which no backup does.`);
  });
  if (manifest === undefined || !hashes.has(DATABASE)) throw unusable('It holds no database.');
  if (checksums === undefined) throw unusable('It is cut short: its checksums are missing.');
  const expected = [...hashes].map(([name, hash]) => `${hash}  ${name}\n`).join('');
  if (checksums !== expected) throw unusable('It is damaged: its checksums are not those of what it holds.');
  const files = new Map([...hashes].filter(([name]) => isWarehouseFile(name)));
  return { manifest, masterKey, files };
}

async function takeChecked(
  entry: ArchiveEntry,
  { database }: Manifest,
  take: (entry: ArchiveEntry) => Promise<void>,
): Promise<string> {
  if (entry.sizeBytes !== database.size_bytes) throw unusable('Its database is not as large as its manifest says.');
  const hash = createHash('sha256');
  await take({ ...entry, content: hashing(entry.content, hash) });
  const digest = hash.digest('hex');
  if (digest === database.sha256) return digest;
  throw unusable('It is damaged: its database is not the one its manifest describes.');
}

/** The same content, which is hashed as it passes. */
export async function* hashing(content: AsyncIterable<Buffer>, hash: { update(chunk: Buffer): unknown }) {
  for await (const chunk of content) {
    hash.update(chunk);
    yield chunk;
  }
}

async function readSmall({ name, sizeBytes, content }: ArchiveEntry, maxBytes: number): Promise<Buffer> {
  if (sizeBytes > maxBytes) throw unusable(`Its ${name} is too large.`);
  const chunks: Buffer[] = [];
  for await (const chunk of content) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function hashOf(content: AsyncIterable<Buffer>): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of content) hash.update(chunk);
  return hash.digest('hex');
}

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
