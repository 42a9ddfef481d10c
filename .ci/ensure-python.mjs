import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ensurePackages, installPackages } from './ensure-packages.mjs';

/**
 * The interpreter of a virtual environment with what a requirements file names, from PyPI. A repeated run finds it again,
 * and it is made anew where Python or what is required has changed. Fails where it cannot be made.
 */
export function ensurePython(name, requirements) {
  ensurePackages(['python3'], ['python3', 'python3-venv']);
  // Debian ships the module venv without what it needs.
  const hasVenv = () => spawnSync('python3', ['-c', 'import ensurepip, venv'], { stdio: 'ignore' }).status === 0;
  if (!hasVenv()) installPackages(['python3-venv'], 'python3 -m venv');
  const version = spawnSync('python3', ['-c', 'import sys; print(sys.version, sys.prefix)'], { encoding: 'utf8' });
  const wanted = createHash('sha256').update(version.stdout).update(readFileSync(requirements)).digest('hex');
  const folder = resolve('node_modules/.cache', name);
  const stamp = join(folder, 'complete');
  const interpreter = join(folder, 'bin', 'python');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return interpreter;
  console.log(`Installing ${readFileSync(requirements, 'utf8').trim().replaceAll('\n', ', ')} into ${folder}`);
  rmSync(folder, { recursive: true, force: true });
  mustRun('python3', ['-m', 'venv', folder]);
  mustRun(interpreter, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', requirements]);
  writeFileSync(stamp, wanted);
  return interpreter;
}

function mustRun(command, args) {
  const { status, error } = spawnSync(command, args, { stdio: ['ignore', 'inherit', 'inherit'] });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed: ${error?.message ?? `exit ${status}`}`);
}
