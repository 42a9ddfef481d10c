import { PangolinError } from '../errors.ts';
import type { TransportAnswer, TransportRequest } from './transport-types.ts';

/** Sends single requests to one origin; errors are those of the network layer. */
export interface Channel {
  send(request: TransportRequest): Promise<TransportAnswer>;
  close(): Promise<void>;
}

export interface ChannelOptions {
  origin: string;
  /** PEM texts of every authority to trust; the system's when left out. */
  authorities: string[] | undefined;
  connectTimeoutMs: number;
  answerTimeoutMs: number;
}

const MAX_ANSWER_BYTES = 32 * 1024 * 1024;

/** Gathers the body of one answer. */
export interface BodyCollector {
  /** Throws `unexpected_answer` past 32 MiB. */
  add(chunk: Buffer): void;
  text(): string;
}

export function createBodyCollector(origin: string): BodyCollector {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  return {
    add(chunk) {
      sizeBytes += chunk.length;
      if (sizeBytes > MAX_ANSWER_BYTES)
        throw new PangolinError('unexpected_answer', `${origin} answered more than 32 MiB`);
      chunks.push(chunk);
    },
    text: () => Buffer.concat(chunks).toString('utf8'),
  };
}

/** Fails with a time-out's code unless `answer` comes in time. `giveUp` ends what it waits for. */
export function withinTime<T>(answer: Promise<T>, limitMs: number, giveUp: (error: Error) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      const error = Object.assign(new Error('no whole answer in time'), { code: 'ETIMEDOUT' });
      reject(error);
      giveUp(error);
    }, limitMs);
    answer.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

/** Looks up a header among those Node and undici answer. */
export const headerReader =
  (headers: Record<string, string | string[] | undefined>) =>
  (name: string): string | null =>
    [headers[name] ?? []].flat()[0] ?? null;
