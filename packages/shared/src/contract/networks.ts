/** A block of addresses, RFC 4632 and RFC 4291 §2.3: all that share the first `prefix` bits. */
interface Network {
  /** 4 for IPv4, 16 for IPv6. */
  bytes: readonly number[];
  prefix: number;
}

/** How many blocks one list may hold. */
export const MAX_NETWORKS = 64;

const MAPPED_PREFIX = 96;

/**
 * Reads `10.0.0.0/8`, `2001:db8::/32`, or a single address. An IPv4 block in its IPv6 form (`::ffff:10.0.0.0/104`,
 * RFC 4291 §2.5.5.2) is the IPv4 block. Answers its one spelling, or what is wrong with it, as the end of a sentence.
 */
export function readNetwork(text: string): { network: string } | { problem: string } {
  const [address = '', length, ...more] = text.split('/');
  const bytes = readBytes(address);
  const bits = bytes === undefined ? 0 : bytes.length * 8;
  const prefix = length === undefined ? bits : /^(?:0|[1-9]\d{0,2})$/.test(length) ? Number(length) : Number.NaN;
  if (bytes === undefined || more.length > 0 || !(prefix <= bits))
    return { problem: 'must be a network such as 10.0.0.0/8 or 2001:db8::/32, or one address' };
  const masked = bytes.map((byte, at) => byte & maskOf(prefix - at * 8));
  if (masked.some((byte, at) => byte !== bytes[at]))
    return {
      problem: `is ${text}, which has bits set after the first ${prefix}; the network is ${format(unmap({ bytes: masked, prefix }))}`,
    };
  return { network: format(unmap({ bytes, prefix })) };
}

/** As RFC 5952 writes the address: `2001:db8::/32`. */
function format({ bytes, prefix }: Network): string {
  if (bytes.length === 4) return `${bytes.join('.')}/${prefix}`;
  const groups = Array.from({ length: 8 }, (_, at) =>
    ((bytes[at * 2] ?? 0) * 256 + (bytes[at * 2 + 1] ?? 0)).toString(16),
  );
  const [run = ''] = (groups.join(':').match(/\b0(?::0)+\b/g) ?? []).sort((a, b) => b.length - a.length);
  if (run === '') return `${groups.join(':')}/${prefix}`;
  const text = groups.join(':');
  const start = `:${text}:`.indexOf(`:${run}:`);
  return `${text.slice(0, Math.max(0, start - 1))}::${text.slice(start + run.length + 1)}/${prefix}`;
}

/** The bits of a byte that are among the first `bits`. */
const maskOf = (bits: number): number => (bits >= 8 ? 255 : bits <= 0 ? 0 : (255 << (8 - bits)) & 255);

function unmap({ bytes, prefix }: Network): Network {
  const isMapped = bytes.length === 16 && prefix >= MAPPED_PREFIX && bytes.slice(0, 12).join() === MAPPED;
  return isMapped ? { bytes: bytes.slice(12), prefix: prefix - MAPPED_PREFIX } : { bytes, prefix };
}

const MAPPED = '0,0,0,0,0,0,0,0,0,0,255,255';

function readBytes(text: string): number[] | undefined {
  if (!text.includes(':')) return readIpv4(text);
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const [head, tail] = halves.map((half) => (half === '' ? [] : readGroups(half)));
  if (head === undefined || (halves.length === 2 && tail === undefined)) return undefined;
  if (halves.length === 1) return head.length === 16 ? head : undefined;
  const gap = 16 - head.length - (tail?.length ?? 0);
  // `::` stands for at least one group (RFC 5952 §4.2.2 says two, RFC 4291 §2.2 allows one).
  return gap >= 2 ? [...head, ...new Array<number>(gap).fill(0), ...(tail ?? [])] : undefined;
}

/** Groups of four hexadecimal digits; the last may be an IPv4 address (RFC 4291 §2.2). */
function readGroups(text: string): number[] | undefined {
  const bytes: number[] = [];
  const parts = text.split(':');
  for (const [at, part] of parts.entries()) {
    if (part.includes('.')) {
      const ipv4 = at === parts.length - 1 ? readIpv4(part) : undefined;
      if (!ipv4) return undefined;
      bytes.push(...ipv4);
    } else {
      if (!/^[0-9a-f]{1,4}$/i.test(part)) return undefined;
      const group = Number.parseInt(part, 16);
      bytes.push(group >> 8, group & 255);
    }
  }
  return bytes;
}

/** Four decimal numbers without leading zeros, which some read as octal. */
function readIpv4(text: string): number[] | undefined {
  const parts = text.split('.');
  if (parts.length !== 4 || !parts.every((part) => /^(?:0|[1-9]\d{0,2})$/.test(part))) return undefined;
  const bytes = parts.map(Number);
  return bytes.every((byte) => byte <= 255) ? bytes : undefined;
}
