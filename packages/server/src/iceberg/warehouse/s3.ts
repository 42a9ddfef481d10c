import { Readable } from 'node:stream';
import { DeleteObjectsCommand, GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { findWithin, formatLocation, readLocation } from './location.ts';
import type { S3Clients } from './s3-clients.ts';
import { attemptsOf, explainS3Error, nameOf, statusOf } from './s3-errors.ts';
import { createVending, type VendingOptions } from './vending.ts';
import type { Warehouse } from './warehouse.ts';
import { fileExists, fileMissing, fileOutside, fileTooLarge, MAX_FILE_BYTES } from './warehouse-errors.ts';

export interface S3WarehouseOptions extends VendingOptions {
  clients: S3Clients;
  maxFileBytes?: number;
}

const REMOVED_AT_ONCE = 1_000;
const MAX_ATTEMPTS = 5;

/** A place in a bucket as a warehouse; what it is not told by `options` it has from the SDK's own settings. */
export function openS3Warehouse(root: string, options: S3WarehouseOptions): Warehouse {
  const { clients, maxFileBytes = MAX_FILE_BYTES } = options;
  const rootLocation = readLocation(root);
  const rootText = formatLocation(rootLocation);
  const Bucket = rootLocation.bucket;
  const vending = createVending(rootText, clients, options);

  function keyOf(location: string): string {
    const found = findWithin(rootLocation, location);
    if (found) return found.path.slice(1);
    throw fileOutside(location, rootText);
  }

  async function read(location: string): Promise<Buffer> {
    const Key = keyOf(location);
    try {
      const { Body, ContentLength } = await clients.s3.send(new GetObjectCommand({ Bucket, Key }));
      if (!Body || ContentLength === undefined || ContentLength > maxFileBytes) {
        // What is given up on in the middle emits an error, which nobody else listens to.
        if (Body instanceof Readable) Body.on('error', () => {}).destroy();
        throw fileTooLarge(location, maxFileBytes);
      }
      return Buffer.from(await Body.transformToByteArray());
    } catch (error) {
      throw isMissing(error) ? fileMissing(location, error) : explainS3Error(error, Bucket);
    }
  }

  return {
    root: rootText,
    read,

    async create(location, content) {
      const Key = keyOf(location);
      const Body = Buffer.from(content);
      for (let attempt = 1; ; attempt++) {
        try {
          await clients.s3.send(new PutObjectCommand({ Bucket, Key, Body, IfNoneMatch: '*' }));
          return;
        } catch (error) {
          // Somebody's write of the same key is under way; who wins is not known yet.
          if (nameOf(error) === 'ConditionalRequestConflict' && attempt < MAX_ATTEMPTS) continue;
          if (statusOf(error) !== 412) throw explainS3Error(error, Bucket);
          // The answer to an earlier attempt may have been lost on the way, and the file is our own.
          const isRepeated = attempt > 1 || attemptsOf(error) > 1;
          if (isRepeated && (await read(location)).equals(Body)) return;
          throw fileExists(location, error);
        }
      }
    },

    async remove(locations) {
      const failures: unknown[] = [];
      const keys = locations.flatMap((location) => {
        try {
          return [keyOf(location)];
        } catch (error) {
          failures.push(error);
          return [];
        }
      });
      for (let start = 0; start < keys.length; start += REMOVED_AT_ONCE) {
        const Objects = keys.slice(start, start + REMOVED_AT_ONCE).map((Key) => ({ Key }));
        try {
          const { Errors = [] } = await clients.s3.send(
            new DeleteObjectsCommand({ Bucket, Delete: { Objects, Quiet: true } }),
          );
          const failed = Errors.find(({ Code }) => Code !== 'NoSuchKey');
          if (failed)
            failures.push({
              name: failed.Code,
              $metadata: { httpStatusCode: failed.Code === 'AccessDenied' ? 403 : 500 },
            });
        } catch (error) {
          failures.push(error);
        }
      }
      if (failures.length > 0) throw explainS3Error(failures[0], Bucket);
    },

    vend: vending.vend,
  };
}

const isMissing = (error: unknown): boolean => nameOf(error) === 'NoSuchKey' || nameOf(error) === 'NotFound';
