import type { OutputStream } from './edges.ts';

/** Writes all of a text and waits until the stream has taken it; rejects with the stream's error. */
export const writeText = (stream: OutputStream, text: string): Promise<void> =>
  new Promise((resolve, reject) => {
    stream.write(text, (error) => (error ? reject(error) : resolve()));
  });

/** Whether whoever read this stream has gone away. */
export const isClosedPipe = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === 'EPIPE' || error.code === 'ERR_STREAM_DESTROYED');
