import type { RunningServer, ServeOptions } from './serve.ts';

export { type EmbeddedServer, type OpenOptions, openEmbedded } from './embedded.ts';
export type { RunningServer, ServeOptions };

/** Serves a data directory over HTTP; what only a listening server needs is loaded now, not by every command. */
export async function startServer(options: ServeOptions): Promise<RunningServer> {
  const { startServer: start } = await import('./serve.ts');
  return start(options);
}
