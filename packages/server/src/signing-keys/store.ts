import type { Insertable } from 'kysely';
import type { Executor, SigningKeysTable } from '../store/schema.ts';

export type SigningKeyRow = Awaited<ReturnType<typeof listPublishedKeys>>[number];

export const insertSigningKey = (db: Executor, row: Insertable<SigningKeysTable>) =>
  db.insertInto('signing_keys').values(row).execute();

/** Every key that signs, will sign, or verifies what it signed at a time; a handful. */
export const listKeysInUse = (db: Executor, atMs: number) =>
  db
    .selectFrom('signing_keys')
    .select(['kid', 'state', 'public_key', 'private_key', 'verify_until'])
    .where((eb) => eb.or([eb('state', '<>', 'retired'), eb('verify_until', '>', atMs)]))
    .execute();

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

/** The keys in use at a time, and those whose signature vouches for the audit log; the newest first. */
export const listPublishedKeys = (db: Executor, atMs: number) =>
  selectKeys(db)
    .where((eb) =>
      eb.or([
        eb('k.state', '<>', 'retired'),
        eb('k.verify_until', '>', atMs),
        eb.exists(eb.selectFrom('audit_checkpoints as c').select('c.kid').whereRef('c.kid', '=', 'k.kid')),
      ]),
    )
    .orderBy('k.created_at', 'desc')
    .orderBy('k.kid', 'desc')
    .execute();

/** What decides whether a signature of a key made just now will verify. */
export const findKeyState = (db: Executor, kid: string) =>
  db
    .selectFrom('signing_keys')
    .select(['state', 'retired_at', 'verify_until'])
    .where('kid', '=', kid)
    .executeTakeFirst();

export const setVerifyUntil = (db: Executor, kid: string, verifyUntilMs: number) =>
  db.updateTable('signing_keys').set({ verify_until: verifyUntilMs }).where('kid', '=', kid).execute();

export const findNextKey = (db: Executor) =>
  db.selectFrom('signing_keys').select('kid').where('state', '=', 'next').executeTakeFirst();
