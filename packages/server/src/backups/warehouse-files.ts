import { createHash, type Hash } from 'node:crypto';
import { type FileHandle, link, open, readdir, stat, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { createLocalDirectories, syncDirectory } from '../iceberg/warehouse/local-directories.ts';
import { unusable } from './manifest.ts';
import { forEachEntry, hashing, isWarehouseFile } from './read-archive.ts';
import type { ArchiveWriter } from './write-archive.ts';

/** What became of the files of the warehouses in a data directory. */
export interface PackedFiles {
  count: number;
  sizeBytes: number;
  /** Dropped while the backup was made. */
  vanished: string[];
  /** Links and the like, and names that no backup can hold. */
  skipped: string[];
}

const PLACES = ['warehouse', 'warehouses'];

/** A file that the server is about to give its name. */
const isHalfWritten = (name: string): boolean => /^\..+\.\d+-\d+$/.test(name);

/** Adds every file of the warehouses below a data directory. They are written once, so they need no snapshot. */
export async function packWarehouses(archive: ArchiveWriter, dataDir: string): Promise<PackedFiles> {
  const packed: PackedFiles = { count: 0, sizeBytes: 0, vanished: [], skipped: [] };
  for (const place of PLACES) await packDirectory(archive, dataDir, place, packed);
  return packed;
}

async function packDirectory(archive: ArchiveWriter, root: string, name: string, packed: PackedFiles): Promise<void> {
  const entries = await readdir(join(root, name), { withFileTypes: true }).catch(emptyWhenGone);
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = `${name}/${entry.name}`;
    if (isHalfWritten(entry.name)) continue;
    if (entry.isDirectory()) await packDirectory(archive, root, path, packed);
    else if (!entry.isFile() || !isWarehouseFile(path)) packed.skipped.push(path);
    else await packFile(archive, root, path, packed);
  }
}

async function packFile(archive: ArchiveWriter, root: string, name: string, packed: PackedFiles): Promise<void> {
  try {
    const { size } = await stat(join(root, name));
    await archive.addFile(name, join(root, name));
    packed.count += 1;
    packed.sizeBytes += size;
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
    packed.vanished.push(name);
  }
}

/** How many files were put back, and which are there with another size than the backup's. */
export interface UnpackedFiles {
  added: number;
  different: string[];
}

/**
 * Puts back the files of a backup that a data directory does not have; replaces and deletes none. `files` has the SHA-256
 * each must have. A kill leaves no half file. Throws `backup_unusable` when the backup is not what it was.
 */
export async function unpackWarehouses(
  file: FileHandle,
  dataDir: string,
  files: ReadonlyMap<string, string>,
): Promise<UnpackedFiles> {
  const unpacked: UnpackedFiles = { added: 0, different: [] };
  if (files.size === 0) return unpacked;
  const outside = () => unusable('A symbolic link leads out of the data directory, where files would be put back.');
  const directories = createLocalDirectories(dataDir, outside);
  await forEachEntry(file, async ({ name, sizeBytes, content }) => {
    const expected = files.get(name);
    if (expected === undefined) return;
    const directory = await directories.findOrMake(join(dataDir, dirname(name)));
    const path = join(directory, basename(name));
    const there = await stat(path).catch((error) => emptyWhenGone(error) && null);
    if (there) {
      if (there.size !== sizeBytes) unpacked.different.push(name);
      return;
    }
    const hash = createHash('sha256');
    await writeNew(path, hashing(content, hash), () => requireHash(name, hash, expected));
    unpacked.added += 1;
  });
  return unpacked;
}

function requireHash(name: string, hash: Hash, expected: string): void {
  if (hash.digest('hex') !== expected) throw unusable(`Its ${name} has changed since it was checked.`);
}

/** A file is whole or not there; link(2) replaces nothing. */
async function writeNew(path: string, content: AsyncIterable<Buffer>, check: () => void): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path).slice(0, 100)}.${process.pid}-0`);
  await unlink(temporary).catch(emptyWhenGone);
  const file = await open(temporary, 'wx', 0o600);
  try {
    try {
      for await (const chunk of content) await file.writeFile(chunk);
      check();
      await file.datasync();
    } finally {
      await file.close();
    }
    await link(temporary, path).catch((error) => {
      if (codeOf(error) !== 'EEXIST') throw error;
    });
  } finally {
    await unlink(temporary).catch(() => {});
  }
  await syncDirectory(dirname(path));
}

function emptyWhenGone(error: unknown): never[] {
  if (codeOf(error) === 'ENOENT') return [];
  throw error;
}

const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException | null)?.code;
