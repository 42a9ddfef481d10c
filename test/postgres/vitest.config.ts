import { mergeConfig } from 'vitest/config';
import base from '../../vitest.config.ts';

/** What is about SQLite itself, by the reason. */
const SQLITE_ONLY = [
  // Plans that SQLite makes; PostgreSQL's are in test/postgres.
  'test/server/store/query-plans.test.ts',
  // Copies of SQLite files, and what they are put back into.
  'test/server/backups/**',
];

const config = mergeConfig(base, {});
config.test = {
  ...config.test,
  include: ['test/server/**/*.test.ts', 'test/postgres/**/*.test.ts'],
  exclude: SQLITE_ONLY,
};

export default config;
