// Runs test/server and test/postgres on PostgreSQL: on the server that PANGOLIN_TEST_DATABASE_URL names, where tests create
// and drop databases of their own; without one, on Debian's, started for this on a free loopback port.
import { spawn } from 'node:child_process';
import { startPostgres } from './start-postgres.mjs';

const given = process.env.PANGOLIN_TEST_DATABASE_URL;
const server = given === undefined ? await startPostgres() : { url: given, async stop() {} };
const vitest = ['node_modules/vitest/vitest.mjs', 'run', '--config', 'test/postgres/vitest.config.ts'];
const tests = spawn(process.execPath, [...vitest, ...process.argv.slice(2)], {
  stdio: ['ignore', 'inherit', 'inherit'],
  env: { ...process.env, PANGOLIN_TEST_DATABASE_URL: server.url },
});
// Whoever interrupts this interrupts the tests, and what was started for them ends after them.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => tests.kill(signal));
try {
  process.exitCode = await new Promise((resolve) => tests.on('close', (code) => resolve(code ?? 1)));
} finally {
  await server.stop();
}
