import type { AuditEvent } from './audit.ts';

/** `previous_hash` of the first event of a chain. */
export const FIRST_AUDIT_HASH = '0'.repeat(64);

/** An audit event whose details are canonical JSON text already. */
export type AuditEventFields = Omit<AuditEvent, 'details' | 'hash'> & { details: string };

/**
 * What the hash of an audit event is taken over (SHA-256, in hex): its exported fields but the hash, as canonical JSON
 * (RFC 8785). With `hash`, the same text with that member in its place: a line of an export.
 */
export function auditEventText(event: AuditEventFields, hash?: string): string {
  return (
    `{"action":${quote(event.action)},"chain":${quote(event.chain)},"client":${quoteOptional(event.client)}` +
    `,"credential_id":${quoteOptional(event.credential_id)},"credential_type":${quoteOptional(event.credential_type)}` +
    `,"details":${event.details}${hash === undefined ? '' : `,"hash":${quote(hash)}`},"id":${quote(event.id)}` +
    `,"ip":${quoteOptional(event.ip)},"previous_hash":${quote(event.previous_hash)}` +
    `,"request_id":${quoteOptional(event.request_id)},"resource_id":${quoteOptional(event.resource_id)}` +
    `,"resource_name":${quoteOptional(event.resource_name)},"resource_type":${quote(event.resource_type)}` +
    `,"result":${quote(event.result)},"seq":${event.seq},"tenant_id":${quote(event.tenant_id)}` +
    `,"time":${quote(event.time)},"user_id":${quoteOptional(event.user_id)},"username":${quoteOptional(event.username)}}`
  );
}

// A string without any of these is in JSON what it is, between quotes; most are, and testing costs half of what escaping does.
const NEEDS_ESCAPING = /[^\x20\x21\x23-\x5b\x5d-\ud7ff\ue000-\uffff]/;

const quote = (text: string): string => (NEEDS_ESCAPING.test(text) ? JSON.stringify(text) : `"${text}"`);

const quoteOptional = (text: string | null): string => (text === null ? 'null' : quote(text));

/**
 * A JSON value as RFC 8785 writes it: without spaces, members by the UTF-16 code units of their names, numbers and strings
 * as ECMAScript has them. What JSON does not have is written, or left out, as `JSON.stringify` does. A lone surrogate, which
 * RFC 8785 does not allow, is written as its escape, so that it survives UTF-8.
 */
export function canonicalJson(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${canonicalJson(member)}`).join(',')}}`;
}
