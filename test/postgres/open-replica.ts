import { onTestFinished } from 'vitest';
import type { Deps } from '../../packages/server/src/deps.ts';
import { type OpenOptions, openServer } from '../../packages/server/src/embedded.ts';
import { createCaller, createFolder, createRecordingLog, refuseLeaks, type TestCaller } from '../server/harness.ts';

/** One of several servers on one database, on the clocks that it would have by itself. */
export interface Replica {
  dataDir: string;
  deps: Deps;
  owner: TestCaller;
  nobody: TestCaller;
  bearer(secret: string): TestCaller;
  close(): Promise<void>;
}

/** Master keys are the same for all servers on one database. */
const MASTER_KEY = Buffer.alloc(32, 7).toString('base64');

/** Opens a server on a database, with a data directory of its own. */
export async function openReplica(databaseUrl: string, options: Partial<OpenOptions> = {}): Promise<Replica> {
  const dataDir = await createFolder();
  const logs: string[] = [];
  const { deps, app, close } = await openServer({
    dataDir,
    databaseUrl,
    masterKey: MASTER_KEY,
    create: true,
    ownerName: 'ada',
    log: createRecordingLog(logs),
    ...options,
  });
  let closing: Promise<void> | undefined;
  const closeOnce = () => {
    closing ??= close(100);
    return closing;
  };
  onTestFinished(async () => {
    await closeOnce();
    await refuseLeaks(dataDir, logs);
  });
  const callerWith = (headers: Record<string, string>, isOwner: boolean) =>
    createCaller(async (request) => {
      for (const [name, value] of Object.entries(headers)) request.headers.set(name, value);
      return app.fetch(request, { requestId: deps.newId(), ...(isOwner ? { owner: { client: 'test' } } : {}) });
    });
  return {
    dataDir,
    deps,
    owner: callerWith({}, true),
    nobody: callerWith({}, false),
    bearer: (secret) => callerWith({ authorization: `Bearer ${secret}` }, false),
    close: closeOnce,
  };
}
