import { readFile } from 'node:fs/promises';
import type { Surroundings } from '../client/connect-types.ts';
import { readOrigin } from '../client/origins.ts';
import { readJwtClaims, readJwtExpiry } from '../client/read-jwt.ts';
import { readSecretText } from '../credentials/secret-text.ts';
import { openLoginStore } from '../credentials/store.ts';
import { PangolinError } from '../errors.ts';
import { freeProfileName } from './profile-names.ts';
import { type Profile, readSettings, requireProfileName, writeProfile } from './profiles.ts';

export interface ImportedSettings {
  /** The new profile's name. */
  name: string;
  profile: Profile;
  /** Where the token rests now; null when the file held none. */
  stored: { kind: 'keyring' | 'file' | 'none'; location: string } | null;
}

/**
 * Reads a `key=value` file such as `~/.featurestore.config` into a new profile: `url` (or `host`) names the server, `token`
 * goes to the credential store and never into the settings. Other keys are ignored. Without a name, the profile is called
 * after the server. Throws `invalid_argument`, `conflict` when the profile exists, `credential_malformed`,
 * `keyring_failed`, `settings_unreadable`.
 */
export async function importSettings(
  surroundings: Surroundings,
  file: string,
  name?: string,
): Promise<ImportedSettings> {
  const values = parseKeyValues(await readText(file));
  const address = values.get('url') ?? values.get('host');
  if (address === undefined) {
    throw new PangolinError('invalid_argument', `${file} names no server`, { hint: 'Add a line to it: url=https://…' });
  }
  const origin = readOrigin(address.includes('://') ? address : `https://${address}`, `The url in ${file}`);
  const token = values.get('token');
  const secret = token === undefined ? null : readSecretText(token, `The token in ${file}`);
  const { username: claimed, tenant_id } = readJwtClaims(secret ?? '');
  // Nobody verified it: a name that could not be typed is none.
  const username = claimed !== undefined && /^[^\p{C}\p{Zl}\p{Zp}]{1,255}$/u.test(claimed) ? claimed : undefined;
  const { profiles } = await readSettings(surroundings);
  const chosen = name ?? freeProfileName(origin, username ?? 'imported', profiles);
  requireProfileName(chosen);
  if (profiles.has(chosen)) {
    throw new PangolinError('conflict', `There is a profile '${chosen}' already`, {
      hint: 'Choose another name: --profile NAME',
    });
  }
  const profile: Profile = { url: origin, ...(username === undefined ? {} : { username }) };
  if (secret === null) {
    await writeProfile(surroundings, chosen, profile);
    return { name: chosen, profile, stored: null };
  }
  const expiryMs = readJwtExpiry(secret);
  const store = openLoginStore(surroundings);
  const { kind, location } = await store.write(chosen, {
    origin,
    token: secret,
    expires_at: expiryMs === null ? null : new Date(expiryMs).toISOString(),
    username: username ?? null,
    tenant_id: tenant_id ?? null,
  });
  try {
    await writeProfile(surroundings, chosen, profile);
  } catch (error) {
    await store.delete(chosen, origin);
    throw error;
  }
  return { name: chosen, profile, stored: { kind, location } };
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new PangolinError('invalid_argument', `The file ${file} cannot be read`, { cause });
  }
}

/** Lines `key=value`; blank lines, `#` comments and `[sections]` are skipped, quotes around a value are dropped. */
function parseKeyValues(text: string): Map<string, string> {
  const values = new Map<string, string>();
  for (const line of text.split(/\r?\n/)) {
    const [, key, value] = /^\s*([A-Za-z_.-]+)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
    if (key !== undefined && value) values.set(key.toLowerCase(), value.replace(/^(["'])(.*)\1$/, '$2'));
  }
  return values;
}
