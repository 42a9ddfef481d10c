import type { Deps } from '../deps.ts';
import type { Bindings } from '../http/env.ts';
import { isForwarded, readPeer } from '../http/headers.ts';
import { createNetworks, LOOPBACK_NETWORKS, type Networks } from '../networks.ts';
import { writeMetrics } from './exposition.ts';
import { findActiveKeyTime } from './store.ts';

/** How long the database may take to answer. */
const PATIENCE_MS = 1_000;

/** Who may read the metrics: networks; none: whoever is on this machine. */
export const createMetricsReaders = (blocks: readonly string[]): Networks =>
  createNetworks(blocks.length === 0 ? LOOPBACK_NETWORKS : blocks);

/** By the address at the other end of the connection, and never through a proxy. A command has no metrics. */
export function mayReadMetrics(readers: Networks, { incoming, owner }: Bindings): boolean {
  if (owner) return false;
  if (!incoming) return true;
  const peer = readPeer(incoming);
  if (peer === null || !readers.includes(peer)) return false;
  return !isForwarded(incoming.headers);
}

/** Everything that is measured, in Prometheus' text format; a database that does not answer costs its own numbers only. */
export async function readMetrics(deps: Deps): Promise<string> {
  const nowMs = deps.now();
  const keySince = await within(PATIENCE_MS, findActiveKeyTime(deps.db.read));
  const { user, system } = process.cpuUsage();
  return writeMetrics(deps.metrics, {
    version: deps.version,
    nodeVersion: process.version,
    databaseAnswers: keySince !== undefined,
    signingKeyAgeSeconds: keySince == null ? null : Math.max(0, (nowMs - keySince) / 1000),
    certificateEndsAt: deps.serving.certificateEndsAtMs === null ? null : deps.serving.certificateEndsAtMs / 1000,
    pool: deps.db.poolStats(),
    startedAtSeconds: nowMs / 1000 - process.uptime(),
    cpuSeconds: (user + system) / 1e6,
    memory: process.memoryUsage(),
  });
}

/** Undefined for what fails or takes longer. */
async function within<T>(limitMs: number, work: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), limitMs);
  });
  try {
    return await Promise.race([work.catch(() => undefined), limit]);
  } finally {
    clearTimeout(timer);
  }
}
