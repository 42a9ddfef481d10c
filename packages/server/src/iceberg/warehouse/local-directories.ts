import { mkdir, open, realpath, rmdir } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';

/** The directories of a local warehouse by their real paths, so that no symbolic link leads out of it. */
export interface LocalDirectories {
  /** The real path of a directory, null when there is none. Throws what `refuse` makes when it is not under the root. */
  find(path: string): Promise<string | null>;
  /** The same, made durably if need be. */
  findOrMake(path: string): Promise<string>;
  /** Removes directories that are empty, from one given by its real path up to the root, which stays. */
  prune(realPath: string): Promise<void>;
}

/** The directories under `root`, a path. */
export function createLocalDirectories(root: string, refuse: () => Error): LocalDirectories {
  let realRoot: string | null = null;
  const making = new Map<string, Promise<string>>();

  const isUnderRoot = (real: string) =>
    realRoot !== null && (real === realRoot || real.startsWith(realRoot.endsWith(sep) ? realRoot : realRoot + sep));

  async function find(path: string): Promise<string | null> {
    const real = await realPathIfAny(path);
    if (real === null || isUnderRoot(real)) return real;
    // The root may have been made, or moved, since.
    realRoot = await realPathIfAny(root);
    if (isUnderRoot(real)) return real;
    throw refuse();
  }

  async function make(path: string): Promise<string> {
    let there = path;
    let real = await find(there);
    while (real === null && there !== root) {
      there = dirname(there);
      real = await find(there);
    }
    if (real === null) {
      await makeDirectory(root);
      real = await realpath(root);
      realRoot = real;
    }
    const made = join(real, relative(there, path));
    await makeDirectory(made);
    // Up to the root, not just what was made here: somebody else's new directory may not be durable yet.
    for (let above = dirname(made); isUnderRoot(above); above = dirname(above)) await syncDirectory(above);
    return made;
  }

  return {
    find,
    async findOrMake(path) {
      const running = making.get(path);
      if (running) return running;
      const found = await find(path);
      if (found !== null) return making.get(path) ?? found;
      const made = making.get(path) ?? make(path);
      making.set(path, made);
      try {
        return await made;
      } finally {
        if (making.get(path) === made) making.delete(path);
      }
    },
    async prune(realPath) {
      for (let path = realPath; isUnderRoot(path) && path !== realRoot; path = dirname(path)) {
        const isGone = await rmdir(path).then(
          () => true,
          () => false,
        );
        if (!isGone) return;
      }
    },
  };
}

/** Makes the names in a directory durable. Windows has no such call. */
export async function syncDirectory(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

/** Makes a directory durably, and those above it if need be; Node's own `recursive` never ends under /proc. */
async function makeDirectory(path: string): Promise<void> {
  try {
    await mkdir(path).catch(async (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT' || path === dirname(path)) throw error;
      await makeDirectory(dirname(path));
      await mkdir(path);
    });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return;
    throw error;
  }
  await syncDirectory(dirname(path));
}

const realPathIfAny = (path: string): Promise<string | null> =>
  realpath(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
