import { mergeConfig } from 'vitest/config';
import base from '../../vitest.config.ts';

/** What is about SQLite itself, by the reason. */
const SQLITE_ONLY = [
  // How a SQLite file is opened.
  'test/server/store/sqlite.test.ts',
  // Plans that SQLite makes; PostgreSQL's are in test/postgres.
  'test/server/store/query-plans.test.ts',
  // Copies of SQLite files, and what they are put back into.
  'test/server/backups/**',
  // The files of a data directory that has its database in it, and the one key that is such a directory's own.
  'test/server/installation/data-directory.test.ts',
  'test/server/installation/master-key-rotation.test.ts',
];

const config = mergeConfig(base, {});
config.test = {
  ...config.test,
  include: ['test/server/**/*.test.ts', 'test/postgres/**/*.test.ts'],
  exclude: SQLITE_ONLY,
};

export default config;
