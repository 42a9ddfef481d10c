import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { startProxy } from '../postgres/database-proxy.ts';
import { type Box, openBox } from '../process/box.ts';
import { createPostgres } from './postgres-server.ts';
import { createSmallDisk } from './small-disk.ts';

/** What can happen to a database; each answers how it is mended. */
type Fault = () => Promise<() => Promise<void>>;

/** A database that two servers share, and what can be done to it. */
export interface Engine {
  box: Box;
  /** The environment that a server of it starts in. */
  env: Record<string, string>;
  /** How long after an answered revocation another server may still let the credential in, in milliseconds. */
  freshnessMs: number;
  faults: Record<string, Fault>;
  close(): Promise<void>;
}

const DISK_MIB = 48;

/** One data directory, two processes. */
export async function openSqliteEngine(): Promise<Engine> {
  const box = await openBox();
  const disk = createSmallDisk(DISK_MIB);
  const dataDir = join(disk.path, 'data');
  mkdirSync(dataDir, { mode: 0o700 });
  return {
    box,
    env: { PANGOLIN_DATA_DIR: dataDir },
    freshnessMs: 0,
    faults: {
      'is locked by somebody for longer than anybody waits': async () => {
        const holder = holdWriteLock(join(dataDir, 'pangolin.db'));
        await once(holder.stdout, 'data');
        return async () => {
          holder.kill('SIGKILL');
          await once(holder, 'exit');
        };
      },
      'is moved away': async () => {
        renameSync(join(dataDir, 'pangolin.db'), join(dataDir, 'moved.db'));
        return async () => renameSync(join(dataDir, 'moved.db'), join(dataDir, 'pangolin.db'));
      },
      'is full': async () => {
        disk.fill();
        return async () => disk.empty();
      },
    },
    async close() {
      await box.remove();
      disk.remove();
    },
  };
}

/** One PostgreSQL, two servers that reach it through a proxy. */
export async function openPostgresEngine(): Promise<Engine> {
  const box = await openBox();
  const disk = createSmallDisk(256);
  const postgres = await createPostgres(disk.path);
  const proxy = await startProxy(postgres.url);
  return {
    box,
    env: {
      PANGOLIN_DATABASE_URL: proxy.url,
      PANGOLIN_MASTER_KEY: Buffer.alloc(32, 7).toString('base64'),
    },
    freshnessMs: 1_000,
    faults: {
      'is gone': async () => {
        proxy.cut();
        return async () => proxy.mend();
      },
      'is slow': async () => {
        proxy.hold();
        return async () => proxy.mend();
      },
      'is killed and started again': async () => {
        await postgres.kill();
        return () => postgres.start();
      },
      'takes no changes': async () => {
        await postgres.run('alter system set default_transaction_read_only = on');
        await postgres.run('select pg_reload_conf()');
        return async () => {
          await postgres.run('alter system reset default_transaction_read_only');
          await postgres.run('select pg_reload_conf()');
        };
      },
      'is full': async () => {
        disk.fill();
        return async () => {
          disk.empty();
          // It ends itself when its log cannot be written.
          await postgres.stop();
          await postgres.start();
        };
      },
    },
    async close() {
      await box.remove();
      await proxy.close();
      await postgres.stop();
      disk.remove();
    },
  };
}

/** A process that keeps the write lock of a SQLite file, and says so. */
function holdWriteLock(path: string) {
  const script = `
    const { DatabaseSync } = await import('@photostructure/sqlite');
    const db = new DatabaseSync(process.argv[1]);
    db.exec('pragma busy_timeout = 10000; begin immediate');
    console.log('held');
    setInterval(() => {}, 1000);`;
  return spawn(process.execPath, ['--input-type=module', '-e', script, path], { stdio: ['ignore', 'pipe', 'inherit'] });
}
