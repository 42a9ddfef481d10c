import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Surroundings } from '../../packages/shared/src/client/connect-types.ts';

/** 2026-11-22T12:00:00Z */
export const NOW_MS = Date.UTC(2026, 10, 22, 12);

/** A process with an empty home of its own for one test, no keyring and nothing in its environment but `env`. */
export async function createSurroundings(env: Record<string, string> = {}): Promise<Surroundings> {
  const homeDir = await mkdtemp(join(tmpdir(), 'pangolin-test-'));
  onTestFinished(() => rm(homeDir, { recursive: true, force: true }));
  return {
    env: { PATH: process.env.PATH, ...env },
    platform: 'linux',
    homeDir,
    accountName: 'tester',
    now: () => NOW_MS,
  };
}
