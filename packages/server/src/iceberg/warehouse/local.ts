import { constants, existsSync } from 'node:fs';
import { type FileHandle, link, lstat, open, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { localPath } from './default-warehouse.ts';
import { createLocalDirectories, syncDirectory } from './local-directories.ts';
import { findWithin, formatLocation, readLocation } from './location.ts';
import type { Warehouse } from './warehouse.ts';
import {
  explainFileError,
  fileExists,
  fileMissing,
  fileOutside,
  fileTooLarge,
  MAX_FILE_BYTES,
  notAFile,
} from './warehouse-errors.ts';

const REMOVED_AT_ONCE = 8;
const MAX_ATTEMPTS = 10;

/** A directory as a warehouse; it is made by the first file that is. Clients reach its files by themselves. */
export function openLocalWarehouse(root: string, { maxFileBytes = MAX_FILE_BYTES } = {}): Warehouse {
  const rootLocation = readLocation(root);
  const rootText = formatLocation(rootLocation);
  const directories = createLocalDirectories(localPath(rootLocation), () => fileOutside('A symbolic link', rootText));
  let serial = 0;

  function pathOf(location: string): string {
    const found = findWithin(rootLocation, location);
    if (found) return localPath(found);
    throw fileOutside(location, rootText);
  }

  /** A name that nobody has: other processes have other numbers, and whoever lives on after them takes the next. */
  async function openTemporary(path: string): Promise<{ file: FileHandle; temporary: string }> {
    const temporary = join(dirname(path), `.${basename(path)}.${process.pid}-${serial++}`);
    try {
      return { file: await open(temporary, 'wx'), temporary };
    } catch (error) {
      if (codeOf(error) === 'EEXIST') return openTemporary(path);
      throw error;
    }
  }

  /** A file is whole or not there, wherever this is killed; link(2) refuses to replace. */
  async function writeNew(location: string, path: string, content: string | Uint8Array): Promise<void> {
    const { file, temporary } = await openTemporary(path);
    try {
      try {
        await file.writeFile(content);
        await file.datasync();
      } finally {
        await file.close();
      }
      await link(temporary, path).catch((error) => {
        throw codeOf(error) === 'EEXIST' ? fileExists(location, error) : error;
      });
    } finally {
      await unlink(temporary).catch(() => {});
    }
    await syncDirectory(dirname(path));
  }

  async function removeFile(location: string): Promise<void> {
    const path = pathOf(location);
    const directory = await directories.find(dirname(path));
    if (directory === null) return;
    const file = join(directory, basename(path));
    const stats = await lstat(file);
    if (!stats.isFile()) throw notAFile(location);
    await unlink(file);
  }

  return {
    root: rootText,

    async makeDirectory(location) {
      try {
        await directories.findOrMake(pathOf(location));
      } catch (error) {
        throw explainFileError(error, location, 'written');
      }
    },

    async create(location, content) {
      const path = pathOf(location);
      for (let attempt = 1; ; attempt++) {
        try {
          const directory = await directories.findOrMake(dirname(path));
          return await writeNew(location, join(directory, basename(path)), content);
        } catch (error) {
          // A directory that was empty may have been removed since it was found.
          if (codeOf(error) === 'ENOENT' && attempt < MAX_ATTEMPTS) continue;
          throw explainFileError(error, location, 'written');
        }
      }
    },

    async read(location) {
      const path = pathOf(location);
      try {
        const directory = await directories.find(dirname(path));
        if (directory === null) throw fileMissing(location);
        // A pipe that nobody writes to is opened at once, and refused.
        const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
        const file = await open(join(directory, basename(path)), flags);
        try {
          return await readWhole(file, location, maxFileBytes);
        } finally {
          await file.close();
        }
      } catch (error) {
        throw explainFileError(error, location, 'read');
      }
    },

    has(location) {
      return existsSync(pathOf(location));
    },

    async remove(locations) {
      const emptied = new Set<string>();
      const failures: unknown[] = [];
      for (let start = 0; start < locations.length; start += REMOVED_AT_ONCE) {
        await Promise.all(
          locations.slice(start, start + REMOVED_AT_ONCE).map((location) =>
            removeFile(location).then(
              () => emptied.add(dirname(pathOf(location))),
              (error) => {
                if (!isGone(error)) failures.push(explainFileError(error, location, 'removed'));
              },
            ),
          ),
        );
      }
      for (const directory of emptied) {
        const real = await directories.find(directory).catch(() => null);
        if (real !== null) await directories.prune(real);
      }
      if (failures.length > 0) throw failures[0];
    },

    async vend() {
      return null;
    },
  };
}

async function readWhole(file: FileHandle, location: string, maxBytes: number): Promise<Buffer> {
  const stats = await file.stat();
  if (!stats.isFile()) throw notAFile(location);
  if (stats.size > maxBytes) throw fileTooLarge(location, maxBytes);
  const buffer = Buffer.allocUnsafe(stats.size);
  let length = 0;
  while (length < buffer.length) {
    const { bytesRead } = await file.read(buffer, length, buffer.length - length, length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return buffer.subarray(0, length);
}

const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException | null)?.code;

const isGone = (error: unknown): boolean => codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR';
