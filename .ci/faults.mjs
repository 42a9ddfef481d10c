// Runs test/faults: two servers on one database, under load, while that database fails. Takes root, to mount a disk that may
// be filled up, and Debian's PostgreSQL and faketime, which are installed where they are missing.
import { spawnSync } from 'node:child_process';
import { ensurePackages } from './ensure-packages.mjs';

ensurePackages(['psql', 'faketime'], ['postgresql', 'faketime']);
const vitest = ['node_modules/vitest/vitest.mjs', 'run', '--config', 'test/faults/vitest.config.ts'];
const { status } = spawnSync(process.execPath, [...vitest, ...process.argv.slice(2)], {
  stdio: ['ignore', 'inherit', 'inherit'],
});
process.exitCode = status ?? 1;
