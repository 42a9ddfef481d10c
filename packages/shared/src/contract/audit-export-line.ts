/** What a line of an export says of its place, and the text that its hash is taken over. */
export interface ExportedEvent {
  hash: string;
  previousHash: string;
  seq: number;
  chain: string;
  hashed: string;
}

// What follows the details, up to the previous hash; none of these values has a quote in it.
const AFTER_DETAILS =
  /^,"hash":"([0-9a-f]{64})","id":"[^"\\]*","ip":(?:null|"[^"\\]*"),"previous_hash":"([0-9a-f]{64})"$/;
const BEFORE_DETAILS = /^\{"action":"[^"\\]*","chain":"([^"\\]*)",/;
const SEQ = /^"seq":([1-9]\d{0,15}),"tenant_id":/;

const PREVIOUS_HASH = '"previous_hash":"';
const HASH = ',"hash":"';
const AFTER_HASH_LENGTH = `${PREVIOUS_HASH}${'0'.repeat(64)}"`.length;
const HASH_MEMBER_LENGTH = `${HASH}${'0'.repeat(64)}"`.length;

/**
 * Takes a line of an export apart without parsing it, which is most of the cost of verifying one. Undefined for a line that
 * it cannot tell is none: parse that.
 *
 * Where `hashed` has the hash that a signature leads to, the line is the very bytes that were exported. For `hashed` is then
 * the canonical text that was recorded, in which the last `"previous_hash":"` and `"seq":` are the event's own: no string
 * after the details has a bare quote. And the hash stands where it is exported, between details and id, before that last
 * `previous_hash` with nothing but id and ip between.
 */
export function readExportedEvent(line: string): ExportedEvent | undefined {
  const previous = line.lastIndexOf(PREVIOUS_HASH);
  const start = line.lastIndexOf(HASH, previous);
  if (start < 0) return undefined;
  const end = previous + AFTER_HASH_LENGTH;
  const [, hash, previousHash] = AFTER_DETAILS.exec(line.slice(start, end)) ?? [];
  const [, seq] = SEQ.exec(line.slice(line.lastIndexOf('"seq":'))) ?? [];
  const [, chain] = BEFORE_DETAILS.exec(line) ?? [];
  if (hash === undefined || previousHash === undefined || chain === undefined || seq === undefined) return undefined;
  const hashed = line.slice(0, start) + line.slice(start + HASH_MEMBER_LENGTH);
  return { hash, previousHash, seq: Number(seq), chain, hashed };
}
