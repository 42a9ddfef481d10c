import type { Insertable } from 'kysely';
import type { Executor, SigningKeysTable } from '../store/schema.ts';

export type SigningKeyRow = Awaited<ReturnType<typeof listSigningKeys>>[number];

export const insertSigningKey = (db: Executor, row: Insertable<SigningKeysTable>) =>
  db.insertInto('signing_keys').values(row).execute();

/** Every key that signs, will sign, or verifies what it signed at a time; a handful. */
export const listKeysInUse = (db: Executor, atMs: number) =>
  selectSealed(db)
    .select(['state', 'public_key', 'verify_until'])
    .unionAll(
      db
        .selectFrom('signing_keys')
        .select(['kid', 'private_key', 'state', 'public_key', 'verify_until'])
        .where('verify_until', '>', atMs),
    )
    .execute();

/** Said twice, because an index of a part of a table is found by the very words it was made with. */
const selectSealed = (db: Executor) =>
  db
    .selectFrom('signing_keys')
    .select(['kid', 'private_key'])
    .where('state', '<>', 'retired')
    .where('state', 'in', ['active', 'next']);

const selectKeys = (db: Executor) =>
  db
    .selectFrom('signing_keys as k')
    .select(['k.kid', 'k.state', 'k.public_key', 'k.created_at', 'k.activated_at', 'k.retired_at', 'k.verify_until'])
    .select((eb) =>
      eb
        .case()
        .when(eb.exists(eb.selectFrom('audit_checkpoints as c').select('c.kid').whereRef('c.kid', '=', 'k.kid')))
        .then(1)
        .else(0)
        .end()
        .as('signed_checkpoint'),
    );

/** Newest first: ids sort by creation. `beforeKid` continues after that key. */
export function listSigningKeys(
  db: Executor,
  beforeKid: string | undefined,
  window: { limit: number; offset: number },
) {
  let query = selectKeys(db);
  if (beforeKid !== undefined) query = query.where('k.kid', '<', beforeKid);
  return query.orderBy('k.kid', 'desc').limit(window.limit).offset(window.offset).execute();
}

export async function countSigningKeys(db: Executor): Promise<number> {
  const row = await db
    .selectFrom('signing_keys')
    .select(({ fn }) => fn.countAll<number>().as('total'))
    .executeTakeFirstOrThrow();
  return Number(row.total);
}

/**
 * The keys in use at a time, and those whose signature vouches for the audit log; newest first. It looks at every key: of
 * those that are kept, few are not published.
 */
export const listPublishedKeys = (db: Executor, atMs: number) =>
  db
    .selectFrom('signing_keys as k')
    .select(['k.state', 'k.public_key'])
    .where((eb) =>
      eb.or([
        eb('k.state', '<>', 'retired'),
        eb('k.verify_until', '>', atMs),
        eb.exists(eb.selectFrom('audit_checkpoints as c').select('c.kid').whereRef('c.kid', '=', 'k.kid')),
      ]),
    )
    .orderBy('k.kid', 'desc')
    .execute();

export const findKey = (db: Executor, kid: string) => selectKeys(db).where('k.kid', '=', kid).executeTakeFirstOrThrow();

export const findKeyIn = (db: Executor, state: 'active' | 'next') =>
  selectSealed(db).where('state', '=', state).executeTakeFirst();

/** What decides whether a signature made just now will verify. */
export const findKeyState = (db: Executor, kid: string) =>
  db
    .selectFrom('signing_keys')
    .select(['state', 'retired_at', 'verify_until'])
    .where('kid', '=', kid)
    .executeTakeFirst();

export const setVerifyUntil = (db: Executor, kid: string, verifyUntilMs: number) =>
  db.updateTable('signing_keys').set({ verify_until: verifyUntilMs }).where('kid', '=', kid).execute();

/** When the token that lives longest ends; `nowMs` when none is left. */
export async function findLastExpiry(db: Executor, nowMs: number): Promise<number> {
  const row = await db
    .selectFrom('tokens')
    .select('expires_at')
    .where('expires_at', '>', nowMs)
    .orderBy('expires_at', 'desc')
    .limit(1)
    .executeTakeFirst();
  return Number(row?.expires_at ?? nowMs);
}

/** Nothing is signed by a retired key again, so its private part goes. */
export const retireKey = (db: Executor, kid: string, at: { retiredAtMs: number; verifyUntilMs: number }) =>
  db
    .updateTable('signing_keys')
    .set({ state: 'retired', private_key: '', retired_at: at.retiredAtMs, verify_until: at.verifyUntilMs })
    .where('kid', '=', kid)
    .execute();

export const activateKey = (db: Executor, kid: string, activatedAtMs: number) =>
  db.updateTable('signing_keys').set({ state: 'active', activated_at: activatedAtMs }).where('kid', '=', kid).execute();

/** Keys that verify nothing since a time, and that the audit log does not need either. */
export const deleteKeysDeadSince = (db: Executor, timeMs: number) =>
  db
    .deleteFrom('signing_keys')
    .where('verify_until', '<', timeMs)
    .where((eb) =>
      eb.not(
        eb.exists(eb.selectFrom('audit_checkpoints as c').select('c.kid').whereRef('c.kid', '=', 'signing_keys.kid')),
      ),
    )
    .execute();

/** The private parts that there are. */
export const listSealedKeys = (db: Executor) => selectSealed(db).execute();

export const setPrivateKey = (db: Executor, kid: string, sealed: string) =>
  db.updateTable('signing_keys').set({ private_key: sealed }).where('kid', '=', kid).execute();
