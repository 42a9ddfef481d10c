import type { MasterKeyRotation } from '@pangolin/shared/contract/signing-keys';
import { PangolinError } from '@pangolin/shared/errors';
import { recordAudit } from '../audit/record.ts';
import type { Caller } from '../credentials/caller.ts';
import { transactAs } from '../credentials/recheck-credential.ts';
import type { Deps } from '../deps.ts';
import type { MasterKey } from '../installation/master-key.ts';
import { requirePermission } from '../policies/permissions.ts';
import type { Database } from '../store/database.ts';
import type { Executor } from '../store/schema.ts';
import { seal, unseal } from './sealing.ts';
import { listSealedKeys, setPrivateKey } from './store.ts';

type SealedKey = Awaited<ReturnType<typeof listSealedKeys>>[number];

const KEY_BYTES = 32;

/**
 * Seals every private part with another master key. The data directory's own file is replaced: first by the new key and
 * the old, in the transaction that seals with the new one, and once that is committed by the new one alone; killed
 * anywhere, what is in the file opens what is in the database, and the next start or rotation finishes. A key that is kept
 * elsewhere is for people to change: there the first of two keys takes the second's place.
 * Throws `conflict` where only one key is there.
 */
export async function rotateMasterKey(deps: Deps, caller: Caller): Promise<MasterKeyRotation> {
  requirePermission(caller.actor, 'signing_keys:write');
  const { db, masterKey } = deps;
  const answer = await transactAs(
    deps,
    caller,
    async (tx) => {
      const rows = await listSealedKeys(tx);
      if (masterKey.replace) prependKey(masterKey, await listAll(db, tx), deps.randomBytes(KEY_BYTES));
      const resealed = await resealAll(tx, masterKey, rows);
      if (!masterKey.replace && resealed === 0 && masterKey.use((keys) => keys.length) === 1)
        throw onlyOneKey(masterKey);
      await recordAudit(
        tx,
        deps,
        caller,
        {
          action: 'master_key.rotated',
          resourceType: 'master_key',
          resourceId: null,
          details: { source: masterKey.source, resealed },
        },
        { chain: 'system' },
      );
      return { source: masterKey.source, replaced: masterKey.replace !== null, resealed };
    },
    { credentials: 'unchanged' },
  );
  await dropUnneeded(db, masterKey);
  return answer;
}

/** Finishes what a killed rotation of the master key began; nothing happens where none was. */
export async function resumeMasterKeyRotation(db: Database, masterKey: MasterKey): Promise<void> {
  if (!masterKey.replace) return;
  if (!masterKey.wasInterrupted() && masterKey.use((keys) => keys.length) === 1) return;
  await db.transact(async (tx) => resealAll(tx, masterKey, await listSealedKeys(tx)), { credentials: 'unchanged' });
  await dropUnneeded(db, masterKey);
}

/** What is committed, and what this commit may make of it: a rotation beside this one in the same commit may be undone. */
const listAll = async (db: Database, tx: Executor): Promise<SealedKey[]> => [
  ...(await listSealedKeys(db.read)),
  ...(await listSealedKeys(tx)),
];

/** The new key goes before those that still open something. */
function prependKey(masterKey: MasterKey, rows: readonly SealedKey[], fresh: Buffer): void {
  try {
    masterKey.use((keys) => masterKey.replace?.([fresh, ...keys.filter((key) => opensAny([key], rows))]));
  } finally {
    fresh.fill(0);
  }
}

/** Seals with the first key whatever another one sealed; answers how much that was. */
async function resealAll(tx: Executor, masterKey: MasterKey, rows: readonly SealedKey[]): Promise<number> {
  const resealed = masterKey.use((keys) =>
    rows.flatMap((row) => {
      const opened = unseal(keys, row.kid, row.private_key);
      if (!opened) throw masterKey.explain((others) => opensAll(others, rows));
      return opened.by === keys[0] ? [] : [{ kid: row.kid, sealed: seal(keys, row.kid, opened.secret) }];
    }),
  );
  for (const { kid, sealed } of resealed) await setPrivateKey(tx, kid, sealed);
  return resealed.length;
}

/** Takes the keys out of the file that open nothing any more, in a transaction, so that nobody seals anything meanwhile. */
async function dropUnneeded(db: Database, masterKey: MasterKey): Promise<void> {
  if (!masterKey.replace) return;
  await db.transact(
    async (tx) => {
      const rows = await listAll(db, tx);
      masterKey.use((keys) => {
        const [first, ...others] = keys;
        const needed = others.filter((key) => opensAny([key], rows));
        if (first && (needed.length < others.length || masterKey.wasInterrupted()))
          masterKey.replace?.([first, ...needed]);
      });
    },
    { credentials: 'unchanged' },
  );
}

/** Whether these keys open every private part. */
export const opensAll = (keys: readonly Buffer[], rows: readonly SealedKey[]): boolean =>
  rows.every((row) => unseal(keys, row.kid, row.private_key) !== undefined);

const opensAny = (keys: readonly Buffer[], rows: readonly SealedKey[]): boolean =>
  rows.some((row) => unseal(keys, row.kid, row.private_key) !== undefined);

const onlyOneKey = ({ source, name }: MasterKey) =>
  new PangolinError('conflict', `${name} holds one master key, and everything is sealed with it.`, {
    hint:
      source === 'PANGOLIN_MASTER_KEY'
        ? 'Make a new one (openssl rand -base64 32), set PANGOLIN_MASTER_KEY to it, a comma and the old one, restart every server, run this again, and then take the old one out.'
        : // A file is read when it is needed: nobody has to restart.
          `Make a new one (openssl rand -base64 32), put it on a line before the old one in ${source === 'data-directory' ? "every server's master.key" : 'the file that PANGOLIN_MASTER_KEY_FILE names, on every server'}, run this again, and then take the old one out.`,
  });
