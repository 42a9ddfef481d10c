import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

// Node itself is told of them too: it knows when to `import` and when to `require`, and what is for bundlers it cannot load.
const conditions = ['@pangolin/source', 'node'];

export default defineConfig({
  resolve: {
    conditions,
    // GraphQL knows its own objects by their class: what Node loads for Yoga, our code must have, too.
    alias: [{ find: /^graphql$/, replacement: fileURLToPath(import.meta.resolve('graphql')) }],
  },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    include: ['test/**/*.test.ts'],
    exclude: [
      'test/keyring/**',
      'test/browser/**',
      'test/interop/**',
      'test/s3/**',
      'test/faults/**',
      'test/postgres/**',
    ],
    globalSetup: './test/server/postgres-databases.ts',
    pool: 'forks',
    maxWorkers: 2,
    // Everything comes late on a machine that has much to do.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 10_000 } },
    reporters: ['default', './test/count-reporter.ts'],
  },
});
