import { mergeConfig } from 'vitest/config';
import base from '../../vitest.config.ts';

const config = mergeConfig(base, {});
// One after another: moto has one set of users for all of them.
config.test = { ...config.test, include: ['test/s3/**/*.test.ts'], exclude: [], maxWorkers: 1, fileParallelism: false };
// What the AWS SDK has for `module` is for bundlers, and Node cannot load it.
const conditions = ['@pangolin/source', 'node', 'import', 'default'];
config.resolve = { conditions };
config.ssr = { resolve: { conditions, externalConditions: conditions } };

export default config;
