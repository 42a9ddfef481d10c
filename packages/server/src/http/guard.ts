import { isIP } from 'node:net';
import { hostname } from 'node:os';
import { PangolinError } from '@pangolin/shared/errors';

const MAX_KNOWN_HOSTS = 100;

const LOOPBACK_NAMES = ['localhost', '127.0.0.1', '[::1]'];

/** What the guard looks at; `url` is the raw request target. */
export interface GuardedRequest {
  method: string;
  url: string;
  host: string | undefined;
  origin: string | undefined;
  fetchSite: string | undefined;
}

/**
 * Keeps pages in a browser away from a server on loopback: a Host that is not ours is DNS rebinding, and a foreign
 * Origin on anything but GET is cross-site request forgery. Throws `wrong_host` and `cross_site_request`.
 */
export function createGuard(options: { hostNames: readonly string[]; anyAddress: boolean; publicUrl: string | null }) {
  const publicHost = options.publicUrl === null ? null : new URL(options.publicUrl).host;
  const names = new Set([
    ...LOOPBACK_NAMES,
    ...options.hostNames,
    ...(options.anyAddress ? [hostname().toLowerCase()] : []),
  ]);
  if (publicHost !== null) names.add(readHostName(publicHost));

  // The hosts that were ours before, as they were written: the same few come with every request.
  const known = new Set<string>();

  const isOurs = (host: string): boolean => {
    if (known.has(host)) return true;
    const name = readHostName(host);
    // Nobody can rebind an address: only names are looked up.
    const ours = names.has(name) || (options.anyAddress && isIP(name.replace(/^\[|\]$/g, '')) !== 0);
    if (ours && known.size < MAX_KNOWN_HOSTS) known.add(host);
    return ours;
  };

  return (request: GuardedRequest): void => {
    if (request.host === undefined || !isOurs(request.host)) {
      throw new PangolinError('wrong_host', 'This server does not answer for that host.', {
        hint: 'Use the address it listens on, or start it with --public-url https://…',
      });
    }
    if (hasDotSegment(request.url)) throw new PangolinError('invalid_request', 'The path has dot segments.');
    if (request.method === 'GET' || request.method === 'HEAD') return;
    const foreign = request.origin !== undefined && !isSameHost(request.origin, request.host, publicHost);
    if (foreign || request.fetchSite === 'cross-site' || request.fetchSite === 'same-site') {
      throw new PangolinError('cross_site_request', 'Requests from other sites are refused.');
    }
  };
}

/** `name:port` → lower-case name; IPv6 keeps its brackets. */
const readHostName = (host: string): string => host.toLowerCase().replace(/:\d+$/, '');

/** Whether a page of an origin is this server's own, by the Host it was asked by; the opaque origin `null` is nobody's. */
export function isSameHost(origin: string, host: string, publicHost: string | null): boolean {
  const originHost = /^https?:\/\/([^/]+)$/i.exec(origin)?.[1]?.toLowerCase();
  return originHost !== undefined && (originHost === host.toLowerCase() || originHost === publicHost);
}

/** URL parsing collapses `%2e%2e`, so a router would see another path than was asked for. */
function hasDotSegment(url: string): boolean {
  if (!url.includes('/.') && !/%2e/i.test(url)) return false;
  const path = url.split('?', 1)[0] ?? '';
  return path.split('/').some((segment) => /^(?:\.|%2e){1,2}$/i.test(segment));
}
