import { join } from 'node:path';
import { backUp, prepareRestore } from '../../../packages/server/src/operations.ts';
import { createFolder, openTestServer, type TestServer } from '../harness.ts';

/** Backups are of data directories, whatever tests run on. */
export const openEmbeddedServer = (options: { beside?: TestServer; dataDir?: string } = {}) =>
  openTestServer({ ...options, databaseUrl: null });

const operator = (server: TestServer) => ({
  ownerName: 'ada',
  client: 'test',
  now: () => server.clock.nowMs,
});

/** Backs a server's data directory up to a new file, and answers where that is. */
export async function backUpServer(server: TestServer, options: { includeMasterKey?: boolean } = {}): Promise<string> {
  const file = join(await createFolder(), 'backup.tar');
  await backUp({
    ...operator(server),
    dataDir: server.dataDir,
    file,
    force: false,
    includeMasterKey: options.includeMasterKey ?? false,
  });
  return file;
}

/** Restores a backup, into the server's own data directory unless another is named. */
export async function restoreBackup(
  server: TestServer,
  file: string,
  options: { keepCredentials?: boolean; dataDir?: string; masterKeyFile?: string } = {},
) {
  const restore = await prepareRestore({
    ...operator(server),
    dataDir: options.dataDir ?? server.dataDir,
    file,
    keepCredentials: options.keepCredentials ?? false,
    keyFile: options.masterKeyFile ?? null,
  });
  try {
    return { plan: restore.plan, restored: await restore.apply() };
  } finally {
    await restore.close();
  }
}
