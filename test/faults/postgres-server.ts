import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { chmodSync, chownSync, existsSync, readdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

/** A PostgreSQL of the tests' own, which may be stopped, frozen and killed. */
export interface PostgresServer {
  port: number;
  /** Of the database `pangolin`, straight. */
  url: string;
  start(): Promise<void>;
  kill(): Promise<void>;
  stop(): Promise<void>;
  /** Runs a statement, straight. */
  run(statement: string): Promise<unknown>;
}

/** Makes a cluster in a folder and starts it. PostgreSQL refuses root, so it runs as the account Debian made for it. */
export async function createPostgres(folder: string): Promise<PostgresServer> {
  const bin = findBinaries();
  const account = readAccount('postgres');
  chownSync(folder, account.uid, account.gid);
  chmodSync(folder, 0o755);
  const data = join(folder, 'postgres');
  const as = { ...account, cwd: folder, env: { PATH: process.env.PATH, LC_ALL: 'C.UTF-8' } };
  execFileSync(join(bin, 'initdb'), ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--wal-segsize=1'], {
    ...as,
    stdio: 'ignore',
  });
  const port = await findFreePort();
  const settings = ['listen_addresses=127.0.0.1', 'unix_socket_directories=', 'max_wal_size=16MB', 'min_wal_size=2MB'];
  const where = ['-h', '127.0.0.1', '-p', String(port), '-U', 'postgres', '-d', 'postgres'];
  const psql = (statement: string) => promisify(execFile)(join(bin, 'psql'), [...where, '-c', statement], as);
  let child: ChildProcess | undefined;
  const server: PostgresServer = {
    port,
    run: psql,
    url: `postgres://postgres@127.0.0.1:${port}/pangolin`,
    async start() {
      const words = ['-D', data, '-p', String(port), ...settings.flatMap((one) => ['-c', one])];
      child = spawn(join(bin, 'postgres'), words, { ...as, stdio: 'ignore' });
      await untilReady(psql);
    },
    async kill() {
      if (child?.pid === undefined) return;
      // Its children notice that it is gone, and end.
      await ended(child, 'SIGKILL');
      child = undefined;
    },
    async stop() {
      if (child) await ended(child, 'SIGQUIT');
      child = undefined;
    },
  };
  await server.start();
  await psql('create database pangolin');
  return server;
}

const ended = (child: ChildProcess, signal: NodeJS.Signals): Promise<void> =>
  new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve();
    child.once('exit', () => resolve());
    child.kill(signal);
  });

async function untilReady(psql: (statement: string) => Promise<unknown>): Promise<void> {
  const deadline = performance.now() + 30_000;
  for (;;) {
    try {
      await psql('select 1');
      return;
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await sleep(100);
    }
  }
}

function findBinaries(): string {
  const root = '/usr/lib/postgresql';
  const versions = existsSync(root) ? readdirSync(root).sort((a, b) => Number(b) - Number(a)) : [];
  if (versions[0] === undefined) throw new Error('PostgreSQL is not installed: apt-get install postgresql');
  return join(root, versions[0], 'bin');
}

function readAccount(name: string): { uid: number; gid: number } {
  const [uid, gid] = ['-u', '-g'].map((flag) => Number(execFileSync('id', [flag, name], { encoding: 'utf8' })));
  if (uid === undefined || gid === undefined) throw new Error(`there is no account ${name}`);
  return { uid, gid };
}

const findFreePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
