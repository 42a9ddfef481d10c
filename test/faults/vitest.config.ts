import { mergeConfig } from 'vitest/config';
import base from '../../vitest.config.ts';

const config = mergeConfig(base, {});
// One after another: each of them breaks a database, under load.
config.test = {
  ...config.test,
  include: ['test/faults/**/*.test.ts'],
  exclude: [],
  maxWorkers: 1,
  fileParallelism: false,
  testTimeout: 300_000,
  hookTimeout: 180_000,
};

export default config;
