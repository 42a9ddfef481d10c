import type { Surroundings } from '../client/connect-types.ts';

export type StopSignal = 'SIGINT' | 'SIGTERM';

/** A stream a program writes to; `columns` is the width of a terminal. */
export type OutputStream = NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };

/** A stream a program reads from. */
export type InputStream = NodeJS.ReadableStream & { readonly isTTY?: boolean };

/** Everything a command-line program takes from its process: its arguments, streams, signals and surroundings. */
export interface ProcessEdges extends Surroundings {
  /** Without the interpreter and the script. */
  argv: readonly string[];
  hostName: string;
  nodeVersion: string;
  /** Read only when a command asks for input. */
  stdin(): InputStream;
  stdout: OutputStream;
  stderr: OutputStream;
  /** Calls back on SIGINT and SIGTERM; answers how to stop listening. */
  onSignal(listener: (signal: StopSignal) => void): () => void;
  /** Calls back on SIGHUP, which from then on ends nothing; answers how to stop listening. */
  onReload(listener: () => void): () => void;
}
