import { signGrownChains } from './audit/checkpoints.ts';
import type { Deps } from './deps.ts';
import { sweepDeletedTenants } from './tenants/sweep.ts';
import { HOUR_MS, MINUTE_MS, monotonicMs } from './times.ts';
import { pruneExpiredTokens } from './tokens/tokens.ts';

const LAG_PROBE_MS = 500;

/** What a server does by itself from time to time; every server of a database does it, and none is harmed by that. */
export function startHousekeeping(deps: Deps): { stop(): void } {
  const attempt = (what: string, work: () => Promise<unknown>) => () =>
    void work().catch((err) => deps.log.warn({ err, task: what }, 'housekeeping failed'));
  const forgetOld = attempt('forget expired tokens', async () => {
    await pruneExpiredTokens(deps);
    await sweepDeletedTenants(deps);
  });
  const forgetFailures = attempt('forget failed attempts', async () => {
    await deps.failedCredentials.prune();
    await deps.loginFailures.prune();
  });
  const vouch = attempt('vouch for the audit log', () => signGrownChains(deps));
  forgetOld();
  const timers = [
    setInterval(forgetOld, HOUR_MS),
    setInterval(forgetFailures, MINUTE_MS),
    setInterval(vouch, HOUR_MS),
    setInterval(createLagProbe(deps), LAG_PROBE_MS),
  ];
  for (const timer of timers) timer.unref();
  return {
    stop() {
      for (const timer of timers) clearInterval(timer);
    },
  };
}

/** How late a timer is tells how long everything else waits. */
function createLagProbe({ metrics }: Deps): () => void {
  let lastMs = monotonicMs();
  return () => {
    const nowMs = monotonicMs();
    metrics.lagged(Math.max(0, nowMs - lastMs - LAG_PROBE_MS) / 1000);
    lastMs = nowMs;
  };
}
