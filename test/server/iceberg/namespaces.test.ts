import { describe, expect, test } from 'vitest';
import { mint, openTestServer } from '../harness.ts';
import { createCatalogCaller, createTestTable } from './catalog-caller.ts';

interface Listed {
  namespaces: string[][];
  'next-page-token': string | null;
}

async function open() {
  const server = await openTestServer();
  return createCatalogCaller((await mint(server, server.owner)).caller);
}

describe('namespaces', () => {
  test('are created, loaded, changed and dropped', async () => {
    const catalog = await open();
    const created = { namespace: ['sales'], properties: { owner: 'ada' } };
    expect(await catalog.ok('POST', 'namespaces', created)).toEqual(created);
    expect(await catalog.ok('GET', 'namespaces/sales')).toEqual(created);
    expect((await catalog.send('HEAD', 'namespaces/sales')).status).toBe(204);
    const changed = await catalog.ok('POST', 'namespaces/sales/properties', {
      removals: ['owner', 'nothing'],
      updates: { team: 'x', ['__proto__']: 'y' },
    });
    expect(changed).toEqual({ updated: ['team', '__proto__'], removed: ['owner'], missing: ['nothing'] });
    const { text } = await catalog.send('GET', 'namespaces/sales');
    expect(text).toBe('{"namespace":["sales"],"properties":{"team":"x","__proto__":"y"}}');
    expect((await catalog.send('DELETE', 'namespaces/sales')).status).toBe(204);
    expect(await catalog.refused('GET', 'namespaces/sales')).toBe(
      '404 NoSuchNamespaceException Namespace does not exist: sales',
    );
    expect((await catalog.send('HEAD', 'namespaces/sales')).text).toBe('');
  });

  test('say what is wrong in the words that clients look for', async () => {
    const catalog = await open();
    await catalog.ok('POST', 'namespaces', { namespace: ['a'] });
    await catalog.ok('POST', 'namespaces', { namespace: ['a', 'b'] });
    const refusals: [string, string, unknown, RegExp][] = [
      ['POST', 'namespaces', { namespace: ['a', 'b'] }, /^409 AlreadyExistsException Namespace already exists: a\.b$/],
      ['POST', 'namespaces', { namespace: ['x', 'y'] }, /^404 NoSuchNamespaceException Namespace does not exist: x$/],
      ['DELETE', 'namespaces/a', undefined, /^409 NamespaceNotEmptyException Namespace a is not empty$/],
      ['DELETE', 'namespaces/zz', undefined, /^404 NoSuchNamespaceException/],
      ['GET', 'namespaces?parent=zz', undefined, /^404 NoSuchNamespaceException Namespace does not exist: zz$/],
      ['POST', 'namespaces/a/properties', { updates: { k: 'v' }, removals: ['k'] }, /^422 UnprocessableEntity/],
      ['POST', 'namespaces/a/properties', { updates: { k: 1 } }, /^400 BadRequestException The property "k" must be/],
      ['POST', 'namespaces', { namespace: [] }, /^400 BadRequestException/],
      ['POST', 'namespaces', { namespace: [''] }, /^400 BadRequestException/],
      ['POST', 'namespaces', { namespace: 'a' }, /^400 BadRequestException/],
      ['POST', 'namespaces', { namespace: ['..'] }, /^400 BadRequestException/],
      ['POST', 'namespaces', { namespace: ['a\x1fb'] }, /^400 BadRequestException/],
      ['POST', 'namespaces', '{"namespace":["a"],', /^400 BadRequestException The body is not valid JSON/],
      ['POST', 'namespaces', '[]', /^400 BadRequestException The body must be a JSON object/],
    ];
    for (const [method, path, body, expected] of refusals) {
      expect(await catalog.refused(method, path, body), `${method} ${path}`).toMatch(expected);
    }
    const typed = await catalog.refused('POST', 'namespaces', '{"namespace":["q"]}', { 'content-type': 'text/plain' });
    expect(typed).toMatch(/^415 BadRequestException/);
  });

  test('have names that need every kind of encoding', async () => {
    const catalog = await open();
    for (const name of ['a b', 'c/d', 'e.f', 'ünï', '日本', 'a+b', '100%', '%41', 'q\'"', '🦔', 'x'.repeat(255)]) {
      await catalog.ok('POST', 'namespaces', { namespace: [name] });
      await catalog.ok('POST', 'namespaces', { namespace: [name, name] });
      const one = encodeURIComponent(name);
      expect(await catalog.ok('GET', `namespaces/${one}%1F${one}`)).toMatchObject({ namespace: [name, name] });
      for (const parent of [one, encodeURIComponent(one)]) {
        const { namespaces } = await catalog.ok<Listed>('GET', `namespaces?parent=${parent}`);
        expect(namespaces, `${name} as ${parent}`).toEqual([[name, name]]);
      }
    }
    // Java's clients write a space as a plus sign; a namespace that is really called so comes first.
    expect(await catalog.ok('GET', 'namespaces/a+b')).toMatchObject({ namespace: ['a+b'] });
    await catalog.ok('POST', 'namespaces', { namespace: ['only space'] });
    expect(await catalog.ok('GET', 'namespaces/only+space')).toMatchObject({ namespace: ['only space'] });
    // Proxies that encode once more.
    expect(await catalog.ok('GET', 'namespaces/a%20b%251Fa%20b')).toMatchObject({ namespace: ['a b', 'a b'] });
  });

  test('are listed whole, or by pages for those who know pages', async () => {
    const catalog = await open();
    const names = Array.from({ length: 25 }, (_, i) => `n${String(i).padStart(2, '0')}`);
    for (const name of names) await catalog.ok('POST', 'namespaces', { namespace: [name] });
    await catalog.ok('POST', 'namespaces', { namespace: ['n00', 'child'] });
    const all = await catalog.ok<Listed>('GET', 'namespaces');
    expect(all).toEqual({ namespaces: names.map((name) => [name]), 'next-page-token': null });
    const paged: string[][] = [];
    let token: string | null = '';
    let pages = 0;
    while (token !== null) {
      const page: Listed = await catalog.ok('GET', `namespaces?pageSize=10&pageToken=${token}`);
      paged.push(...page.namespaces);
      token = page['next-page-token'];
      pages += 1;
    }
    expect(pages).toBe(3);
    expect(paged).toEqual(all.namespaces);
    const { 'next-page-token': next } = await catalog.ok<Listed>('GET', 'namespaces?pageSize=10');
    expect(await catalog.refused('GET', `namespaces?parent=n00&pageToken=${next}`)).toMatch(/^400 BadRequestException/);
    for (const bad of ['pageToken=nonsense', 'pageSize=0', 'pageSize=-1', 'pageSize=x']) {
      expect(await catalog.refused('GET', `namespaces?${bad}`), bad).toMatch(/^400 BadRequestException/);
    }
  });

  test('with tables in them stay', async () => {
    const catalog = await open();
    await createTestTable(catalog);
    expect(await catalog.refused('DELETE', 'namespaces/ns')).toMatch(/^409 NamespaceNotEmptyException/);
    await catalog.ok('DELETE', 'namespaces/ns/tables/tbl');
    await catalog.ok('DELETE', 'namespaces/ns');
  });
});
