import { hash } from 'node:crypto';
import { type AuditVerification, auditApi, publicApi, signingKeysApi, tokensApi } from '@pangolin/shared/contract';
import { auditEventText } from '@pangolin/shared/contract/audit-event-text';
import { sql } from 'kysely';
import { beforeEach, describe, expect, test } from 'vitest';
import { signGrownChains } from '../../../packages/server/src/audit/checkpoints.ts';
import { toFields } from '../../../packages/server/src/audit/event-fields.ts';
import { BY_THE_SERVER, createAuditEvent, createAuditEvents } from '../../../packages/server/src/audit/record.ts';
import type { AuditEventsTable, Executor } from '../../../packages/server/src/store/schema.ts';
import { createLoggedIn, DAY_MS, mint, openTestServer, type TestServer } from '../harness.ts';
import { insertSecondTenant } from '../second-tenant.ts';

let server: TestServer;
beforeEach(async () => {
  server = await openTestServer();
});

const verify = (query: Record<string, string | number> = {}) => server.owner.call(auditApi.verify, { query });
const checkpoint = (query: Record<string, string> = {}) => server.owner.call(auditApi.checkpoint, { query });
const change = (unit: (tx: Executor) => Promise<unknown>) => server.deps.db.transact((tx) => unit(tx));
const chain = () => server.deps.installation.defaultTenantId;

/** Changes one event where it is stored. */
const setEvent = (seq: number, set: Partial<AuditEventsTable>) =>
  change((tx) => tx.updateTable('audit_events').set(set).where('chain', '=', chain()).where('seq', '=', seq).execute());

/** Changes an event and everything that follows from it: what somebody with the whole database can do. */
async function rewriteFrom(seq: number, set: Partial<AuditEventsTable>): Promise<void> {
  await setEvent(seq, set);
  await change(async (tx) => {
    const rows = await tx.selectFrom('audit_events').selectAll().where('chain', '=', chain()).orderBy('seq').execute();
    let previous = '0'.repeat(64);
    for (const row of rows) {
      const { hash: _, ...fields } = { ...row, previous_hash: previous };
      const rewritten = hash('sha256', auditEventText(toFields(fields)));
      await tx
        .updateTable('audit_events')
        .set({ previous_hash: previous, hash: rewritten })
        .where('id', '=', row.id)
        .execute();
      previous = rewritten;
    }
    await tx.updateTable('audit_chains').set({ hash: previous }).where('chain', '=', chain()).execute();
  });
}

async function record(count: number): Promise<void> {
  for (let i = 0; i < count; i += 1) await mint(server, server.owner, { name: `token ${i}` });
}

/** The first broken link; everything before it is sound. */
async function brokenLink(): Promise<NonNullable<AuditVerification['broken']>> {
  const found = await verify();
  expect(found).toMatchObject({ valid: false, complete: false });
  if (!found.broken) throw new Error('nothing is broken');
  return found.broken;
}

describe('verification', () => {
  test('finds a chain whole, and says up to where and who vouches for it', async () => {
    await record(3);
    server.clock.advance(1_000);
    const signed = await checkpoint();
    await record(2);
    const found = await verify();
    expect(found).toEqual({
      chain: chain(),
      valid: true,
      complete: true,
      events: 6,
      seq: 6,
      time: '2026-11-22T12:00:01Z',
      hash: expect.stringMatching(/^[0-9a-f]{64}$/),
      checkpoints: 1,
      checkpoint: signed,
      broken: null,
    });
  });

  test('of a chain without events finds nothing wrong', async () => {
    expect(await verify()).toMatchObject({ valid: true, complete: true, events: 0, seq: 0, time: null });
  });

  test('goes in parts that join, each continued by its last number', async () => {
    await record(7);
    await checkpoint();
    const parts = [await verify({ limit: 3 })];
    for (let last = parts.at(-1); last?.complete === false; last = parts.at(-1))
      parts.push(await verify({ limit: 3, after_seq: last.seq }));
    expect(parts.map(({ seq, events, checkpoints }) => ({ seq, events, checkpoints }))).toEqual([
      { seq: 3, events: 3, checkpoints: 0 },
      { seq: 6, events: 3, checkpoints: 0 },
      { seq: 8, events: 2, checkpoints: 1 },
    ]);
    expect(await server.owner.refused(auditApi.verify, { query: { after_seq: 9 } })).toMatchObject({
      status: 400,
      errors: [{ field: 'after_seq' }],
    });
  });

  test('crosses the pages in which a chain is read, while events are added', async () => {
    const events = Array.from({ length: 2_100 }, (_, i) => ({
      id: server.deps.newId(),
      time: server.clock.nowMs,
      tenantId: chain(),
      by: BY_THE_SERVER,
      event: { action: 'test.done', resourceType: 'test', resourceId: null, details: { b: i, a: [i] } },
    }));
    for (let i = 0; i < events.length; i += 700)
      await change((tx) => createAuditEvents(tx, chain(), events.slice(i, i + 700)));
    const [found] = await Promise.all([verify(), record(3)]);
    expect(found).toMatchObject({ valid: true, complete: true });
    expect(found.seq).toBeGreaterThanOrEqual(2_100);
  });

  test('reads events whose details were stored before they were canonical', async () => {
    await record(3);
    const [row] = await server.deps.db.read.selectFrom('audit_events').select('details').where('seq', '=', 2).execute();
    const reversed = Object.entries(JSON.parse(row?.details ?? '')).reverse();
    expect(reversed.length).toBeGreaterThan(1);
    await change((tx) =>
      tx
        .updateTable('audit_events')
        .set({ details: JSON.stringify(Object.fromEntries(reversed), null, 1) })
        .where('chain', '=', chain())
        .where('seq', '=', 2)
        .execute(),
    );
    expect(await verify()).toMatchObject({ valid: true, events: 3 });
  });
});

describe('the first broken link is named', () => {
  const CHANGES: Partial<AuditEventsTable>[] = [
    { resource_name: 'innocent' },
    { username: null },
    { time: 1 },
    { result: 'failure' },
    { details: '{}' },
    { details: '{' },
    { request_id: 'x' },
    { hash: 'f'.repeat(64) },
    { tenant_id: '01900000-0000-7000-8000-000000000000' },
  ];

  test.each(CHANGES)('where an event was changed: %j', async (set) => {
    await record(3);
    await setEvent(2, set);
    const broken = await brokenLink();
    expect(broken).toMatchObject({ seq: 2, id: expect.stringMatching(/^[0-9a-f-]{36}$/) });
    expect(broken.reason).toMatch(/^was changed/);
  });

  test('where an event was replaced by one with a hash of its own', async () => {
    await record(3);
    const row = await server.deps.db.read
      .selectFrom('audit_events')
      .selectAll()
      .where('chain', '=', chain())
      .where('seq', '=', 2)
      .executeTakeFirstOrThrow();
    const { hash: _, ...fields } = { ...row, username: 'mallory' };
    await setEvent(2, { username: 'mallory', hash: hash('sha256', auditEventText(toFields(fields))) });
    expect(await brokenLink()).toMatchObject({
      seq: 3,
      reason: 'does not follow event 2: one of the two was replaced',
    });
  });

  test('where events are missing', async () => {
    await record(6);
    const remove = (...seqs: number[]) =>
      change((tx) => tx.deleteFrom('audit_events').where('chain', '=', chain()).where('seq', 'in', seqs).execute());
    await remove(3);
    expect(await brokenLink()).toEqual({ seq: 3, id: null, reason: 'is missing' });
    await remove(4, 5);
    expect(await brokenLink()).toEqual({ seq: 3, id: null, reason: 'and those up to 5 are missing' });
    await remove(1, 2);
    expect(await brokenLink()).toMatchObject({ seq: 1, reason: 'and those up to 5 are missing' });
    await remove(6);
    expect(await brokenLink()).toMatchObject({ seq: 1, reason: expect.stringContaining('the head of the chain') });
  });

  test('where the end was cut off, and the head with it, by the checkpoint beyond', async () => {
    await record(3);
    await checkpoint();
    const row = await server.deps.db.read
      .selectFrom('audit_events')
      .select('hash')
      .where('chain', '=', chain())
      .where('seq', '=', 2)
      .executeTakeFirstOrThrow();
    await change(async (tx) => {
      await tx.deleteFrom('audit_events').where('chain', '=', chain()).where('seq', '>', 2).execute();
      await tx.updateTable('audit_chains').set({ seq: 2, hash: row.hash }).where('chain', '=', chain()).execute();
    });
    expect(await brokenLink()).toMatchObject({
      seq: 3,
      reason: 'and those up to 4 are missing: a checkpoint of 2026-11-22T12:00:00Z vouches for them',
    });
    await change((tx) => tx.deleteFrom('audit_chains').where('chain', '=', chain()).execute());
    expect((await verify()).valid).toBe(false);
  });

  test('where the chain was rewritten from some point on, by the checkpoint after it', async () => {
    await record(2);
    await checkpoint();
    await record(3);
    await checkpoint();
    await rewriteFrom(5, { username: 'mallory' });
    expect(await brokenLink()).toEqual({
      seq: 7,
      id: expect.any(String),
      reason:
        'is not the one that was vouched for on 2026-11-22T12:00:00Z: the chain was rewritten from somewhere after event 3 on',
    });
  });

  test('where the head is another, or gone', async () => {
    await record(3);
    const setHead = (set: { seq?: number; hash?: string }) =>
      change((tx) => tx.updateTable('audit_chains').set(set).where('chain', '=', chain()).execute());
    await setHead({ hash: 'f'.repeat(64) });
    expect(await brokenLink()).toMatchObject({ seq: 3, reason: expect.stringContaining('the head') });
    await setHead({ seq: 2 });
    expect(await brokenLink()).toMatchObject({ seq: 3, reason: expect.stringContaining('beyond the head') });
    await setHead({ seq: 5 });
    expect(await brokenLink()).toMatchObject({ seq: 4, reason: expect.stringContaining('5 are missing') });
    await change((tx) => tx.deleteFrom('audit_chains').execute());
    expect(await brokenLink()).toMatchObject({ reason: expect.stringContaining('beyond the head') });
  });

  test('where an event has a number that no chain has', async () => {
    await record(2);
    await setEvent(1, { seq: -1 });
    expect(await brokenLink()).toMatchObject({ seq: -1, reason: 'has a number that no chain has' });
  });
});

describe('a checkpoint', () => {
  const setCheckpoint = (set: { seq?: number; hash?: string; time?: number; kid?: string; signature?: string }) =>
    change((tx) => tx.updateTable('audit_checkpoints').set(set).where('chain', '=', chain()).execute());

  test('is an event of its own, and vouches for it', async () => {
    await record(2);
    const signed = await checkpoint();
    const [event] = await server.owner.call(auditApi.list, { query: { limit: 1 } });
    expect(event).toMatchObject({ action: 'audit_checkpoint.created', seq: 3, username: 'ada', hash: signed.hash });
    expect(signed).toMatchObject({ chain: chain(), seq: 3, iss: server.deps.installation.issuer });
    const [header, payload] = signed.signature.split('.').map((part) => Buffer.from(part, 'base64url').toString());
    expect(JSON.parse(header ?? '')).toEqual({ alg: 'ES256', typ: 'pangolin-checkpoint+jwt', kid: signed.kid });
    const { kid: _, signature: __, ...claims } = signed;
    expect(JSON.parse(payload ?? '')).toEqual(claims);
  });

  test('is never accepted as a token, nor a token as a checkpoint', async () => {
    const signed = await checkpoint();
    const { status, json } = await server.bearer(signed.signature).ask(tokensApi.getSelf);
    expect({ status, code: (json as { code: string }).code }).toEqual({ status: 401, code: 'token_signature_invalid' });
    const { jws } = await server.deps.signingKeys.sign({ iss: server.deps.installation.issuer });
    await setCheckpoint({ signature: jws });
    expect((await brokenLink()).reason).toContain('is not that of a checkpoint (typ pangolin-checkpoint+jwt)');
  });

  test.each([
    [{ time: 1 }, 'another time'],
    [{ hash: 'f'.repeat(64) }, 'another hash'],
    [{ kid: 'somebody' }, 'none of this installation'],
    [{ signature: '' }, 'no compact JWS'],
    [{ signature: 'a.b.c' }, 'no compact JWS'],
    [{ seq: 1 }, 'another seq'],
  ])('that was changed is named: %j', async (set, reason) => {
    await record(2);
    await checkpoint();
    await setCheckpoint(set);
    expect((await brokenLink()).reason).toContain(reason);
  });

  test('with any character of its signature changed is named', async () => {
    await record(1);
    const { signature } = await checkpoint();
    for (let i = 0; i < signature.length; i += 7) {
      const other = signature[i] === 'A' ? 'B' : 'A';
      await setCheckpoint({ signature: signature.slice(0, i) + other + signature.slice(i + 1) });
      expect((await verify()).valid, `character ${i}`).toBe(false);
    }
  });

  test('is made at every rotation of the signing key, and holds after the key that signed it is long dead', async () => {
    await record(2);
    const first = await checkpoint();
    const { retired, active } = await server.owner.call(signingKeysApi.rotate);
    expect(first.kid).toBe(retired.kid);
    expect(await verify({ chain: 'system' })).toMatchObject({ valid: true, checkpoint: { kid: active.kid } });
    server.clock.advance(400 * DAY_MS);
    await record(1);
    await server.owner.call(signingKeysApi.rotate);
    expect(await verify()).toMatchObject({ valid: true, seq: 4, checkpoints: 2 });
    const { keys } = await server.nobody.call(publicApi.jwks);
    expect(keys.map(({ kid }) => kid)).toContain(first.kid);
  });

  test('is made by the server itself for chains that grew, and by several of them once', async () => {
    const beside = await openTestServer({ beside: server });
    await record(2);
    await Promise.all([signGrownChains(server.deps), signGrownChains(beside.deps)]);
    expect(await signGrownChains(server.deps)).toBe(0);
    expect(await verify()).toMatchObject({ valid: true, seq: 2, checkpoints: 1 });
    expect(await verify({ chain: 'system' })).toMatchObject({ valid: true, checkpoints: 1 });
    await record(1);
    expect(await signGrownChains(beside.deps)).toBe(1);
  });
});

describe('damage to the database is told, not answered with 500', () => {
  test.each([
    ['seq', '9223372036854775807'],
    ['time', '9223372036854775807'],
    ['time', '8640000000000001'],
    ['details', "'[1'"],
    ['hash', "''"],
    ['result', "'maybe'"],
    ['action', "x'00ff'"],
  ])('%s = %s', async (column, value) => {
    await record(3);
    await server.deps.db.transact(async (tx) => {
      await sql`update audit_events set ${sql.raw(`${column} = ${value}`)} where chain = ${chain()} and seq = 2`.execute(
        tx,
      );
    });
    expect((await brokenLink()).seq).toBe(2);
    if (!/922/.test(value)) expect(await server.owner.ask(auditApi.list)).toMatchObject({ status: 200 });
  });
});

describe('verification, counting, checkpoints and single events', () => {
  const ENDPOINTS = [auditApi.verify, auditApi.count, auditApi.checkpoint] as const;

  test('are for administrators, and the chain of what belongs to no tenant is for root', async () => {
    const eve = await createLoggedIn(server, 'eve', 'tenant-admin');
    const bob = await createLoggedIn(server, 'bob');
    for (const endpoint of ENDPOINTS) {
      expect(await bob.caller.refused(endpoint)).toMatchObject({ status: 403, code: 'forbidden' });
      const system = { query: { chain: 'system' } };
      expect(await eve.caller.refused(endpoint, system)).toMatchObject({ status: 403, code: 'forbidden' });
      expect((await eve.caller.ask(endpoint)).status).toBeLessThan(300);
      expect((await server.owner.ask(endpoint, system)).status).toBeLessThan(300);
    }
  });

  test('a count is of what a list would have', async () => {
    await record(3);
    expect(await server.owner.call(auditApi.count)).toEqual({ count: 3 });
    expect(await server.owner.call(auditApi.count, { query: { after_seq: 1 } })).toEqual({ count: 2 });
    expect(await server.owner.call(auditApi.count, { query: { action: 'token.revoked' } })).toEqual({ count: 0 });
    expect(await server.owner.call(auditApi.count, { query: { chain: 'system' } })).toEqual({ count: 1 });
  });

  test('an event is got by its id, and one of another tenant is not found, exactly like one that never was', async () => {
    await record(1);
    const [mine] = await server.owner.call(auditApi.list);
    if (!mine) throw new Error('nothing was recorded');
    expect(await server.owner.call(auditApi.get, { params: { id: mine.id } })).toEqual(mine);
    const other = await insertSecondTenant(server);
    const headers = { 'x-pangolin-tenant': other.tenantId };
    await mint(server, server.owner, { tenant_id: other.tenantId });
    await server.owner.call(auditApi.checkpoint, { headers });
    const [theirs] = await server.owner.call(auditApi.list, { headers });
    const eve = await createLoggedIn(server, 'eve', 'tenant-admin');
    const refused = async (id: string) => {
      const { request_id: _, ...problem } = await eve.caller.refused(auditApi.get, { params: { id } });
      return problem;
    };
    const unknown = await refused('01900000-0000-7000-8000-000000000000');
    expect(unknown).toMatchObject({ status: 404, code: 'not_found' });
    expect(await refused(theirs?.id ?? '')).toEqual(unknown);
    const [system] = await server.owner.call(auditApi.list, { query: { chain: 'system' } });
    expect(await refused(system?.id ?? '')).toEqual(unknown);
    expect(
      await server.owner.call(auditApi.get, { params: { id: system?.id ?? '' }, query: { chain: 'system' } }),
    ).toEqual(system);
  });

  test('the order of the chain pages to its end', async () => {
    await record(5);
    const seen: number[] = [];
    let path: string | undefined = '/api/v1/audit?order=asc&limit=2&after_seq=1';
    while (path !== undefined) {
      const page = await server.owner.send('GET', path);
      seen.push(...(page.json as { seq: number }[]).map(({ seq }) => seq));
      path = /^<(.+)>; rel="next"$/.exec(page.headers.get('link') ?? '')?.[1];
    }
    expect(seen).toEqual([2, 3, 4, 5]);
    expect(await server.owner.refused(auditApi.list, { query: { order: 'random' } })).toMatchObject({ status: 400 });
    expect(await server.owner.refused(auditApi.count, { query: { limit: 3 } })).toMatchObject({ status: 400 });
    expect(await server.owner.refused(auditApi.verify, { query: { limit: 0 } })).toMatchObject({ status: 400 });
    expect(await server.owner.refused(auditApi.checkpoint, { query: { chain: 'mine' } })).toMatchObject({
      status: 400,
    });
  });
});

test('names that no encoding has are recorded as they can be stored, and still verify', async () => {
  await change((tx) =>
    createAuditEvent(tx, {
      id: server.deps.newId(),
      time: server.clock.nowMs,
      chain: chain(),
      tenantId: chain(),
      by: BY_THE_SERVER,
      event: {
        action: 'test.done',
        resourceType: 'test',
        resourceId: 'a\0b',
        resourceName: `${'x'.repeat(999)}\u{1f600}`,
        details: { '\ud800': '\udfff\0"\\', b: 1, a: -0 },
      },
    }),
  );
  expect(await verify()).toMatchObject({ valid: true, events: 1 });
  const [event] = await server.owner.call(auditApi.list);
  expect(event).toMatchObject({ resource_id: 'a\ufffdb', details: { '\ud800': '\udfff\0"\\', a: 0 } });
});
