import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const isInstalled = (command) =>
  (process.env.PATH ?? '').split(delimiter).some((folder) => existsSync(join(folder, command)));

/** Installs Debian packages where one of the commands is missing; fails where that cannot be done. */
export function ensurePackages(commands, packages) {
  const missing = commands.filter((command) => !isInstalled(command));
  if (missing.length === 0) return;
  installPackages(packages, missing.join(', '));
  const still = commands.filter((command) => !isInstalled(command));
  if (still.length > 0) throw new Error(`${still.join(', ')} is still missing after installing ${packages.join(', ')}`);
}

/** Installs Debian packages for something that is missing. */
export function installPackages(packages, missing) {
  if (process.getuid?.() !== 0 || !isInstalled('apt-get')) {
    const install = `apt-get update && apt-get install -y ${packages.join(' ')}`;
    throw new Error(`${missing} is missing. On Debian, as root: ${install}`);
  }
  console.log(`Installing ${packages.join(', ')} for ${missing}`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const stdio = ['ignore', 'ignore', 'inherit'];
  execFileSync('apt-get', ['update', '-qq'], { env, stdio });
  execFileSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages], { env, stdio });
}
