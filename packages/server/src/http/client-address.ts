import { isIP } from 'node:net';
import { type Networks, normalizeAddress } from '../networks.ts';

/** An address with a port, as some proxies write it: `192.0.2.1:4711` or `[2001:db8::1]:4711`. */
const WITH_PORT = /^(?:\[([0-9a-f:.]+)\]|(\d+\.\d+\.\d+\.\d+))(?::\d{1,5})?$/i;

/**
 * Finds the client behind proxies. Only what a trusted proxy says counts: from the right of X-Forwarded-For, trusted
 * proxies are passed over, and the first that is none is the client. A header that is not a list of addresses is nobody's
 * word: the peer it is.
 */
export function findClientAddress(peer: string, forwardedFor: string | undefined, trusted: Networks): string {
  if (forwardedFor === undefined || !trusted.includes(peer)) return peer;
  const hops = forwardedFor.split(',');
  let client = peer;
  for (let i = hops.length - 1; i >= 0; i -= 1) {
    const hop = readHop(hops[i] ?? '');
    if (hop === undefined) return peer;
    client = hop;
    if (!trusted.includes(hop)) return client;
  }
  return client;
}

function readHop(text: string): string | undefined {
  const hop = text.trim();
  const match = WITH_PORT.exec(hop);
  const address = normalizeAddress(match?.[1] ?? match?.[2] ?? hop);
  return isIP(address) === 0 ? undefined : address;
}
