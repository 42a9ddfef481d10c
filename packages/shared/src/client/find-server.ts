import { dataFolder } from '../config/paths.ts';
import { type Profile, type ProfileSettings, readSettings, unknownProfile } from '../config/profiles.ts';
import { PangolinError } from '../errors.ts';
import type { ConnectOptions, Surroundings } from './connect-types.ts';
import { readOrigin } from './origins.ts';

/** Where a server is, and everything about the way to it. */
export interface FoundServer {
  /** Null for the embedded server. */
  origin: string | null;
  /** The profile that named the server; null when an address did, and for the embedded server. */
  profile: string | null;
  /** The profile a person named, or the current one: whose login is looked at first. */
  preferredProfile: string | null;
  caFile: string | undefined;
  insecureHttp: boolean;
  tenantId: string | undefined;
  /** Where a tenant was named, and not by its id. */
  tenantName: string | undefined;
  dataDir: string;
  /** For the embedded server: a PostgreSQL database instead of a file in the data directory. */
  databaseUrl: string | undefined;
}

export type ServerOptions = Pick<
  ConnectOptions,
  'url' | 'profile' | 'dataDir' | 'tenantId' | 'tenant' | 'caFile' | 'insecureHttp'
>;

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Variables that are credentials for a server. */
const CREDENTIALS = [
  'PANGOLIN_TOKEN',
  'PANGOLIN_TOKEN_FILE',
  'PANGOLIN_API_KEY',
  'PANGOLIN_CLIENT_ID',
  'PANGOLIN_CLIENT_SECRET',
  'PANGOLIN_TOKEN_COMMAND',
  'PANGOLIN_USERNAME',
  'PANGOLIN_PASSWORD',
];

/** Throws `invalid_argument` naming a PANGOLIN_… variable that is set but empty: it would be mistaken for one not set. */
export function refuseEmptyVariables(env: Surroundings['env']): void {
  const empty = Object.keys(env).find((name) => name.startsWith('PANGOLIN_') && env[name]?.trim() === '');
  if (empty === undefined) return;
  throw new PangolinError('invalid_argument', `${empty} is set but empty`, {
    hint: `Give it a value, or: unset ${empty}`,
  });
}

/**
 * Finds the server: `--url` > `PANGOLIN_URL` > the profile (`--profile`, `PANGOLIN_PROFILE`, the current one) > embedded.
 * A data directory given by a program means the embedded one. Throws `invalid_argument` and `settings_unreadable`.
 */
export async function findServer(options: ServerOptions, surroundings: Surroundings): Promise<FoundServer> {
  const { env } = surroundings;
  refuseEmptyVariables(env);
  if (options.dataDir !== undefined && options.url !== undefined) {
    throw new PangolinError('invalid_argument', 'A server is given both by url and by dataDir: give one of them');
  }
  const named = options.profile ?? env.PANGOLIN_PROFILE ?? null;
  const common = {
    caFile: options.caFile ?? env.PANGOLIN_CA_FILE,
    insecureHttp: options.insecureHttp ?? false,
    ...(readTenant(options.tenantId, options.tenant, 'The tenant id') ??
      readTenant(env.PANGOLIN_TENANT_ID, env.PANGOLIN_TENANT, 'PANGOLIN_TENANT_ID') ?? {
        tenantId: undefined,
        tenantName: undefined,
      }),
    dataDir: options.dataDir ?? dataFolder(surroundings),
    databaseUrl: options.dataDir === undefined ? env.PANGOLIN_DATABASE_URL : undefined,
  };
  if (options.dataDir !== undefined) return { ...common, origin: null, profile: null, preferredProfile: named };
  const url = options.url ?? env.PANGOLIN_URL;
  if (url !== undefined) {
    const origin = readOrigin(url, options.url === undefined ? 'PANGOLIN_URL' : 'The url');
    return { ...common, origin, profile: null, preferredProfile: named };
  }
  const settings = await readSettings(surroundings);
  const name = named ?? settings.current;
  if (name === null) return { ...common, origin: null, profile: null, preferredProfile: null };
  const profile = requireProfile(settings, name);
  return {
    ...common,
    origin: readOrigin(profile.url, `The url of profile '${name}'`),
    profile: name,
    preferredProfile: name,
    caFile: common.caFile ?? profile.ca_file,
    insecureHttp: options.insecureHttp ?? profile.insecure_http ?? false,
    tenantId:
      common.tenantId ??
      (common.tenantName === undefined
        ? readTenantId(profile.tenant_id, `The tenant_id of profile '${name}'`)
        : undefined),
  };
}

function requireProfile({ profiles }: ProfileSettings, name: string): Profile {
  const profile = profiles.get(name);
  if (profile === undefined) throw unknownProfile('invalid_argument', name, profiles.keys());
  return profile;
}

/** Throws `invalid_argument` when a credential for a server is there, but no server is meant. */
export function refuseStrayCredential(env: Surroundings['env'], tokenFromStdin: string | undefined): void {
  const stray = tokenFromStdin === undefined ? CREDENTIALS.find((name) => env[name] !== undefined) : '--token-stdin';
  if (stray === undefined || env.PANGOLIN_URL !== undefined) return;
  throw new PangolinError('invalid_argument', `${stray} is a credential for a server, but no server is named`, {
    hint: 'Set PANGOLIN_URL, give --url or --profile, or leave the credential out to use the embedded server',
  });
}

/** A tenant by its id, or by what may be its id or its name; not by both. */
function readTenant(id: string | undefined, idOrName: string | undefined, label: string) {
  if (id !== undefined && idOrName !== undefined) {
    throw new PangolinError('invalid_argument', 'The tenant is named twice', {
      hint: label.startsWith('PANGOLIN')
        ? 'Unset PANGOLIN_TENANT_ID or PANGOLIN_TENANT'
        : 'Give --tenant or --tenant-id',
    });
  }
  if (idOrName === undefined || UUID.test(idOrName)) {
    const tenantId = readTenantId(id ?? idOrName, label);
    return tenantId === undefined ? null : { tenantId, tenantName: undefined };
  }
  return { tenantId: undefined, tenantName: idOrName };
}

function readTenantId(value: string | undefined, label: string): string | undefined {
  if (value === undefined || UUID.test(value)) return value;
  throw new PangolinError('invalid_argument', `${label} must be a UUID`);
}
