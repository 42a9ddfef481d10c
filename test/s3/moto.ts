import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { vi } from 'vitest';

/** The server's own keys, which nobody else may ever see. */
export const OWN_KEYS = { accessKeyId: 'AKIASERVERSOWNKEY', secretAccessKey: 'the-server-s-own-secret-key' };

function setting(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set. Run these tests by: npm run test:s3`);
  return value;
}

export const motoEndpoint = (): string => setting('S3_TEST_ENDPOINT');

/** Empties moto, and sets what the AWS SDK reads of the environment until `vi.unstubAllEnvs`. */
export async function useMoto(environment: Record<string, string | undefined> = {}): Promise<void> {
  // Nobody is checked until python/identities.py turns it on.
  await fetch(`${motoEndpoint()}/moto-api/reset-auth`, { method: 'POST', body: 'inf' });
  await fetch(`${motoEndpoint()}/moto-api/reset`, { method: 'POST' });
  const settings = {
    AWS_ENDPOINT_URL: motoEndpoint(),
    AWS_REGION: 'eu-central-1',
    AWS_ACCESS_KEY_ID: OWN_KEYS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: OWN_KEYS.secretAccessKey,
    ...environment,
  };
  for (const [name, value] of Object.entries(settings)) vi.stubEnv(name, value);
}

/** A client of the storage that has nothing to do with the server's. */
export const openClient = (credentials: { accessKeyId: string; secretAccessKey: string; sessionToken?: string }) =>
  new S3Client({ endpoint: motoEndpoint(), region: 'eu-central-1', forcePathStyle: true, maxAttempts: 1, credentials });

export async function createBucket(name: string): Promise<void> {
  const CreateBucketConfiguration = { LocationConstraint: 'eu-central-1' } as const;
  await openClient(OWN_KEYS).send(new CreateBucketCommand({ Bucket: name, CreateBucketConfiguration }));
}

/** Runs a file of test/s3/python, which answers in JSON. */
export async function runPython(file: string, ...args: string[]): Promise<unknown> {
  const path = fileURLToPath(new URL(`./python/${file}`, import.meta.url));
  const { stdout } = await promisify(execFile)(setting('S3_TEST_PYTHON'), [path, motoEndpoint(), ...args]);
  return JSON.parse(stdout);
}

interface Seen {
  method: string;
  url: string;
  body: string;
}

export interface RecordingProxy {
  url: string;
  seen: Seen[];
  /** The next request that matches is served, and its answer lost. */
  loseAnswerTo(method: string): void;
  close(): void;
}

/** Stands before moto and notes what passes. */
export async function openProxy(): Promise<RecordingProxy> {
  const seen: Seen[] = [];
  let lost: string | undefined;
  const server = createServer(async (incoming, outgoing) => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    const { method = '', url = '', headers } = incoming;
    seen.push({ method, url, body: body.toString() });
    const isLost = lost === method;
    if (isLost) lost = undefined;
    const forwarded = request(`${motoEndpoint()}${url}`, { method, headers }, (answer) => {
      if (isLost) {
        answer.resume().on('end', () => outgoing.destroy());
        return;
      }
      outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(outgoing);
    });
    forwarded.end(body);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    loseAnswerTo(method) {
      lost = method;
    },
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
