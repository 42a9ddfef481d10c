import type { RunningServer, ServeOptions } from './serve.ts';

export type { Backup } from './backups/backup.ts';
export type { Restore, Restored, RestorePlan } from './backups/restore.ts';
export type { SurvivingCredential } from './backups/surviving-credentials.ts';
export type { CopiedTable } from './data-migration/copy-tables.ts';
export { type EmbeddedServer, type OpenOptions, openEmbedded } from './embedded.ts';
export type { RunningServer, ServeOptions };

/** Serves a data directory over HTTP; what only a listening server needs is loaded now, not by every command. */
export async function startServer(options: ServeOptions): Promise<RunningServer> {
  const { startServer: start } = await import('./serve.ts');
  return start(options);
}

/** What is done to a whole data directory: backups and restoring them. */
export const loadOperations = () => import('./operations.ts');
