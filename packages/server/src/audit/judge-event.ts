import { hash } from 'node:crypto';
import { type AuditEventFields, auditEventText } from '@pangolin/shared/contract/audit-event-text';
import { createTimeFormatter } from '../times.ts';
import { withCanonicalDetails } from './event-fields.ts';
import { type ChainHead, EVENT_COLUMNS } from './store.ts';

/** An event as it is read for a walk along its chain; `why` says what is wrong with it, to follow its number. */
type JudgedEvent =
  | { isSound: true; seq: number; hash: string; id: string; time: string }
  | { isSound: false; seq: number; id: string | null; why: string };

const MAX_TIME_MS = 8.64e15;

/** Judges a row of `EVENT_COLUMNS` by itself and by the event before it. Never throws, whatever the row holds. */
type JudgeEvent = (row: readonly unknown[], before: ChainHead) => JudgedEvent;

/** For the events of one chain, one after the other. */
export function createEventJudge(chain: string): JudgeEvent {
  const format = createTimeFormatter();
  return (row, before) => judge(readRow(row, chain, format), row, before);
}

function judge({ fields, hash: recorded, seq, id }: ReadRow, row: readonly unknown[], before: ChainHead): JudgedEvent {
  const expected = before.seq + 1;
  if (seq !== null && seq > expected) {
    const missing = seq === expected + 1 ? `is missing` : `and those up to ${seq - 1} are missing`;
    return { isSound: false, seq: expected, id: null, why: missing };
  }
  const unsound = (why: string): JudgedEvent => ({ isSound: false, seq: expected, id, why });
  if (!fields || typeof recorded !== 'string') return unsound(`is damaged: its ${findDamage(row)} cannot be read`);
  if (!isHashOf(recorded, fields)) return unsound('was changed: its content has another hash than the one on record');
  if (fields.previous_hash !== before.hash)
    return unsound(`does not follow event ${before.seq}: one of the two was replaced`);
  return { isSound: true, seq: expected, hash: recorded, id: fields.id, time: fields.time };
}

function isHashOf(recorded: string, fields: AuditEventFields): boolean {
  if (hash('sha256', auditEventText(fields)) === recorded) return true;
  try {
    const canonical = withCanonicalDetails(fields);
    return canonical.details !== fields.details && hash('sha256', auditEventText(canonical)) === recorded;
  } catch {
    return false;
  }
}

interface ReadRow {
  /** Null for a damaged row. */
  fields: AuditEventFields | null;
  hash: unknown;
  seq: number | null;
  id: string | null;
}

function readRow(row: readonly unknown[], chain: string, format: (ms: number) => string): ReadRow {
  const action = row[0];
  const client = row[1];
  const credential_id = row[2];
  const credential_type = row[3];
  const details = row[4];
  const id = row[5];
  const ip = row[6];
  const previous_hash = row[7];
  const request_id = row[8];
  const resource_id = row[9];
  const resource_name = row[10];
  const resource_type = row[11];
  const result = row[12];
  const seq = readWhole(row[13]);
  const tenant_id = row[14];
  const time = readWhole(row[15]);
  const user_id = row[16];
  const username = row[17];
  const hash = row[18];
  const isWhole =
    isText(action) &&
    isOptionalText(client) &&
    isOptionalText(credential_id) &&
    isOptionalText(credential_type) &&
    isText(details) &&
    isText(id) &&
    isOptionalText(ip) &&
    isText(previous_hash) &&
    isOptionalText(request_id) &&
    isOptionalText(resource_id) &&
    isOptionalText(resource_name) &&
    isText(resource_type) &&
    (result === 'success' || result === 'failure') &&
    seq !== null &&
    isText(tenant_id) &&
    time !== null &&
    Math.abs(time) <= MAX_TIME_MS &&
    isOptionalText(user_id) &&
    isOptionalText(username);
  return {
    fields: isWhole
      ? {
          action,
          chain,
          client,
          credential_id,
          credential_type,
          details,
          id,
          ip,
          previous_hash,
          request_id,
          resource_id,
          resource_name,
          resource_type,
          result,
          seq,
          tenant_id,
          time: format(time),
          user_id,
          username,
        }
      : null,
    hash,
    seq,
    id: isText(id) ? id : null,
  };
}

const NUMBERS = ['seq', 'time'];
const OPTIONAL = [
  'client',
  'credential_id',
  'credential_type',
  'ip',
  'request_id',
  'resource_id',
  'resource_name',
  'user_id',
  'username',
];

/** The first column that does not hold what it should. */
function findDamage(row: readonly unknown[]): string {
  const damaged = EVENT_COLUMNS.find((column, i) => {
    if (NUMBERS.includes(column)) return readWhole(row[i]) === null;
    return OPTIONAL.includes(column) ? !isOptionalText(row[i]) : !isText(row[i]);
  });
  return damaged ?? 'content';
}

const isText = (value: unknown): value is string => typeof value === 'string';
const isOptionalText = (value: unknown): value is string | null => value === null || typeof value === 'string';

/** A stored whole number, or null for what is none; a database may answer one as text. */
export function readWhole(value: unknown): number | null {
  const number = typeof value === 'string' && /^-?\d{1,16}$/.test(value) ? Number(value) : value;
  return Number.isSafeInteger(number) ? (number as number) : null;
}
