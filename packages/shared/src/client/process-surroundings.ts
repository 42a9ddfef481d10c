import { homedir, userInfo } from 'node:os';
import type { Surroundings } from './connect-types.ts';

/** What this process lends the client: the one place of the library that reads its environment, clock and account. */
export function readSurroundings(): Surroundings {
  const env = { ...process.env };
  return { env, platform: process.platform, homeDir: homedir(), accountName: readAccountName(env), now: Date.now };
}

function readAccountName(env: Surroundings['env']): string {
  try {
    return userInfo().username;
  } catch {
    // A container may run as a user id that has no name.
    return env.USER ?? env.USERNAME ?? `uid ${process.getuid?.() ?? 'unknown'}`;
  }
}
