// Runs test/browser with Debian's Chromium.
import { spawnSync } from 'node:child_process';
import { ensurePackages } from './ensure-packages.mjs';

ensurePackages(['chromium'], ['chromium']);
const vitest = ['node_modules/vitest/vitest.mjs', 'run', '--config', 'test/browser/vitest.config.ts'];
const { status } = spawnSync(process.execPath, [...vitest, ...process.argv.slice(2)], {
  stdio: ['ignore', 'inherit', 'inherit'],
});
process.exitCode = status ?? 1;
