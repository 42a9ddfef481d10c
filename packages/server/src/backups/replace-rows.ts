import { PangolinError } from '@pangolin/shared/errors';
import { type Operator, recordOperation } from '../operator.ts';
import type { Executor, InstallationTable, Schema } from '../store/schema.ts';
import { quoteSql } from '../store/snapshot.ts';
import { openSqlite, retryWhileBusy, type SqliteConnection } from '../store/sqlite.ts';
import { TABLE_NAMES, type TableName } from '../store/tables.ts';
import { type ChainChoice, chooseChains, restoreChains } from './audit-chains.ts';
import type { Manifest } from './manifest.ts';
import { endCredentials, learnFromLive, narrowCredentials, type Sides } from './restored-credentials.ts';
import { findInstallation } from './store.ts';

/** The servers on the directory take turns with it: each of their transactions is short. */
const LOCK_PATIENCE_MS = 60_000;

/** What the audit log has its own rules for, what only counts failures of today, and what tells servers to look again. */
const NOT_REPLACED: readonly TableName[] = [
  'audit_chains',
  'audit_events',
  'audit_checkpoints',
  'login_failures',
  'credential_failures',
  'changes',
];

const REPLACED = TABLE_NAMES.filter((table) => !NOT_REPLACED.includes(table));

export interface Replaced {
  chains: ChainChoice;
}

type Raw = SqliteConnection<unknown>['raw'];

/** What becomes of the copy's credentials, in the order it is done. Without a live installation there is nothing to learn. */
const rulesFor = (sides: Sides, hasLive: boolean, keepCredentials: boolean, nowMs: number): string[] => [
  ...(hasLive ? learnFromLive(sides, nowMs) : []),
  ...(keepCredentials ? (hasLive ? narrowCredentials(sides, nowMs) : []) : endCredentials(sides, nowMs)),
];

/** Shows what `--keep-credentials` would leave in the copy, and leaves the copy as it was. `live`: a database, or null. */
export async function tryRules<T>(
  copy: string,
  live: string | null,
  nowMs: number,
  look: (db: Executor) => Promise<T>,
): Promise<T> {
  const { raw, kysely } = await openSqlite<Schema>(copy, { readOnly: false });
  try {
    if (live !== null) raw.exec(`attach database ${quoteSql(live)} as live`);
    raw.exec('pragma foreign_keys = off; begin');
    for (const rule of rulesFor({ live: 'live', copy: 'main' }, live !== null, true, nowMs)) raw.exec(rule);
    const seen = await look(kysely);
    raw.exec('rollback');
    return seen;
  } finally {
    await kysely.destroy();
  }
}

/**
 * Replaces the rows of a database, which servers may be using, by those of a backup's copy: in one transaction, so that
 * whoever reads sees all of it or nothing. The copy is changed too.
 * Throws `conflict` when another installation was founded meanwhile, and `storage_…`.
 */
export async function replaceRows(
  operator: Operator,
  input: {
    target: string;
    copy: string;
    installation: InstallationTable;
    keepCredentials: boolean;
    manifest: Manifest;
  },
): Promise<Replaced> {
  const { raw, kysely } = await openSqlite<Schema>(input.target, { readOnly: false });
  const sides: Sides = { live: 'main', copy: 'backup' };
  try {
    raw.exec(`attach database ${quoteSql(input.copy)} as backup`);
    await retryWhileBusy(() => raw.exec('begin immediate'), LOCK_PATIENCE_MS);
    raw.exec('pragma defer_foreign_keys = on');
    const live = await findInstallation(kysely);
    if (live && live.id !== input.installation.id) {
      throw new PangolinError('conflict', 'Another installation was founded there meanwhile. Nothing was replaced.');
    }
    for (const rule of rulesFor(sides, live !== undefined, input.keepCredentials, operator.now())) raw.exec(rule);
    moveRows(raw, sides);
    const chains = chooseChains(raw, sides);
    restoreChains(raw, sides, chains);
    await audit(operator, kysely, input, chains);
    raw.exec('commit');
    return { chains };
  } catch (error) {
    if (raw.isTransaction) raw.exec('rollback');
    throw error;
  } finally {
    await kysely.destroy();
  }
}

function moveRows(raw: Raw, { live, copy }: Sides): void {
  for (const table of [...REPLACED].reverse()) raw.exec(`delete from ${live}.${table}`);
  for (const table of REPLACED) raw.exec(`insert into ${live}.${table} select * from ${copy}.${table}`);
  raw.exec(`update ${live}.changes set
    credentials = max(credentials, (select max(credentials) from ${copy}.changes)) + 1`);
}

function audit(
  operator: Operator,
  tx: Executor,
  { installation, manifest, keepCredentials }: Parameters<typeof replaceRows>[1],
  chains: ChainChoice,
): Promise<void> {
  return recordOperation(tx, operator, installation, {
    action: 'installation.restored',
    details: {
      backup_created_at: manifest.created_at,
      backup_version: manifest.product_version,
      database_sha256: manifest.database.sha256,
      keep_credentials: keepCredentials,
      replaced_histories: chains.replaced.slice(0, 50),
    },
  });
}
