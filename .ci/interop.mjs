// Runs test/interop: PyIceberg, iceberg-js and DataHub's own client against a spawned server.
import { spawnSync } from 'node:child_process';
import { ensurePackages } from './ensure-packages.mjs';
import { ensurePython } from './ensure-python.mjs';

ensurePackages(['curl', 'jq'], ['curl', 'jq']);
const python = ensurePython('pangolin-interop', 'test/interop/python/requirements.txt');
// Apart from PyIceberg: the two would argue about the versions of what both need.
const datahub = ensurePython('pangolin-datahub', 'test/interop/python/requirements-datahub.txt');
const vitest = ['node_modules/vitest/vitest.mjs', 'run', '--config', 'test/interop/vitest.config.ts'];
const { status } = spawnSync(process.execPath, [...vitest, ...process.argv.slice(2)], {
  stdio: ['ignore', 'inherit', 'inherit'],
  env: { ...process.env, INTEROP_PYTHON: python, INTEROP_DATAHUB: datahub },
});
process.exitCode = status ?? 1;
