import { randomBytes } from 'node:crypto';
import { runOnServer } from './test-postgres.ts';

/** Names the database that those of this run's tests are copied from; drops it when the last of them has ended. */
const setup = (): (() => Promise<void>) | undefined => {
  if (process.env.PANGOLIN_TEST_DATABASE_URL === undefined) return undefined;
  const name = `pangolin_template_${randomBytes(8).toString('hex')}`;
  process.env.PANGOLIN_TEST_DATABASE_TEMPLATE = name;
  return () => runOnServer(`drop database if exists ${name} with (force)`);
};

export default setup;
