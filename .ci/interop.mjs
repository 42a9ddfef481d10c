// Runs test/interop with PyIceberg from PyPI, in a virtual environment of its own that a repeated run finds again.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ensurePackages, installPackages } from './ensure-packages.mjs';

const REQUIREMENTS = 'test/interop/python/requirements.txt';

const python = ensureEnvironment();
const vitest = ['node_modules/vitest/vitest.mjs', 'run', '--config', 'test/interop/vitest.config.ts'];
const { status } = spawnSync(process.execPath, [...vitest, ...process.argv.slice(2)], {
  stdio: ['ignore', 'inherit', 'inherit'],
  env: { ...process.env, INTEROP_PYTHON: python },
});
process.exitCode = status ?? 1;

/** The interpreter of the virtual environment, which is made anew where Python or what is required has changed. */
function ensureEnvironment() {
  ensurePackages(['python3'], ['python3', 'python3-venv']);
  // Debian ships the module venv without what it needs.
  if (!succeeds('python3', ['-c', 'import ensurepip, venv'])) installPackages(['python3-venv'], 'python3 -m venv');
  const version = spawnSync('python3', ['-c', 'import sys; print(sys.version, sys.prefix)'], { encoding: 'utf8' });
  const wanted = createHash('sha256').update(version.stdout).update(readFileSync(REQUIREMENTS)).digest('hex');
  const folder = resolve('node_modules/.cache/pangolin-interop');
  const stamp = join(folder, 'complete');
  const interpreter = join(folder, 'bin', 'python');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return interpreter;
  console.log(`Installing ${readFileSync(REQUIREMENTS, 'utf8').trim().replaceAll('\n', ', ')} into ${folder}`);
  rmSync(folder, { recursive: true, force: true });
  mustRun('python3', ['-m', 'venv', folder]);
  mustRun(interpreter, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', REQUIREMENTS]);
  writeFileSync(stamp, wanted);
  return interpreter;
}

function succeeds(command, args) {
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0;
}

function mustRun(command, args) {
  const { status, error } = spawnSync(command, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed: ${error?.message ?? `exit ${status}`}`);
}
