import { hash, verify } from 'node:crypto';
import type { AuditCheckpoint, AuditEvent } from '@pangolin/shared/contract';
import { findDifference, readCheckpoint } from '@pangolin/shared/contract/audit-checkpoint';
import { auditEventText, canonicalJson, FIRST_AUDIT_HASH } from '@pangolin/shared/contract/audit-event-text';
import { type ExportedEvent, readExportedEvent } from '@pangolin/shared/contract/audit-export-line';
import type { VerificationKeys } from './read-jwks.ts';
import { brokenLine, MAX_LINE_LENGTH, readLineBatches } from './read-line-batches.ts';

/** What an export holds that verifies: so many events of a chain, the last with `seq` and `hash`, and who signed when. */
export interface VerifiedExport {
  events: number;
  chain: string;
  seq: number;
  hash: string;
  time: string;
  kid: string;
  issuer: string;
}

/**
 * Verifies an export, line by line, by itself and by the keys: every byte of it. Throws `audit_log_broken`, naming the first
 * line that is not as it was exported, and why.
 */
export async function verifyExport(
  input: AsyncIterable<Uint8Array | string>,
  keys: VerificationKeys,
): Promise<VerifiedExport> {
  let last: Pick<AuditEvent, 'seq' | 'hash' | 'chain'> | undefined;
  let checkpoint: AuditCheckpoint | undefined;
  let line = 0;

  const judge = (text: string): string | undefined => {
    if (checkpoint) return 'follows the checkpoint, after which there is nothing';
    const next = readExportedEvent(text);
    if (next && isNext(next, last)) {
      last = next;
      return undefined;
    }
    // The checkpoint, or a line that something is wrong with: what it is takes a closer look.
    const value = readLine(text);
    if (typeof value === 'string') return value;
    if (value.type === 'checkpoint') {
      const told = readTold(value, text);
      if (!told) return 'is no checkpoint as exports have it';
      checkpoint = told;
      return findCheckpointFault(told, last, keys);
    }
    const event = readEvent(value);
    if (typeof event === 'string') return event;
    const { hash: recorded, ...fields } = event;
    const canonical = { ...fields, details: canonicalJson(fields.details) };
    if (auditEventText(canonical, recorded) !== text) return 'is not written as an export writes it: it was changed';
    if (hash('sha256', auditEventText(canonical)) !== recorded)
      return `was changed: the content of event ${event.seq} has another hash than the one on record`;
    const fault = findLinkFault(event, last);
    last = { seq: event.seq, hash: recorded, chain: event.chain };
    return fault;
  };

  for await (const batch of readLineBatches(input)) {
    for (const text of batch) {
      line += 1;
      const fault = withinDepth(() => judge(text));
      if (fault !== undefined) throw brokenLine(line, fault);
    }
  }
  if (!checkpoint) throw brokenLine(line + 1, 'should be the checkpoint, but the file ends: the export was cut short');
  const { chain, seq, time, kid, iss } = checkpoint;
  return { events: seq, chain, seq, hash: checkpoint.hash, time, kid, issuer: iss };
}

const isNext = (event: ExportedEvent, last: Pick<AuditEvent, 'seq' | 'hash' | 'chain'> | undefined): boolean =>
  event.seq === (last?.seq ?? 0) + 1 &&
  event.previousHash === (last?.hash ?? FIRST_AUDIT_HASH) &&
  (last === undefined || event.chain === last.chain) &&
  hash('sha256', event.hashed) === event.hash;

/** What is nested deeper than the stack is none of ours. */
function withinDepth(judge: () => string | undefined): string | undefined {
  try {
    return judge();
  } catch (error) {
    if (error instanceof RangeError) return 'is nested too deeply';
    throw error;
  }
}

function readLine(text: string): Record<string, unknown> | string {
  if (text === '') return 'is empty';
  if (text.length > MAX_LINE_LENGTH) return 'is longer than any line of an export';
  if (text.startsWith('\ufeff')) return 'begins with a byte order mark: the file was converted';
  if (text.endsWith('\r')) return 'ends with a carriage return: the file was converted';
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {
    // Not JSON, which is said below.
  }
  return 'is not a JSON object';
}

const TEXTS = ['action', 'chain', 'hash', 'id', 'previous_hash', 'resource_type', 'tenant_id', 'time'] as const;
const OPTIONAL_TEXTS = [
  'client',
  'credential_id',
  'credential_type',
  'ip',
  'request_id',
  'resource_id',
  'resource_name',
  'user_id',
  'username',
] as const;

/** An event, or what it is not. More or other members would show in the text that is made of it. */
function readEvent(value: Record<string, unknown>): AuditEvent | string {
  const wrong =
    TEXTS.find((name) => typeof value[name] !== 'string') ??
    OPTIONAL_TEXTS.find((name) => value[name] !== null && typeof value[name] !== 'string');
  if (wrong !== undefined) return `is no audit event: its ${wrong} is not text`;
  const { result, seq, details } = value;
  if (result !== 'success' && result !== 'failure')
    return 'is no audit event: its result is neither success nor failure';
  if (!Number.isSafeInteger(seq)) return 'is no audit event: its seq is not a number';
  if (typeof details !== 'object' || details === null) return 'is no audit event: its details are not an object';
  return value as AuditEvent;
}

function findLinkFault(
  { seq, chain, previous_hash }: AuditEvent,
  last: Pick<AuditEvent, 'seq' | 'hash' | 'chain'> | undefined,
): string | undefined {
  const before = last?.seq ?? 0;
  if (seq <= before) return `repeats or goes back: it is event ${seq}, and event ${before} came before it`;
  if (seq === before + 2) return `is event ${seq}: event ${before + 1} is missing`;
  if (seq !== before + 1) return `is event ${seq}: events ${before + 1} to ${seq - 1} are missing`;
  if (last && chain !== last.chain) return `belongs to another chain (${shorten(chain)}) than the lines before it`;
  if (previous_hash !== (last?.hash ?? FIRST_AUDIT_HASH))
    return `does not follow event ${before}: one of the two was replaced`;
  return undefined;
}

function readTold(value: Record<string, unknown>, text: string): AuditCheckpoint | undefined {
  const { chain, hash: vouched, iss, kid, seq, signature, time } = value;
  const texts = [chain, vouched, iss, kid, signature, time];
  if (!texts.every((one) => typeof one === 'string') || !Number.isSafeInteger(seq)) return undefined;
  const told = { chain, hash: vouched, iss, kid, seq, signature, time } as AuditCheckpoint;
  return canonicalJson({ ...told, type: 'checkpoint' }) === text ? told : undefined;
}

function findCheckpointFault(
  told: AuditCheckpoint,
  last: Pick<AuditEvent, 'seq' | 'hash' | 'chain'> | undefined,
  keys: VerificationKeys,
): string | undefined {
  const read = readCheckpoint(told.signature);
  if (typeof read === 'string') return `is a checkpoint whose signature ${read}`;
  if (told.kid !== read.kid) return 'is a checkpoint that names another key than its signature';
  const key = keys.get(read.kid);
  if (key === undefined)
    return `is a checkpoint signed by the key ${shorten(read.kid)}, which is not among the keys given: they are of another installation, or older`;
  if (typeof key === 'string') return `is a checkpoint signed by the key ${shorten(read.kid)}, which ${key}`;
  if (!verify('sha256', Buffer.from(read.signed), { key, dsaEncoding: 'ieee-p1363' }, read.signature))
    return 'is a checkpoint whose signature does not verify';
  const difference = findDifference(told, read.claims);
  if (difference !== undefined) return `is a checkpoint that says another ${difference} than its signature vouches for`;
  if (last && told.chain !== last.chain) return `is the checkpoint of another chain (${shorten(told.chain)})`;
  if (told.seq !== (last?.seq ?? 0))
    return `is a checkpoint for event ${told.seq}, but the events before it go to ${last?.seq ?? 0}`;
  if (told.hash !== (last?.hash ?? FIRST_AUDIT_HASH)) return `is a checkpoint for another event ${told.seq}`;
  return undefined;
}

/** What a stranger's file says, in a message. */
const shorten = (text: string): string => text.slice(0, 64);
