import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';

const NAME = /^\.pangolin-(?:backup|restore)-(\d+)-/;

/**
 * A folder of this process's own (mode 0700) within `parent`, for what must not be seen half done; what killed processes
 * left there is removed first.
 */
export async function openWorkingFolder(parent: string, what: 'backup' | 'restore'): Promise<string> {
  for (const name of await readdir(parent)) {
    const pid = Number(NAME.exec(name)?.[1]);
    if (!Number.isNaN(pid) && !isRunning(pid)) await rm(join(parent, name), { recursive: true, force: true });
  }
  return mkdtemp(join(parent, `.pangolin-${what}-${process.pid}-`));
}

/** The folder itself, or the nearest one above it that exists. */
export async function nearestFolder(path: string): Promise<string> {
  const folder = resolve(path);
  const stats = await stat(folder).catch(() => null);
  return stats?.isDirectory() || dirname(folder) === folder ? folder : nearestFolder(dirname(folder));
}

export const removeWorkingFolder = (path: string): Promise<void> =>
  NAME.test(basename(path)) ? rm(path, { recursive: true, force: true }) : Promise.resolve();

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Somebody else's process is one too.
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}
