import { posix, win32 } from 'node:path';
import type { Surroundings } from '../client/connect-types.ts';

export type PathSurroundings = Pick<Surroundings, 'env' | 'platform' | 'homeDir'>;

const pathOf = (platform: NodeJS.Platform) => (platform === 'win32' ? win32 : posix);

/** A folder from the environment; relative ones are ignored, as the XDG Base Directory Specification asks. */
const absolute = (platform: NodeJS.Platform, folder: string | undefined): string | undefined =>
  folder !== undefined && pathOf(platform).isAbsolute(folder) ? folder : undefined;

/** Where settings and, without a keyring, credentials are: `PANGOLIN_CONFIG_DIR`, else the platform's folder. */
export function configFolder({ env, platform, homeDir }: PathSurroundings): string {
  const { join, resolve } = pathOf(platform);
  if (env.PANGOLIN_CONFIG_DIR !== undefined) return resolve(env.PANGOLIN_CONFIG_DIR);
  if (platform === 'win32') {
    return join(absolute(platform, env.APPDATA) ?? join(homeDir, 'AppData', 'Roaming'), 'pangolin', 'Config');
  }
  if (platform === 'darwin') return join(homeDir, 'Library', 'Preferences', 'pangolin');
  return join(absolute(platform, env.XDG_CONFIG_HOME) ?? join(homeDir, '.config'), 'pangolin');
}

/** Where the embedded server keeps its data: `PANGOLIN_DATA_DIR`, else the platform's folder. */
export function dataFolder({ env, platform, homeDir }: PathSurroundings): string {
  const { join, resolve } = pathOf(platform);
  if (env.PANGOLIN_DATA_DIR !== undefined) return resolve(env.PANGOLIN_DATA_DIR);
  if (platform === 'win32') {
    return join(absolute(platform, env.LOCALAPPDATA) ?? join(homeDir, 'AppData', 'Local'), 'pangolin', 'Data');
  }
  if (platform === 'darwin') return join(homeDir, 'Library', 'Application Support', 'pangolin');
  return join(absolute(platform, env.XDG_DATA_HOME) ?? join(homeDir, '.local', 'share'), 'pangolin');
}
