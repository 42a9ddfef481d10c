import { PangolinError } from '@pangolin/shared/errors';
import type { Executor } from '../store/schema.ts';
import { MINUTE_MS } from '../times.ts';
import { findKeyState, setVerifyUntil } from './store.ts';

/** How long after its retirement a token signed by a key may arrive: its process had not heard of the rotation. */
const LATE_MS = MINUTE_MS;

/**
 * Sees to it, in the transaction that stores a token, that the key it is signed by verifies it to its end: between the
 * signature and here the key may have been retired. Throws `unavailable` when that was long ago, as for a process that was
 * frozen; whoever asked asks again, and gets a token of the new key.
 */
export async function keepVerifying(
  tx: Executor,
  { kid, expiresAtMs, nowMs }: { kid: string; expiresAtMs: number; nowMs: number },
): Promise<void> {
  const key = await findKeyState(tx, kid);
  if (key?.state === 'active') return;
  if (key?.state !== 'retired' || Number(key.retired_at) + LATE_MS < nowMs) {
    throw new PangolinError('unavailable', 'The key that signed the token has been retired meanwhile.', {
      hint: 'Try again.',
      retryAfterSeconds: 1,
    });
  }
  if (Number(key.verify_until) < expiresAtMs) await setVerifyUntil(tx, kid, expiresAtMs);
}
