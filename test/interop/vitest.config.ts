import { mergeConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import base from '../../vitest.config.ts';

/** The file that waits for a token to expire goes first, so that the others run meanwhile. */
class WaitingFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const waits = ({ moduleId }: TestSpecification) => Number(moduleId.endsWith('/expiry.test.ts'));
    return (await super.sort(files)).toSorted((one, other) => waits(other) - waits(one));
  }
}

const config = mergeConfig(base, {});
config.test = {
  ...config.test,
  include: ['test/interop/**/*.test.ts'],
  exclude: [],
  testTimeout: 60_000,
  maxWorkers: 3,
  sequence: { sequencer: WaitingFirst },
};

export default config;
