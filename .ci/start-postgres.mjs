import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { installPackages } from './ensure-packages.mjs';

const VERSIONS = '/usr/lib/postgresql';

/**
 * Starts a PostgreSQL server of its own in a temporary folder, on a free loopback port: Debian's, which is installed if it
 * is missing. Answers its URL, and how to stop it, which leaves nothing behind.
 */
export async function startPostgres() {
  const bin = findBinaries() ?? install();
  const folder = mkdtempSync(join(tmpdir(), 'pangolin-postgres-'));
  chmodSync(folder, 0o755);
  const data = join(folder, 'data');
  const as = unprivileged(folder);
  const options = { stdio: ['ignore', 'ignore', 'inherit'], cwd: folder };
  try {
    const initdb = [join(bin, 'initdb'), '-D', data, '-U', 'pangolin', '-A', 'trust', '-E', 'UTF8', '--locale=C.UTF-8'];
    execFileSync(...as(initdb), options);
    const port = await findPort();
    const settings = { listen_addresses: '127.0.0.1', unix_socket_directories: '', max_connections: 200 };
    const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const server = spawn(...as([join(bin, 'postgres'), '-D', data, '-p', String(port), ...flags]), {
      cwd: folder,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const ended = new Promise((resolve) => server.on('close', resolve));
    await isReady(server);
    return {
      url: `postgres://pangolin@127.0.0.1:${port}/postgres`,
      async stop() {
        // Immediate shutdown: nobody needs what is in there any more.
        server.kill('SIGQUIT');
        await ended;
        rmSync(folder, { recursive: true, force: true });
      },
    };
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

/** The newest version's programs, which Debian puts into nobody's PATH. */
function findBinaries() {
  if (!existsSync(VERSIONS)) return undefined;
  const versions = readdirSync(VERSIONS).sort((a, b) => Number(b) - Number(a));
  return versions.map((version) => join(VERSIONS, version, 'bin')).find((bin) => existsSync(join(bin, 'initdb')));
}

function install() {
  installPackages(['postgresql'], 'PostgreSQL');
  const bin = findBinaries();
  if (!bin) throw new Error(`${VERSIONS} is still missing after installing postgresql`);
  return bin;
}

/** PostgreSQL does not run as root: then its own user runs it, which the package has created. */
function unprivileged(folder) {
  if (process.getuid?.() !== 0) return ([program, ...args]) => [program, args];
  execFileSync('chown', ['postgres', folder]);
  const user = ['--reuid=postgres', '--regid=postgres', '--clear-groups', '--pdeathsig=QUIT'];
  return (command) => ['setpriv', [...user, ...command]];
}

function findPort() {
  return new Promise((resolve, reject) => {
    const probe = createServer().on('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

/** Reads its log until it takes connections, and keeps reading, or the pipe would fill. */
function isReady({ stderr }) {
  return new Promise((resolve, reject) => {
    let log = '';
    const lines = createInterface({ input: stderr });
    lines.on('line', (line) => {
      log = `${log}${line}\n`.slice(-10_000);
      if (/ready to accept connections/.test(line)) resolve();
    });
    lines.on('close', () => reject(new Error(`PostgreSQL ended at once:\n${log}`)));
  });
}
