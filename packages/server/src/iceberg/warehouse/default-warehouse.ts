import { realpathSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { PangolinError } from '@pangolin/shared/errors';
import { directoryName } from './default-directory.ts';
import { formatLocation, type Location, readLocation } from './location.ts';

/** The default tenant's catalogs: `<data dir>/warehouse/<catalog>`. */
const OWN = 'warehouse';
/** Everybody else's: `<data dir>/warehouses/<tenant>/<catalog>`. */
const OF_TENANTS = 'warehouses';

/** Where a catalog keeps its files when nobody says. Throws `invalid_request` where the data directory's path is no location. */
export function defaultWarehouseLocation(of: {
  dataDir: string;
  tenantId: string;
  defaultTenantId: string;
  catalogName: string;
}): string {
  const place = of.tenantId === of.defaultTenantId ? [OWN] : [OF_TENANTS, directoryName(of.tenantId)];
  const parts = [asPath(resolve(of.dataDir)), ...place, directoryName(of.catalogName)];
  return formatLocation(readLocation(`file://${parts.join('/')}`, 'The default warehouse'));
}

/**
 * Refuses a directory that would mix a warehouse's files, which clients name and purge, with the server's own: the whole
 * file system, whatever holds the data directory, and whatever is in it but the default places. Throws `invalid_request`.
 */
export function requireApart(dataDir: string, location: Location): void {
  const shown = formatLocation(location);
  if (location.path === '') throw refuse(`The warehouse ${shown} is a whole file system`);
  const data = realPathOf(resolve(dataDir));
  const warehouse = realPathOf(localPath(location));
  if (warehouse === sep || isIn(warehouse, data)) throw refuse(`The warehouse ${shown} holds the server's own data`);
  if (!isIn(data, warehouse)) return;
  const [place, ...below] = relative(data, warehouse).split(sep);
  if ((place === OWN && below.length >= 1) || (place === OF_TENANTS && below.length >= 2)) return;
  throw refuse(`The warehouse ${shown} is a part of the server's own data`);
}

/** The path that a location means here. On Windows `/C:/data` is `C:\data`. */
export const localPath = ({ path }: Location): string =>
  sep === '/' ? path || '/' : path.replace(/^\/(?=[A-Za-z]:)/, '').replaceAll('/', sep);

const asPath = (path: string): string => (sep === '/' ? path : `/${path.replaceAll(sep, '/')}`);

const isIn = (directory: string, path: string): boolean =>
  path === directory || path.startsWith(directory.endsWith(sep) ? directory : directory + sep);

/** With what exists of it resolved, so that no symbolic link hides where it leads. */
function realPathOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path === dirname(path) ? path : join(realPathOf(dirname(path)), relative(dirname(path), path));
  }
}

const refuse = (problem: string) =>
  new PangolinError('invalid_request', `${problem}. Accepted is a directory that is used for nothing else.`);
