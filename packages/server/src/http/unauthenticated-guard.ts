import type { IncomingMessage } from 'node:http';
import { PangolinError } from '@pangolin/shared/errors';
import { createNetworks, LOOPBACK_NETWORKS } from '../networks.ts';
import { isSameHost } from './guard.ts';
import { isForwarded, readPeer } from './headers.ts';

/**
 * What a server without authentication refuses besides what createGuard does, since reaching it is all it takes: whoever
 * does not ask from this machine itself, and pages of other sites whatever their method. An answer they cannot read still
 * tells them by its status, or by how long it takes, what there is. Throws `forbidden` and `cross_site_request`.
 */
export function createUnauthenticatedGuard(publicUrl: string | null): (incoming: IncomingMessage) => void {
  const loopback = createNetworks(LOOPBACK_NETWORKS);
  const publicHost = publicUrl === null ? null : new URL(publicUrl).host;

  return (incoming) => {
    const { headers, httpVersion } = incoming;
    const peer = readPeer(incoming);
    // Proxies that add no header of their own speak HTTP/1.0, as nginx does unless it is told otherwise.
    if (peer === null || !loopback.includes(peer) || isForwarded(headers) || httpVersion === '1.0') {
      throw new PangolinError(
        'forbidden',
        'This server runs without authentication and answers this machine alone; the request came through a proxy.',
        { hint: 'Ask it directly, or start the server without --no-auth.' },
      );
    }
    const { host, origin, 'sec-fetch-site': site } = headers;
    const foreign = origin !== undefined && !isSameHost(origin, host ?? '', publicHost);
    if (foreign || (site !== undefined && site !== 'same-origin' && site !== 'none'))
      throw new PangolinError('cross_site_request', 'Requests from other sites are refused.');
  };
}
