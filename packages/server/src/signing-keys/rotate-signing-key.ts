import type { SigningKey, SigningKeyRotation } from '@pangolin/shared/contract/signing-keys';
import { signGrownChains } from '../audit/checkpoints.ts';
import { recordAudit } from '../audit/record.ts';
import type { Caller } from '../credentials/caller.ts';
import { transactAs } from '../credentials/recheck-credential.ts';
import type { Deps } from '../deps.ts';
import { requirePermission } from '../policies/permissions.ts';
import { DAY_MS, formatEnd, formatOptionalTime, formatTime, wholeSecond } from '../times.ts';
import { createSigningKey, storeSigningKey } from './create-signing-key.ts';
import { keyMissing } from './key-missing.ts';
import * as store from './store.ts';

/** How long a key that verifies nothing any more is still listed, as long as the tokens it signed. */
const KEEP_DEAD_MS = 30 * DAY_MS;

/**
 * Retires the key that signs, and lets the next one sign. Nothing is invalidated: the retired key verifies until the last
 * token that was issued by now ends. Its private part is destroyed.
 */
export async function rotateSigningKey(deps: Deps, caller: Caller): Promise<SigningKeyRotation> {
  requirePermission(caller.actor, 'signing_keys:write');
  const fresh = await createSigningKey(deps.newId());
  const rotation = await transactAs(deps, caller, async (tx) => {
    const [active, next] = [await store.findKeyIn(tx, 'active'), await store.findKeyIn(tx, 'next')];
    if (!active || !next) throw keyMissing(active ? 'next' : 'active');
    const now = deps.now();
    const verifyUntilMs = await store.findLastExpiry(tx, now);
    await store.retireKey(tx, active.kid, { retiredAtMs: now, verifyUntilMs });
    await store.activateKey(tx, next.kid, now);
    await storeSigningKey(tx, deps.masterKey, fresh, { state: 'next', createdAtMs: now });
    await store.deleteKeysDeadSince(tx, now - KEEP_DEAD_MS);
    await recordAudit(
      tx,
      deps,
      caller,
      {
        action: 'signing_key.rotated',
        resourceType: 'signing_key',
        resourceId: active.kid,
        details: { active_kid: next.kid, next_kid: fresh.kid, verify_until: formatEnd(verifyUntilMs) },
      },
      { chain: 'system' },
    );
    return {
      retired: await presentKey(tx, active.kid),
      active: await presentKey(tx, next.kid),
      next: await presentKey(tx, fresh.kid),
    };
  });
  await signGrownChains(deps).catch((err) => deps.log.warn({ err }, 'audit chains not vouched for'));
  return rotation;
}

async function presentKey(tx: Parameters<typeof store.findKey>[0], kid: string): Promise<SigningKey> {
  return presentSigningKey(await store.findKey(tx, kid));
}

/** A key as the API shows it; its private part never leaves. */
export const presentSigningKey = (row: store.SigningKeyRow): SigningKey => ({
  kid: row.kid,
  state: row.state,
  algorithm: 'ES256',
  created_at: formatTime(wholeSecond(Number(row.created_at))),
  activated_at: formatOptionalTime(readTime(row.activated_at)),
  retired_at: formatOptionalTime(readTime(row.retired_at)),
  verify_until: row.verify_until === null ? null : formatEnd(Number(row.verify_until)),
  signed_checkpoint: Number(row.signed_checkpoint) === 1,
});

const readTime = (ms: number | null): number | null => (ms === null ? null : wholeSecond(Number(ms)));
