import { mergeConfig } from 'vitest/config';
import base from '../../vitest.config.ts';

const config = mergeConfig(base, {});
config.test = { ...config.test, include: ['test/interop/**/*.test.ts'], exclude: [], testTimeout: 60_000 };

export default config;
