import { createPublicKey, type KeyObject } from 'node:crypto';
import type { AuditCheckpoint } from '@pangolin/shared/contract/audit';
import {
  CHECKPOINT_TYP,
  type CheckpointClaims,
  findDifference,
  readCheckpoint,
} from '@pangolin/shared/contract/audit-checkpoint';
import type { Caller } from '../credentials/caller.ts';
import { transactAs } from '../credentials/recheck-credential.ts';
import type { Deps } from '../deps.ts';
import { isSigned } from '../signing-keys/is-signed.ts';
import type { AuditCheckpointsTable } from '../store/schema.ts';
import { formatTime } from '../times.ts';
import { presentTime } from './event-fields.ts';
import { createAuditEvent, SYSTEM_CHAIN, toSource } from './record.ts';
import { type ChainHead, insertCheckpoints, listGrownChains } from './store.ts';

const CHAINS_AT_A_TIME = 100;

/** Vouches for a chain up to now in a caller's name: that they did is the last event the checkpoint covers. */
export function createCheckpoint(deps: Deps, caller: Caller, chain: string): Promise<AuditCheckpoint> {
  const { tenantId } = caller.actor;
  return transactAs(
    deps,
    caller,
    async (tx) => {
      const head = await createAuditEvent(tx, {
        id: deps.newId(),
        time: deps.now(),
        chain,
        tenantId,
        by: toSource(caller),
        event: {
          action: 'audit_checkpoint.created',
          resourceType: 'audit_checkpoint',
          resourceId: null,
          resourceName: chain === SYSTEM_CHAIN ? SYSTEM_CHAIN : null,
        },
      });
      const signed = await signHead(deps, chain, head);
      await insertCheckpoints(tx, [toRow(signed)]);
      return signed.checkpoint;
    },
    { credentials: 'unchanged', inDeletedTenant: true },
  );
}

/**
 * Vouches for every chain that has grown since it was last vouched for; answers how many. For the server itself: at every
 * rotation of the signing key, and once in a while.
 */
export async function signGrownChains(deps: Deps): Promise<number> {
  let signed = 0;
  let after = '';
  for (;;) {
    const grown = await listGrownChains(deps.db.read, after, CHAINS_AT_A_TIME);
    const checkpoints: NewCheckpoint[] = [];
    for (const { chain, seq, hash } of grown) checkpoints.push(await signHead(deps, chain, { seq: Number(seq), hash }));
    const last = grown.at(-1);
    if (last) {
      await deps.db.transact((tx) => insertCheckpoints(tx, checkpoints.map(toRow)), { credentials: 'unchanged' });
      after = last.chain;
    }
    signed += grown.length;
    if (grown.length < CHAINS_AT_A_TIME) return signed;
  }
}

/** A checkpoint that is signed but not stored yet. */
interface NewCheckpoint {
  checkpoint: AuditCheckpoint;
  timeMs: number;
}

async function signHead(deps: Deps, chain: string, head: ChainHead): Promise<NewCheckpoint> {
  const timeMs = deps.now();
  const claims: CheckpointClaims = { iss: deps.installation.issuer, chain, ...head, time: formatTime(timeMs) };
  const { jws, kid } = await deps.signingKeys.signAs(CHECKPOINT_TYP, { ...claims });
  return { checkpoint: { ...claims, kid, signature: jws }, timeMs };
}

const toRow = ({ checkpoint: { chain, seq, hash, kid, signature }, timeMs }: NewCheckpoint): AuditCheckpointsTable => ({
  chain,
  seq,
  hash,
  time: timeMs,
  kid,
  signature,
});

/** A stored checkpoint as it is answered. */
export const presentCheckpoint = (row: AuditCheckpointsTable, issuer: string): AuditCheckpoint => ({
  chain: row.chain,
  hash: row.hash,
  iss: issuer,
  kid: row.kid,
  seq: Number(row.seq),
  signature: String(row.signature),
  time: presentTime(row.time),
});

/** The published keys by their `kid`: every key that signed a checkpoint is among them. */
export async function readCheckpointKeys({ signingKeys }: Pick<Deps, 'signingKeys'>): Promise<Map<string, KeyObject>> {
  const { keys } = await signingKeys.readJwks();
  return new Map(keys.map((key) => [String(key.kid), createPublicKey({ key, format: 'jwk' })]));
}

/** What is wrong with a checkpoint by itself, to follow "the checkpoint …"; undefined where it is sound. */
export async function findCheckpointFault(
  told: AuditCheckpoint,
  keys: ReadonlyMap<string, KeyObject>,
): Promise<string | undefined> {
  const read = readCheckpoint(told.signature);
  if (typeof read === 'string') return `has a signature that ${read}`;
  const key = keys.get(read.kid);
  if (!key || told.kid !== read.kid) return 'is signed by a key that is none of this installation';
  if (!(await isSigned(Buffer.from(read.signed), key, read.signature))) return 'has a signature that does not verify';
  const difference = findDifference(told, read.claims);
  return difference && `says another ${difference} than its signature vouches for`;
}
