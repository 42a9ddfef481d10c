import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { defaultWarehouseLocation } from '../../../../packages/server/src/iceberg/warehouse/default-warehouse.ts';
import { createWarehouses, type Warehouses } from '../../../../packages/server/src/iceberg/warehouse/open-warehouse.ts';

let box: string;
let dataDir: string;
let warehouses: Warehouses;

beforeEach(() => {
  box = mkdtempSync(join(tmpdir(), 'pangolin-warehouses-'));
  dataDir = join(box, 'home', 'data');
  mkdirSync(dataDir, { recursive: true });
  const log = { debug() {}, info() {}, warn() {}, error() {} };
  warehouses = createWarehouses({ dataDir, s3RoleArn: null, now: () => 0, log });
});
afterEach(() => rmSync(box, { recursive: true, force: true }));

const place = (tenantId: string, catalogName: string, dir = dataDir) =>
  defaultWarehouseLocation({ dataDir: dir, tenantId, defaultTenantId: 'main', catalogName });

describe('where a catalog keeps its files when nobody says', () => {
  test('in the data directory, each tenant apart', () => {
    expect(place('main', 'default')).toBe(`file://${dataDir}/warehouse/default`);
    expect(place('other', 'default')).toBe(`file://${dataDir}/warehouses/other/default`);
    expect(place('../main', 'a b')).toMatch(/\/data\/warehouses\/_\._main-[0-9a-f]{8}\/a_b-[0-9a-f]{8}$/);
  });

  test('each of these places may be a warehouse', () => {
    for (const location of [place('main', 'default'), place('other', 'default')]) {
      expect(warehouses.requireWarehouseLocation(location)).toBe(location);
    }
  });

  test('a relative data directory is where the process is, and one that is no location is refused by name', () => {
    expect(place('main', 'c', 'data')).toBe(`file://${process.cwd()}/data/warehouse/c`);
    expect(() => place('main', 'c', '/what?/data')).toThrow(
      'The default warehouse "file:///what?/data/warehouse/c" has',
    );
  });
});

describe('what may be a warehouse', () => {
  test.each([
    ['s3://bucket', 's3://bucket'],
    ['s3a://bucket/wh/', 's3://bucket/wh'],
    ['/srv/wh/', 'file:///srv/wh'],
    ['file:/srv/wh', 'file:///srv/wh'],
  ])('%s is, as %s', (text, location) => {
    expect(warehouses.requireWarehouseLocation(text)).toBe(location);
  });

  test('a directory beside the data directory is, also one whose name begins alike', () => {
    expect(warehouses.requireWarehouseLocation(`${dataDir}-files`)).toBe(`file://${dataDir}-files`);
  });

  test('the file system, the data directory, what holds it and what else is in it are not', () => {
    symlinkSync(dataDir, join(box, 'link'));
    symlinkSync('/', join(box, 'everything'));
    const refused = ['/', 'file:///', box, join(box, 'home'), dataDir, `${dataDir}/wh`, `${dataDir}/pangolin.db`];
    const roots = [`${dataDir}/warehouse`, `${dataDir}/warehouses`, `${dataDir}/warehouses/other`];
    const links = [join(box, 'link'), join(box, 'link/wh'), join(box, 'everything')];
    for (const text of [...refused, ...roots, ...links]) {
      expect(() => warehouses.requireWarehouseLocation(text), text).toThrow(
        expect.objectContaining({
          code: 'invalid_request',
          message: expect.stringMatching(
            /^The warehouse file:.* Accepted is a directory that is used for nothing else\.$/,
          ),
        }),
      );
    }
  });

  test.each(['wh', 'gs://bucket/wh', 'file://host/wh', '/srv/../etc'])('%s is no location at all', (text) => {
    const refused = { code: 'invalid_request', message: expect.stringContaining(`The warehouse "${text}" `) };
    expect(() => warehouses.requireWarehouseLocation(text)).toThrow(expect.objectContaining(refused));
  });
});

describe('opening', () => {
  test('a local warehouse is opened at once, once, and without touching the disk', () => {
    const warehouse = warehouses.open(`${dataDir}/warehouse/default/`);
    expect(warehouse).toMatchObject({ root: `file://${dataDir}/warehouse/default` });
    expect(warehouses.open(`file:${dataDir}/warehouse/default`)).toBe(warehouse);
    expect(existsSync(`${dataDir}/warehouse`)).toBe(false);
  });

  test('credentials are vended for none of its files', async () => {
    const warehouse = await warehouses.open('/srv/wh');
    const request = { locations: ['file:///srv/wh/t'], access: 'write', principal: 'etl', endsAtMs: null } as const;
    expect(await warehouse.vend(request)).toBeNull();
  });
});
