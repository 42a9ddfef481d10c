import type { TableMetadata } from './table-metadata.ts';

/** What a client asks to see of a table's snapshots: all, or those that a branch or tag is at. */
export type SnapshotMode = 'all' | 'refs';

/** The metadata with the snapshots asked for; branches, tags, logs and statistics stay as they are. */
export function selectSnapshots(metadata: TableMetadata, mode: SnapshotMode): TableMetadata {
  if (mode === 'all') return metadata;
  const wanted = new Set(Object.values(metadata.refs).map((ref) => ref['snapshot-id']));
  return { ...metadata, snapshots: metadata.snapshots.filter((snapshot) => wanted.has(snapshot['snapshot-id'])) };
}
