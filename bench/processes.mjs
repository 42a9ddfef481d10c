import { fork, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
export const USER_CLI = join(root, 'packages/user-cli/bin/pangolin-user.js');
export const ADMIN_CLI = join(root, 'packages/admin-cli/bin/pangolin-admin.js');

/** A folder of its own, gone at the end. */
export function createHome() {
  const home = mkdtempSync(join(tmpdir(), 'pangolin-bench-'));
  process.on('exit', () => rmSync(home, { recursive: true, force: true }));
  return home;
}

/** The environment of a command: the caller's, but for what is Pangolin's and the home. */
export const environment = (home, extra = {}) => ({
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(PANGOLIN_|XDG_|CI$)/.test(name))),
  HOME: home,
  PANGOLIN_DATA_DIR: join(home, 'data'),
  ...extra,
});

/** A token of the owner of the data directory, or of the database that `extra` names. */
export function mintToken(home, role, extra = {}) {
  const command = [USER_CLI, 'get-token', '--role', role];
  const { stdout, stderr, status } = spawnSync(process.execPath, command, {
    env: environment(home, extra),
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(stderr);
  return stdout.trim();
}

/** Starts `pangolin-admin serve` on a free port. */
export function startPangolin(home, extra = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [ADMIN_CLI, 'serve', '--port', '0', '--json'], {
      env: environment(home, extra),
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    child.once('exit', (code) => reject(new Error(`serve ended with ${code}`)));
    child.stdout.once('data', (line) =>
      resolve({ pid: child.pid, port: Number(new URL(JSON.parse(line).url).port), stop: () => stop(child) }),
    );
  });
}

/** Starts a bare app that answers `body` at `path`. */
export function startBare({ path, body }) {
  return new Promise((resolve) => {
    const child = fork(join(root, 'bench/bare-server.mjs'));
    child.once('message', ({ port }) => resolve({ pid: child.pid, port, stop: () => stop(child) }));
    child.send({ path, body });
  });
}

const stop = (child) =>
  new Promise((resolve) => {
    child.removeAllListeners('exit').once('exit', resolve);
    child.kill('SIGTERM');
  });

/** Resident memory of a process, in MiB. */
export function readRss(pid) {
  const kib =
    process.platform === 'linux'
      ? /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
      : spawnSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' }).stdout.trim();
  return Number(kib) / 1024;
}

/** Whole-process wall times of commands run in turn, in milliseconds: the median of each. */
export function timeCommands(commands, runs) {
  const times = commands.map(() => []);
  for (let i = -2; i < runs; i += 1) {
    for (const [k, { args, env }] of commands.entries()) {
      const started = performance.now();
      const { status, stderr } = spawnSync(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
      if (status !== 0) throw new Error(`${args.join(' ')}: ${status} ${stderr}`);
      if (i >= 0) times[k].push(performance.now() - started);
    }
  }
  return times.map(median);
}

export const median = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];
