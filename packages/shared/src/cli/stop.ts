import type { Context } from './context.ts';

/** Waits for SIGINT or SIGTERM, which from then on end the command instead of interrupting it. */
export const untilStopped = (ctx: Context): Promise<void> =>
  new Promise((resolve) => {
    ctx.progress.onStop = resolve;
  });
