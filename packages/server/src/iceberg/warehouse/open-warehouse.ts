import { PangolinError } from '@pangolin/shared/errors';
import type { Log } from '../../deps.ts';
import { requireApart } from './default-warehouse.ts';
import { openLocalWarehouse } from './local.ts';
import { formatLocation, readLocation } from './location.ts';
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

  function keep(root: string, warehouse: Warehouse): Warehouse {
    opened.set(root, warehouse);
    return warehouse;
  }

  async function openLate(root: string): Promise<Warehouse> {
    throw new PangolinError('unavailable', `The warehouse ${root} cannot be opened: S3 is not served yet`);
  }

  return {
    open(text) {
      const location = readLocation(text, 'The warehouse');
      const root = formatLocation(location);
      const known = opened.get(root);
      if (known) return known;
      if (location.scheme === 'file') return keep(root, openLocalWarehouse(root));
      const opening = openLate(root).then((warehouse) => keep(root, warehouse));
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
