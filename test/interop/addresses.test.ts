import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Lakehouse, openLakehouse } from './lakehouse.ts';
import { openPython, type Python } from './python.ts';

let lakehouse: Lakehouse;
let python: Python;
beforeAll(async () => {
  lakehouse = await openLakehouse();
  const { box, settings } = lakehouse;
  expect(await box.admin(['create-catalog', 'other'])).toMatchObject({ code: 0 });
  python = openPython('session.py', box.home, settings);
  await python.call('connect', settings.properties);
  await python.call('create', { name: 'a b.tab/le', numbers: [1, 2] });
});
afterAll(async () => {
  await python?.close();
  await lakehouse?.close();
});

/** The properties of `load_catalog` for every way to name the catalog, by what the documentation calls it. */
const shapes: Record<string, (origin: string) => Record<string, string>> = {
  'the catalog in the URI': (origin) => ({ uri: `${origin}/v1/default` }),
  'the catalog in the URI, with a slash at the end': (origin) => ({ uri: `${origin}/v1/default/` }),
  'the catalog as prefix': (origin) => ({ uri: origin, prefix: 'default' }),
  'the catalog as prefix, with a slash at the end of the URI': (origin) => ({ uri: `${origin}/`, prefix: 'default' }),
  'the catalog as warehouse': (origin) => ({ uri: origin, warehouse: 'default' }),
  'the catalog as warehouse, with a slash at the end of the URI': (origin) => ({
    uri: `${origin}/`,
    warehouse: 'default',
  }),
  'the catalog in the URI and as warehouse': (origin) => ({ uri: `${origin}/v1/default`, warehouse: 'default' }),
  'the catalog in the URI and as prefix': (origin) => ({ uri: `${origin}/v1/default`, prefix: 'default' }),
};

describe('PyIceberg finds the catalog by every shape of address', () => {
  test.each(Object.entries(shapes))('%s: everything works from there', async (_, shape) => {
    const { server, token } = lakehouse;
    await python.call('connect', { type: 'rest', token, ...shape(server.origin) });
    expect(await python.call('namespaces')).toContain('a b');
    expect(await python.call('read', { name: 'a b.tab/le' })).toEqual([1, 2]);
    await python.call('create', { name: 'a b.new', numbers: [7] });
    await python.call('set_property', { name: 'a b.new', key: 'k', value: 'v' });
    await python.call('rename', { source: 'a b.new', destination: 'a b.old' });
    expect(await python.call('tables', { namespace: 'a b' })).toEqual(['a b.old', 'a b.tab/le']);
    expect(await python.call('table_exists', { name: 'a b.new' })).toBe(false);
    await python.call('drop', { name: 'a b.old', purge: true });
  });

  test.each(Object.entries(shapes))('%s: a service user’s credential is exchanged there', async (title, shape) => {
    const { box, server } = lakehouse;
    const { stdout, stderr } = await box.admin(['create-service-user', '--name', title]);
    const credential = `${/id: (\S+)/.exec(stderr)?.[1]}:${stdout.trim()}`;
    await python.call('connect', { type: 'rest', credential, ...shape(server.origin) });
    expect(await python.call('read', { name: 'a b.tab/le' })).toEqual([1, 2]);
  });

  test('a warehouse that does not exist is refused', async () => {
    const { server, token } = lakehouse;
    const connect = python.call('connect', { type: 'rest', token, uri: server.origin, warehouse: 'nowhere' });
    await expect(connect).rejects.toThrow(/NoSuchWarehouse/);
  });

  test('a catalog in the URI that does not exist is refused, not taken for an empty one', async () => {
    const { server, token } = lakehouse;
    const uri = `${server.origin}/v1/nowhere`;
    const list = python.call('connect', { type: 'rest', token, uri }).then(() => python.call('namespaces'));
    await expect(list).rejects.toThrow(/nowhere/);
  });

  test('catalogs do not see each other’s tables', async () => {
    const { server, token } = lakehouse;
    await python.call('connect', { type: 'rest', token, uri: `${server.origin}/v1/other` });
    expect(await python.call('namespaces')).toEqual([]);
    await python.call('create', { name: 'a b.tab/le', numbers: [9] });
    expect(await python.call('read', { name: 'a b.tab/le' })).toEqual([9]);
    await python.call('connect', lakehouse.settings.properties);
    expect(await python.call('read', { name: 'a b.tab/le' })).toEqual([1, 2]);
  });
});
