import { randomBytes } from 'node:crypto';
import { listDatabases, runOnServer } from './test-postgres.ts';

/** Gives the databases of this run's tests a name in common; drops them when the last test has ended. */
const setup = (): (() => Promise<void>) | undefined => {
  if (process.env.PANGOLIN_TEST_DATABASE_URL === undefined) return undefined;
  const prefix = `pangolin_test_${randomBytes(6).toString('hex')}`;
  process.env.PANGOLIN_TEST_DATABASE_PREFIX = prefix;
  return async () => {
    for (const name of await listDatabases(prefix)) await runOnServer(`drop database ${name} with (force)`);
  };
};

export default setup;
