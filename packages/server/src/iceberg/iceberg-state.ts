import type { Database } from '../store/database.ts';
import { type BodyBudget, createBodyBudget } from './body-budget.ts';
import { type CommitChains, createCommitChains } from './commit-chains.ts';
import { createLocks, type Locks } from './locks.ts';
import { createMetadataFiles, type MetadataFiles } from './metadata-files.ts';
import { createRecentReads, type RecentReads } from './recent-reads.ts';
import { createObjectReader, type ObjectReader } from './store.ts';

/** What the catalog keeps between requests. */
export interface IcebergState {
  locks: Locks;
  chains: CommitChains;
  files: MetadataFiles;
  recent: RecentReads;
  findObject: ObjectReader;
  background: Background;
  bodies: BodyBudget;
}

/** Work that outlives the request that began it. */
export interface Background {
  /** Lets work go on; a failure is the work's own to report. */
  add(work: Promise<void>): void;
  /** Resolves when all of it has ended, or the time is up. */
  settle(timeoutMs: number): Promise<void>;
}

function createBackground(): Background {
  const running = new Set<Promise<void>>();
  return {
    add(work) {
      running.add(work);
      void work.finally(() => running.delete(work));
    },
    async settle(timeoutMs) {
      let timer: NodeJS.Timeout | undefined;
      const isLate = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, timeoutMs);
      });
      const areDone = async () => {
        while (running.size > 0) await Promise.all(running);
      };
      await Promise.race([areDone(), isLate]);
      clearTimeout(timer);
    },
  };
}

/** Made once, in the composition root. */
export const createIcebergState = (db: Database): IcebergState => ({
  locks: createLocks(),
  chains: createCommitChains(),
  files: createMetadataFiles(),
  recent: createRecentReads(db),
  findObject: createObjectReader(db),
  background: createBackground(),
  bodies: createBodyBudget(),
});
