import type { Log } from '../../deps.ts';
import { requireApart } from './default-warehouse.ts';
import { openLocalWarehouse } from './local.ts';
import { formatLocation, readLocation } from './location.ts';
import type { S3Clients } from './s3-clients.ts';
import type { Warehouse } from './warehouse.ts';

export interface WarehousesOptions {
  dataDir: string;
  /** Which role credentials are vended for, by its ARN; null: none was named. */
  s3RoleArn: string | null;
  /** Milliseconds since 1970. */
  now(): number;
  log: Log;
}

/** The warehouses of one server, each opened once. */
export interface Warehouses {
  /** The warehouse at a location; synchronously if it is a local one or was opened before. Touches neither disk nor network. */
  open(location: string): Promise<Warehouse> | Warehouse;
  /**
   * The normalised location, if a new catalog may keep its files there; otherwise throws `invalid_request`. Whether it is
   * another catalog's is not its question.
   */
  requireWarehouseLocation(text: string): string;
}

/** Opens warehouses as catalogs name them. What S3 needs is loaded by the first that lies there. */
export function createWarehouses(options: WarehousesOptions): Warehouses {
  const opened = new Map<string, Promise<Warehouse> | Warehouse>();
  let clients: Promise<S3Clients> | undefined;

  function keep(root: string, warehouse: Warehouse): Warehouse {
    opened.set(root, warehouse);
    return warehouse;
  }

  async function openS3(root: string): Promise<Warehouse> {
    const [{ openS3Warehouse }, { openS3Clients }] = await Promise.all([import('./s3.ts'), import('./s3-clients.ts')]);
    clients ??= openS3Clients();
    return openS3Warehouse(root, { ...options, roleArn: options.s3RoleArn, clients: await clients });
  }

  return {
    open(text) {
      const location = readLocation(text, 'The warehouse');
      const root = formatLocation(location);
      const known = opened.get(root);
      if (known) return known;
      if (location.scheme === 'file') return keep(root, openLocalWarehouse(root));
      const opening = openS3(root).then((warehouse) => keep(root, warehouse));
      opened.set(root, opening);
      opening.catch(() => opened.delete(root));
      return opening;
    },

    requireWarehouseLocation(text) {
      const location = readLocation(text, 'The warehouse');
      if (location.scheme === 'file') requireApart(options.dataDir, location);
      return formatLocation(location);
    },
  };
}
