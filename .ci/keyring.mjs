// Runs test/keyring on a session bus of its own, with a real Secret Service that nobody else uses.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ensurePackages } from './ensure-packages.mjs';

const vitest = ['node_modules/vitest/vitest.mjs', 'run', '--config', 'test/keyring/vitest.config.ts'];

if (process.argv[2] === '--on-the-bus') {
  process.exitCode = await runWithKeyring();
} else {
  const commands = ['dbus-run-session', 'dbus-send', 'gnome-keyring-daemon'];
  ensurePackages(commands, ['dbus', 'gnome-keyring', 'libsecret-1-0']);
  const home = mkdtempSync(join(tmpdir(), 'pangolin-keyring-'));
  const again = [process.execPath, fileURLToPath(import.meta.url), '--on-the-bus'];
  const { status, error } = spawnSync('dbus-run-session', ['--', ...again], {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, HOME: home, XDG_RUNTIME_DIR: home, XDG_DATA_HOME: join(home, 'data') },
  });
  rmSync(home, { recursive: true, force: true });
  if (error) throw error;
  process.exitCode = status ?? 1;
}

async function runWithKeyring() {
  const daemon = spawn('gnome-keyring-daemon', ['--foreground', '--unlock', '--components=secrets'], {
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  try {
    // The password of a new, empty keyring.
    daemon.stdin.end('\n');
    while (!hasSecretService()) {
      if (daemon.exitCode !== null) throw new Error('gnome-keyring-daemon ended at once');
      await sleep(50);
    }
    const { status } = spawnSync(process.execPath, vitest, {
      stdio: ['ignore', 'inherit', 'inherit'],
      env: { ...process.env, KEYRING_DAEMON_PID: `${daemon.pid}` },
    });
    return status ?? 1;
  } finally {
    daemon.kill('SIGKILL');
  }
}

function hasSecretService() {
  const question = ['/', 'org.freedesktop.DBus.NameHasOwner', 'string:org.freedesktop.secrets'];
  const args = ['--session', '--print-reply', '--dest=org.freedesktop.DBus', ...question];
  return execFileSync('dbus-send', args, { encoding: 'utf8' }).includes('boolean true');
}
