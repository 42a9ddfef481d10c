import { defineConfig } from 'vitest/config';

const conditions = ['@pangolin/source', 'node', 'import', 'module', 'default'];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/keyring/**', 'test/browser/**', 'test/interop/**', 'test/s3/**'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 20_000,
    hookTimeout: 30_000,
    reporters: ['default', './test/count-reporter.ts'],
  },
});
