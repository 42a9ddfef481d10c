import { monotonicMs } from '../times.ts';

/** Runs a step again, with jitter, for as long as it fails for a reason that passes and the time is not up. */
export async function retryWhile<T>(
  passes: (error: unknown) => boolean,
  step: () => T | Promise<T>,
  options: { deadlineMs: number; longestPauseMs: number },
): Promise<T> {
  for (let pauseMs = Math.min(15, options.longestPauseMs); ; pauseMs = Math.min(pauseMs * 2, options.longestPauseMs)) {
    try {
      return await step();
    } catch (error) {
      if (!passes(error) || monotonicMs() >= options.deadlineMs) throw error;
      await new Promise((resolve) => setTimeout(resolve, 1 + Math.random() * pauseMs));
    }
  }
}
