import type { Reporter, TestModule } from 'vitest/node';

/** Ends a run with `N passed, N failed`, alone on the last line, for scripts that add several runs up. */
class CountReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    let passed = 0;
    let failed = unhandledErrors.length;
    for (const module of modules) {
      const results = [...module.children.allTests()].map((test) => test.result().state);
      passed += results.filter((state) => state === 'passed').length;
      // A test that did not run is not a test that passed.
      failed += results.filter((state) => state !== 'passed').length;
      if (module.state() === 'failed' && !results.includes('failed')) failed += 1;
    }
    process.stdout.write(`\n${passed} passed, ${failed} failed\n`);
    if (passed === 0 || failed > 0) process.exitCode = 1;
  }
}

export default CountReporter;
