import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { PangolinError } from '@pangolin/shared/errors';
import { pack as createPack } from 'tar-stream';
import { CHECKSUMS } from './manifest.ts';

/** Adds entries to an archive that is being written. */
export interface ArchiveWriter {
  addBytes(name: string, bytes: Buffer): Promise<void>;
  /** Adds a regular file. Throws Node's ENOENT when it is gone. */
  addFile(name: string, path: string): Promise<void>;
}

/**
 * Writes a tar file (POSIX pax; gzip if `compress` says so) to a new path, mode 0600, and waits until it is on the disk. Its
 * last entry has the SHA-256 of all others, in the format of sha256sum(1).
 */
export async function writeArchive(
  path: string,
  { compress, mtime }: { compress: boolean; mtime: Date },
  write: (archive: ArchiveWriter) => Promise<void>,
): Promise<void> {
  const pack = createPack();
  const out = createWriteStream(path, { flags: 'wx', mode: 0o600, flush: true });
  const written = compress ? pipeline(pack, createGzip(), out) : pipeline(pack, out);
  const failed = new Promise<never>((_, reject) => written.catch(reject));
  failed.catch(() => {});
  let checksums = '';

  /** An entry ends when the archive has taken all of it, or when the archive can take no more. */
  async function add(name: string, size: number, chunks: Iterable<Buffer> | AsyncIterable<Buffer>): Promise<void> {
    const hash = createHash('sha256');
    let entry: ReturnType<typeof pack.entry> | undefined;
    const settled = new Promise<void>((resolve, reject) => {
      entry = pack.entry({ name, size, mode: 0o600, mtime }, (error) => (error ? reject(error) : resolve()));
    });
    settled.catch(() => {});
    let length = 0;
    for await (const chunk of chunks) {
      hash.update(chunk);
      length += chunk.length;
      if (entry?.write(chunk)) continue;
      const drained = new Promise<void>((resolve) => entry?.once('drain', resolve));
      await Promise.race([drained, settled, failed]);
    }
    if (length !== size) throw changed(name);
    entry?.end(undefined);
    await Promise.race([settled, failed]);
    if (name !== CHECKSUMS) checksums += `${hash.digest('hex')}  ${name}\n`;
  }

  const addBytes = (name: string, bytes: Buffer) => add(name, bytes.length, [bytes]);

  try {
    await write({
      addBytes,
      async addFile(name, from) {
        const file = await open(from, 'r');
        try {
          const { size } = await file.stat();
          // Files only grow; what was added since it was looked at is none of what the database refers to.
          const chunks = size === 0 ? [] : file.createReadStream({ autoClose: false, start: 0, end: size - 1 });
          await add(name, size, chunks);
        } finally {
          await file.close();
        }
      },
    });
    await addBytes(CHECKSUMS, Buffer.from(checksums));
    pack.finalize();
    await written;
  } catch (error) {
    pack.destroy();
    await written.catch(() => {});
    throw error;
  }
}

const changed = (name: string) =>
  new PangolinError('conflict', `The file ${name} was cut short while it was copied.`, {
    hint: 'Make the backup again.',
  });
