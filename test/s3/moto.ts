import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, request } from 'node:http';
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

export async function emptyMoto(): Promise<void> {
  // Nobody is checked until python/identities.py turns it on.
  await fetch(`${motoEndpoint()}/moto-api/reset-auth`, { method: 'POST', body: 'inf' });
  await fetch(`${motoEndpoint()}/moto-api/reset`, { method: 'POST' });
}

/** Empties moto, and sets what the AWS SDK reads of the environment until `vi.unstubAllEnvs`. */
export async function useMoto(environment: Record<string, string | undefined> = {}): Promise<void> {
  await emptyMoto();
  const settings = {
    AWS_ENDPOINT_URL: motoEndpoint(),
    AWS_REGION: 'eu-central-1',
    AWS_ACCESS_KEY_ID: OWN_KEYS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: OWN_KEYS.secretAccessKey,
    ...environment,
  };
  for (const [name, value] of Object.entries(settings)) vi.stubEnv(name, value);
}

export type Region = 'eu-central-1' | 'ap-southeast-2';

/** A client of the storage that has nothing to do with the server's. */
export const openClient = (
  credentials: { accessKeyId: string; secretAccessKey: string; sessionToken?: string },
  region: Region = 'eu-central-1',
) => new S3Client({ endpoint: motoEndpoint(), region, forcePathStyle: true, maxAttempts: 1, credentials });

export async function createBucket(name: string, region: Region = 'eu-central-1'): Promise<void> {
  const CreateBucketConfiguration = { LocationConstraint: region };
  await openClient(OWN_KEYS, region).send(new CreateBucketCommand({ Bucket: name, CreateBucketConfiguration }));
}

/** Runs a file of test/s3/python, which answers in JSON. */
export async function runPython(file: string, ...args: string[]): Promise<unknown> {
  const path = fileURLToPath(new URL(`./python/${file}`, import.meta.url));
  const { stdout } = await promisify(execFile)(setting('S3_TEST_PYTHON'), [path, motoEndpoint(), ...args]);
  return JSON.parse(stdout);
}

export interface Seen {
  method: string;
  url: string;
  headers: IncomingHttpHeaders;
  body: string;
  /** What was answered, as far as it has passed. */
  answer: string;
}

export interface RecordingProxy {
  url: string;
  seen: Seen[];
  /** The next request that matches is served, and its answer lost. */
  loseAnswerTo(method: string): void;
  close(): void;
}

/** Stands before moto, or another server, and notes what passes. */
export async function openProxy(target = motoEndpoint): Promise<RecordingProxy> {
  const seen: Seen[] = [];
  let lost: string | undefined;
  const server = createServer(async (incoming, outgoing) => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    const { method = '', url = '', headers } = incoming;
    const one: Seen = { method, url, headers, body: body.toString(), answer: '' };
    seen.push(one);
    const isLost = lost === method;
    if (isLost) lost = undefined;
    const forwarded = request(`${target()}${url}`, { method, headers }, (answer) => {
      if (isLost) {
        answer.resume().on('end', () => outgoing.destroy());
        return;
      }
      outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.on('data', (part: Buffer) => {
        one.answer += part.toString('latin1');
      });
      answer.pipe(outgoing);
    });
    forwarded.on('error', () => outgoing.destroy());
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
