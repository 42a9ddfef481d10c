import { BlockList, isIP, isIPv6 } from 'node:net';
import { readNetwork } from '@pangolin/shared/contract/networks';

/** Addresses, given as CIDR blocks. */
export interface Networks {
  /** An address as `normalizeAddress` writes it; what is no address is in no network. */
  includes(address: string): boolean;
}

/** This machine, as it asks itself. */
export const LOOPBACK_NETWORKS = ['127.0.0.0/8', '::1'];

const MAX_REMEMBERED = 1_000;

/** Networks that were read before; what cannot be read is in none of them. Answers are remembered: the same few ask. */
export function createNetworks(blocks: readonly string[]): Networks {
  const list = new BlockList();
  for (const block of blocks) {
    const read = readNetwork(block);
    if (!('network' in read)) continue;
    const [address = '', prefix] = read.network.split('/');
    list.addSubnet(address, Number(prefix), isIPv6(address) ? 'ipv6' : 'ipv4');
  }
  const known = new Map<string, boolean>();
  return {
    includes(address) {
      const before = known.get(address);
      if (before !== undefined) return before;
      const version = isIP(address);
      const isIn = version !== 0 && list.check(address, version === 4 ? 'ipv4' : 'ipv6');
      if (known.size >= MAX_REMEMBERED) known.clear();
      known.set(address, isIn);
      return isIn;
    },
  };
}

/** An address as it is shown and compared: IPv4 as such where IPv6 carries it, without a zone. */
export function normalizeAddress(address: string): string {
  if (!address.includes(':')) return address;
  const bare = address.split('%', 1)[0] ?? '';
  return /^::ffff:\d+\.\d+\.\d+\.\d+$/i.test(bare) ? bare.slice('::ffff:'.length) : bare;
}

/** What limits count by: an IPv4 address, or the /64 of an IPv6 one, all of which is usually one household's. */
export function limitedPart(address: string): string {
  if (!isIPv6(address)) return address;
  const [head = '', tail] = address.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = Array.from({ length: Math.max(0, 8 - left.length - right.length) }, () => '0');
  const groups = [...left, ...zeros, ...right].slice(0, 4);
  return `${groups.map((group) => Number.parseInt(group, 16).toString(16)).join(':')}::/64`;
}
