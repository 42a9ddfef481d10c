import { createHash } from 'node:crypto';
import { type AuditEvent, auditApi } from '@pangolin/shared/contract';
import { expect } from 'vitest';
import type { TestServer } from './harness.ts';

/** RFC 8785 for what audit events hold: sorted names, and JSON's own spelling of strings and whole numbers. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${canonical(member)}`).join(',')}}`;
}

const isRefusal = ({ action }: AuditEvent): boolean => action.endsWith('.refused');

/**
 * The audit events of the default tenant, oldest first, after recomputing the chain they form; without those of refused
 * requests, logins and credentials.
 */
export async function readAuditChain(server: TestServer): Promise<AuditEvent[]> {
  const events = (await server.owner.call(auditApi.list, { query: { limit: 1000 } })).reverse();
  let previous = '0'.repeat(64);
  for (const [i, { hash, ...fields }] of events.entries()) {
    expect(fields.seq).toBe(i + 1);
    expect(fields.previous_hash).toBe(previous);
    expect(createHash('sha256').update(canonical(fields)).digest('hex')).toBe(hash);
    previous = hash;
  }
  return events.filter((event) => !isRefusal(event));
}

/** The newest audit event that is no refused request, login or credential, in a chain that holds. */
export async function readLastAudit(server: TestServer): Promise<AuditEvent> {
  const last = (await readAuditChain(server)).at(-1);
  if (!last) throw new Error('nothing was recorded');
  return last;
}
