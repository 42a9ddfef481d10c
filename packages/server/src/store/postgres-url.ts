import { PangolinError } from '@pangolin/shared/errors';

/** How many connections one process opens for reading, unless the URL says `pool_max_conns=…`. */
const DEFAULT_POOL_SIZE = 10;

/** What a `postgres://` URL says: what the driver takes of it, and what it does not know. */
export interface PostgresTarget {
  /** Holds the password: never logged, never in a message. */
  url: URL;
  poolSize: number;
  /** As in `db.example.com:5432/pangolin`: the whole URL but who connects and how. */
  place: string;
}

const EXAMPLE = 'postgres://pangolin@db.example.com/pangolin?sslmode=verify-full';

/** Reads `--database-url`. Throws `invalid_argument` without repeating it: it may hold a password. */
export function readPostgresUrl(text: string): PostgresTarget {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !/^postgres(?:ql)?:$/.test(url.protocol)) {
    throw new PangolinError('invalid_argument', 'The database URL is not a postgres:// URL.', {
      hint: `Give one such as ${EXAMPLE}; in a password, write %40 for @ and %2F for /.`,
    });
  }
  const poolSize = readPoolSize(url.searchParams.get('pool_max_conns'));
  url.searchParams.delete('pool_max_conns');
  verifyCertificates(url);
  return { url, poolSize, place: `${url.host === '' ? 'localhost' : url.host}${url.pathname}` };
}

function readPoolSize(value: string | null): number {
  if (value === null) return DEFAULT_POOL_SIZE;
  const size = Number(value);
  if (Number.isInteger(size) && size >= 1 && size <= 1000) return size;
  throw new PangolinError('invalid_argument', 'pool_max_conns in the database URL must be from 1 to 1000.');
}

/** The driver verifies the server's certificate for each of these names, and warns that one day it will not. */
function verifyCertificates(url: URL): void {
  const mode = url.searchParams.get('sslmode');
  if (url.searchParams.get('uselibpqcompat') === 'true') return;
  if (mode === 'prefer' || mode === 'require' || mode === 'verify-ca') url.searchParams.set('sslmode', 'verify-full');
}
