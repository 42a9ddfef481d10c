import { BlockList, isIP, isIPv6 } from 'node:net';

/** Addresses, given as CIDR blocks. */
export interface Networks {
  /** An address as `normalizeAddress` writes it; what is no address is in no network. */
  includes(address: string): boolean;
}

const MAX_REMEMBERED = 1_000;

/** Reads `10.0.0.0/8`, `2001:db8::/32` or a single address; undefined when it is none. */
export function readNetwork(text: string): { address: string; prefix: number; family: 'ipv4' | 'ipv6' } | undefined {
  const [address = '', bits, ...more] = text.split('/');
  const version = address.includes('%') ? 0 : isIP(address);
  if (version === 0 || more.length > 0) return undefined;
  const longest = version === 4 ? 32 : 128;
  if (bits !== undefined && !/^(?:0|[1-9]\d{0,2})$/.test(bits)) return undefined;
  const prefix = bits === undefined ? longest : Number(bits);
  return prefix > longest ? undefined : { address, prefix, family: version === 4 ? 'ipv4' : 'ipv6' };
}

/** Networks that were read before; what cannot be read is in none of them. Answers are remembered: the same few ask. */
export function createNetworks(blocks: readonly string[]): Networks {
  const list = new BlockList();
  for (const block of blocks) {
    const network = readNetwork(block);
    if (network) list.addSubnet(network.address, network.prefix, network.family);
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
