/** Makes work on the same keys wait for its turn. */
export interface Locks {
  /** Runs `work` when nobody else works on any of the keys. */
  run<T>(keys: readonly string[], work: () => Promise<T>): Promise<T>;
}

/**
 * Locks within this process, first come, first served. Between processes the compare-and-set of the pointer decides;
 * here a queue spares writers of one table the files they would write in vain.
 */
export function createLocks(): Locks {
  const tails = new Map<string, Promise<void>>();

  async function acquire(key: string): Promise<() => void> {
    const before = tails.get(key);
    let release = () => {};
    const tail = new Promise<void>((resolve) => {
      release = resolve;
    });
    tails.set(key, tail);
    await before;
    return () => {
      if (tails.get(key) === tail) tails.delete(key);
      release();
    };
  }

  return {
    async run(keys, work) {
      const releases: (() => void)[] = [];
      try {
        // In one order everywhere, so that two of them never wait for each other.
        for (const key of [...new Set(keys)].sort()) releases.push(await acquire(key));
        return await work();
      } finally {
        for (const release of releases) release();
      }
    },
  };
}
