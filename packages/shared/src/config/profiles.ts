import { chmod, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PangolinError } from '../errors.ts';
import { isCode, withLock } from './lock.ts';
import { configFolder, type PathSurroundings } from './paths.ts';
import type { Profile } from './settings-schema.ts';

export type { Profile };

/** Everything in the settings file: the profiles by name, and which one is used when none is named. */
export interface ProfileSettings {
  current: string | null;
  profiles: ReadonlyMap<string, Profile>;
}

interface StoredSettings {
  current?: string;
  profiles: Record<string, Profile>;
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$/;

/** Where the settings are kept, whether or not they exist. */
export const settingsFile = (surroundings: PathSurroundings): string =>
  join(configFolder(surroundings), 'settings.json');

/**
 * Reads the settings; none are an empty answer. Throws `settings_unreadable`, naming the file, if they cannot be read.
 * Reading goes past `conf`, which is slow to load and creates the folder it looks into.
 */
export async function readSettings(surroundings: PathSurroundings): Promise<ProfileSettings> {
  const file = settingsFile(surroundings);
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    if (isCode(cause, 'ENOENT') || isCode(cause, 'ENOTDIR')) return { current: null, profiles: new Map() };
    throw unreadable(file, cause);
  }
  const { current, profiles } = await parseSettings(file, text);
  return { current: current ?? null, profiles: new Map(Object.entries(profiles)) };
}

/** Throws `invalid_argument` for a profile's name that cannot be typed. */
export function requireProfileName(name: string): void {
  if (NAME.test(name)) return;
  throw new PangolinError('invalid_argument', 'The name of a profile is not valid', {
    hint: 'Use 1 to 64 letters, digits, dots, dashes, underscores or @, beginning with a letter or digit',
  });
}

/**
 * Creates a profile or replaces what is kept of it, and makes it the current one when asked to or when it is the first.
 * Throws `invalid_argument` for a name that cannot be typed, `settings_unreadable`.
 */
export async function writeProfile(
  surroundings: PathSurroundings,
  name: string,
  profile: Profile,
  { makeCurrent = false }: { makeCurrent?: boolean } = {},
): Promise<void> {
  requireProfileName(name);
  await changeSettings(surroundings, (settings) => {
    settings.profiles[name] = profile;
    if (makeCurrent || settings.current === undefined) settings.current = name;
  });
}

/** Forgets a profile's settings (not its login: see logOut). Throws `not_found`, `settings_unreadable`. */
export async function removeProfile(surroundings: PathSurroundings, name: string): Promise<void> {
  await changeSettings(surroundings, (settings) => {
    requireProfile(settings.profiles, name);
    delete settings.profiles[name];
    if (settings.current === name) delete settings.current;
  });
}

/** Makes a profile the current one. Throws `not_found`, naming those there are, and `settings_unreadable`. */
export async function useProfile(surroundings: PathSurroundings, name: string): Promise<void> {
  await changeSettings(surroundings, (settings) => {
    requireProfile(settings.profiles, name);
    settings.current = name;
  });
}

function requireProfile(profiles: Record<string, Profile>, name: string): void {
  if (!Object.hasOwn(profiles, name)) throw unknownProfile('not_found', name, Object.keys(profiles));
}

/** The error for a profile that does not exist, naming those that do. */
export const unknownProfile = (
  code: 'not_found' | 'invalid_argument',
  name: string,
  known: Iterable<string>,
): PangolinError => {
  const names = [...known].sort().join(', ');
  return new PangolinError(code, `There is no profile '${name}'`, {
    hint: names === '' ? 'Create it with: pangolin-user login --url URL --profile NAME' : `There are: ${names}`,
  });
};

async function changeSettings(surroundings: PathSurroundings, change: (settings: StoredSettings) => void) {
  const folder = configFolder(surroundings);
  const file = settingsFile(surroundings);
  await withLock(folder, async () => {
    // Parsed before conf sees it, so that a damaged file is an error and never overwritten.
    const text = await readFile(file, 'utf8').catch((cause: unknown) => {
      if (isCode(cause, 'ENOENT')) return null;
      throw unreadable(file, cause);
    });
    const settings: StoredSettings = text === null ? { profiles: {} } : await parseSettings(file, text);
    change(settings);
    const { default: Conf } = await import('conf');
    const conf = new Conf<StoredSettings>({
      cwd: folder,
      configName: 'settings',
      projectName: 'pangolin',
      projectSuffix: '',
      accessPropertiesByDotNotation: false,
      configFileMode: 0o600,
    });
    conf.store = settings;
    await chmod(file, 0o600);
  });
}

async function parseSettings(file: string, text: string): Promise<StoredSettings> {
  const { SettingsFile } = await import('./settings-schema.ts');
  try {
    const { current, profiles } = SettingsFile.parse(JSON.parse(text));
    return { ...(current === undefined ? {} : { current }), profiles };
  } catch (cause) {
    throw unreadable(file, cause);
  }
}

const unreadable = (file: string, cause: unknown) =>
  new PangolinError('settings_unreadable', `The settings file ${file} cannot be read`, {
    cause,
    hint: 'Repair it (it is JSON), or move it away and log in again',
  });
