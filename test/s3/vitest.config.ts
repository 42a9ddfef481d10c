import { mergeConfig } from 'vitest/config';
import base from '../../vitest.config.ts';

const config = mergeConfig(base, {});
// One after another: moto has one set of users for all of them.
config.test = { ...config.test, include: ['test/s3/**/*.test.ts'], exclude: [], maxWorkers: 1, fileParallelism: false };

export default config;
