import { PangolinError } from '@pangolin/shared/errors';

/** For all but what carries the metadata of tables and views. */
export const MAX_SMALL_BODY_BYTES = 1024 * 1024;

/** For commits: a table may have many columns, snapshots and files of statistics. */
export const MAX_COMMIT_BYTES = 32 * 1024 * 1024;

/** What all bodies that are being read may take together. */
const MAX_TOTAL_BYTES = 512 * 1024 * 1024;

/** Memory for bodies on their way in: some clients announce much and never end. */
export interface BodyBudget {
  /** Begins a body that takes nothing yet. */
  open(): HeldBody;
}

/** What one body takes. */
interface HeldBody {
  /** Takes more, in bytes. Throws `unavailable` when others have all there is. */
  take(bytes: number): void;
  /** Gives everything back. */
  release(): void;
}

/** A budget that nothing was taken from yet. */
export function createBodyBudget(): BodyBudget {
  let taken = 0;
  return {
    open() {
      let held = 0;
      return {
        take(bytes) {
          if (taken + bytes > MAX_TOTAL_BYTES) {
            throw new PangolinError('unavailable', 'Too many large requests at once.', { retryAfterSeconds: 1 });
          }
          taken += bytes;
          held += bytes;
        },
        release() {
          taken -= held;
          held = 0;
        },
      };
    },
  };
}
