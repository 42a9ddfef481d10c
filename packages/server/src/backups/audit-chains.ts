import type { SqliteConnection } from '../store/sqlite.ts';
import type { Sides } from './restored-credentials.ts';

type Raw = SqliteConnection<unknown>['raw'];

/** A chain's head. */
interface Head {
  chain: string;
  seq: number;
  hash: string;
}

/** Which history each chain of the audit log has after a restore. */
export interface ChainChoice {
  /** Chains that are the backup's: the live database has less of them, or another history. */
  fromBackup: string[];
  /** Live heads of chains that went another way than the backup's, and are replaced by it. */
  replaced: Head[];
}

/**
 * Chooses each chain's history: the live one where it goes on from the backup's, so that no event since is lost, else the
 * backup's. A chain that only one side has stays.
 */
export function chooseChains(raw: Raw, { live, copy }: Sides): ChainChoice {
  const choice: ChainChoice = { fromBackup: [], replaced: [] };
  const headsOf = (side: string) => raw.prepare(`select chain, seq, hash from ${side}.audit_chains`).all() as never[];
  const liveHeads = new Map((headsOf(live) as Head[]).map((head) => [head.chain, head]));
  for (const backup of headsOf(copy) as Head[]) {
    const current = liveHeads.get(backup.chain);
    if (current && hasEvent(raw, live, backup)) continue;
    choice.fromBackup.push(backup.chain);
    if (current && !hasEvent(raw, copy, current)) choice.replaced.push(current);
  }
  return choice;
}

/** An event's hash covers all before it. */
const hasEvent = (raw: Raw, side: string, { chain, seq, hash }: Head): boolean =>
  raw.prepare(`select 1 from ${side}.audit_events where chain = ? and seq = ? and hash = ?`).get(chain, seq, hash) !==
  undefined;

/** Puts the chosen histories, and the checkpoints that vouch for them, into the live database. */
export function restoreChains(raw: Raw, { live, copy }: Sides, { fromBackup }: ChainChoice): void {
  for (const chain of fromBackup) {
    for (const table of ['audit_chains', 'audit_events', 'audit_checkpoints']) {
      raw.prepare(`delete from ${live}.${table} where chain = ?`).run(chain);
      raw.prepare(`insert into ${live}.${table} select * from ${copy}.${table} where chain = ?`).run(chain);
    }
  }
  raw.exec(`insert or ignore into ${live}.audit_checkpoints select * from ${copy}.audit_checkpoints`);
}
