import { link, mkdir, open, rename, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { PangolinError } from '../errors.ts';

const STALE_MS = 10_000;
const PATIENCE_MS = 15_000;

/**
 * Runs `action` while no other process runs one in the same folder, which is created (mode 0700) if need be.
 * A lock whose holder died is taken over after 10 s. Throws `settings_unreadable` if the folder cannot be written.
 */
export async function withLock<T>(folder: string, action: () => Promise<T>): Promise<T> {
  const file = join(folder, '.lock');
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await acquire(file);
  } catch (cause) {
    if (cause instanceof PangolinError) throw cause;
    throw new PangolinError('settings_unreadable', `The folder ${folder} cannot be written`, {
      cause,
      hint: `Make it yours: chmod u+rwx '${folder}'; or choose another one with PANGOLIN_CONFIG_DIR`,
    });
  }
  try {
    return await action();
  } finally {
    await unlink(file).catch(() => undefined);
  }
}

async function acquire(file: string): Promise<void> {
  for (let waitedMs = 0; waitedMs < PATIENCE_MS; ) {
    try {
      await (await open(file, 'wx', 0o600)).close();
      return;
    } catch (error) {
      if (!isCode(error, 'EEXIST')) throw error;
    }
    await removeStale(file);
    const delayMs = 10 + Math.random() * 30;
    await new Promise((resolve) => setTimeout(resolve, delayMs));
    waitedMs += delayMs;
  }
  throw new PangolinError('settings_unreadable', `Another process holds ${file}`, {
    hint: 'Try again; if no other Pangolin command runs, delete that file',
  });
}

/** Ages are compared with the wall clock, because file times are. */
const isStale = (modifiedMs: number) => Date.now() - modifiedMs > STALE_MS;

async function removeStale(file: string): Promise<void> {
  const seen = await stat(file).catch(() => null);
  if (seen === null || !isStale(seen.mtimeMs)) return;
  // Of several waiting processes one wins the rename; one that got a newer, living lock puts it back.
  const aside = `${file}.${crypto.randomUUID()}`;
  try {
    await rename(file, aside);
    if (!isStale((await stat(aside)).mtimeMs)) await link(aside, file);
  } catch (error) {
    if (!isCode(error, 'ENOENT') && !isCode(error, 'EEXIST')) throw error;
  }
  await unlink(aside).catch(() => undefined);
}

/** Whether an error of the file system carries this code. */
export const isCode = (error: unknown, code: string): boolean =>
  error instanceof Error && 'code' in error && error.code === code;
