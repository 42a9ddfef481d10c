// Runs test/s3 against moto, which plays S3, STS and IAM: from PyPI, as PyIceberg is, and on a loopback port of its own.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { ensurePython } from './ensure-python.mjs';

const python = ensurePython('pangolin-s3', 'test/s3/python/requirements.txt');
const home = mkdtempSync(join(tmpdir(), 'pangolin-s3-'));
// Nobody's credentials, regions and proxies but those of the tests.
const env = {
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^AWS_|_proxy$/i.test(name))),
  HOME: home,
  AWS_EC2_METADATA_DISABLED: 'true',
};

const moto = spawn(python, ['-m', 'moto.server', '-H', '127.0.0.1', '-p', '0'], {
  cwd: home,
  env,
  stdio: ['ignore', 'ignore', 'pipe'],
});
try {
  const vitest = ['node_modules/vitest/vitest.mjs', 'run', '--config', 'test/s3/vitest.config.ts'];
  const address = await readAddress(moto);
  // Not spawnSync: whatever moto logs has to be read.
  const tests = spawn(process.execPath, [...vitest, ...process.argv.slice(2)], {
    stdio: ['ignore', 'inherit', 'inherit'],
    // What drives PyIceberg is in test/interop.
    env: { ...env, S3_TEST_ENDPOINT: address, S3_TEST_PYTHON: python, INTEROP_PYTHON: python },
  });
  process.exitCode = await new Promise((resolve) => tests.on('close', (code) => resolve(code ?? 1)));
} finally {
  moto.kill('SIGKILL');
  rmSync(home, { recursive: true, force: true });
}

/** Where moto listens, which is the one thing read of its log. */
function readAddress({ stderr }) {
  return new Promise((resolve, reject) => {
    let log = '';
    const lines = createInterface({ input: stderr });
    lines.on('line', (line) => {
      log = `${log}${line}\n`.slice(-10_000);
      const address = /Running on (http:\/\/127\.0\.0\.1:\d+)/.exec(line)?.[1];
      if (address) resolve(address);
    });
    lines.on('close', () => reject(new Error(`moto ended at once:\n${log}`)));
  });
}
