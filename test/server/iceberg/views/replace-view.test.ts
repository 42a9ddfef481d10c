import { readdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { readAuditChain, readLastAudit } from '../../audit-chain.ts';
import { openTestServer } from '../../harness.ts';
import { OTHER_SCHEMA, replacing, sqlOf } from './sample-views.ts';
import { ask, create, openCatalogServer, refused, VIEW, VIEWS } from './view-requests.ts';

describe('replacing a view', () => {
  test('adds a version in a file numbered one higher, and is on record', async () => {
    const server = await openCatalogServer();
    const { metadata } = await create(server);
    const body = {
      identifier: { namespace: ['ns'], name: 'v' },
      requirements: [{ type: 'assert-view-uuid', uuid: metadata['view-uuid'] }],
      updates: replacing(2, sqlOf('select 2', 'trino')),
    };
    const replaced = await ask(server.owner, 'POST', VIEW, body);
    expect(replaced.metadata['current-version-id']).toBe(2);
    expect(replaced['metadata-location']).toContain('/metadata/00001-');
    expect(await ask(server.owner, 'GET', VIEW)).toEqual(replaced);
    expect(await readLastAudit(server)).toMatchObject({
      action: 'view.updated',
      resource_name: 'default.ns.v',
      details: { updates: ['add-view-version', 'set-current-view-version'] },
    });
  });

  test('by two clients that know the first version alone succeeds for both, with versions 2 and 3', async () => {
    const server = await openCatalogServer();
    const { metadata } = await create(server, { properties: { 'replace.drop-dialect.allowed': 'true' } });
    const requirements = [{ type: 'assert-view-uuid', uuid: metadata['view-uuid'] }];
    const [addVersion, setCurrent] = replacing(2, sqlOf('select count(some_id) from ns.tbl', 'spark'));
    const version = { ...(addVersion?.['view-version'] as object), 'schema-id': -1 };
    const spark = [
      { action: 'add-schema', schema: OTHER_SCHEMA },
      { ...addVersion, 'view-version': version },
      setCurrent,
    ];
    await ask(server.owner, 'POST', VIEW, { requirements, updates: spark });
    const trino = replacing(2, sqlOf('select count(id) from ns.tbl', 'trino'));
    const { metadata: last } = await ask(server.owner, 'POST', VIEW, { requirements, updates: trino });
    expect(last['current-version-id']).toBe(3);
    expect(last.versions.map((one) => [one['version-id'], one['schema-id']])).toEqual([
      [1, 0],
      [2, 1],
      [3, 0],
    ]);
  });

  test('by many clients at once through two servers loses none of them', async () => {
    const server = await openCatalogServer();
    const beside = await openTestServer({ beside: server });
    const { metadata } = await create(server);
    const requirements = [{ type: 'assert-view-uuid', uuid: metadata['view-uuid'] }];
    const queries = [1, 2, 3, 4, 5, 6].map((n) => `select ${n}`);
    await Promise.all(
      queries.map((sql, index) =>
        ask((index % 2 === 0 ? server : beside).owner, 'POST', VIEW, {
          requirements,
          updates: replacing(2, sqlOf(sql, 'trino')),
        }),
      ),
    );
    const last = await ask(beside.owner, 'GET', VIEW);
    expect(last.metadata.versions.map((one) => one['version-id'])).toEqual([1, 2, 3, 4, 5, 6, 7]);
    const stored = last.metadata.versions.slice(1).map((one) => one.representations[0]?.sql);
    expect(stored.toSorted()).toEqual(queries);
    const files = await readdir(dirname(fileURLToPath(last['metadata-location'])));
    expect(
      files.filter((name) => name.endsWith('.json')),
      'files of lost races are gone',
    ).toHaveLength(7);
  });

  test('is refused for another view’s uuid, a lost dialect and updates of tables', async () => {
    const server = await openCatalogServer();
    const { metadata } = await create(server);
    const uuid = '5a4a0b1c-2f3d-4e5f-8a9b-0c1d2e3f4a5b';
    const stale = { requirements: [{ type: 'assert-view-uuid', uuid }], updates: [] };
    expect(await refused(server.owner, 'POST', VIEW, stale)).toBe(
      `409 CommitFailedException: Requirement failed: view UUID does not match: expected ${metadata['view-uuid']} != ${uuid}`,
    );
    expect(await refused(server.owner, 'POST', VIEW, { updates: replacing(2, sqlOf('select 2', 'spark')) })).toContain(
      '400 BadRequestException: Cannot replace view due to loss of view dialects',
    );
    expect(await refused(server.owner, 'POST', VIEW, { updates: [{ action: 'add-snapshot' }] })).toContain(
      '400 BadRequest',
    );
    expect(await refused(server.owner, 'POST', VIEW, { updates: {} })).toContain('400 BadRequest');
    expect(await refused(server.owner, 'POST', `${VIEWS}/gone`, { updates: [] })).toBe(
      '404 NoSuchViewException: View does not exist: ns.gone',
    );
    expect(
      await refused(server.owner, 'POST', VIEW, { updates: [{ action: 'set-location', location: 'file:///etc' }] }),
    ).toContain("400 BadRequestException: The view's location must lie within the catalog's warehouse");
    expect((await ask(server.owner, 'GET', VIEW)).metadata).toEqual(metadata);
  });

  test('with nothing new writes no file', async () => {
    const server = await openCatalogServer();
    const view = await create(server);
    const events = (await readAuditChain(server)).length;
    expect(
      await ask(server.owner, 'POST', VIEW, { updates: replacing(2, sqlOf('select * from ns.tbl', 'trino')) }),
    ).toEqual(view);
    expect(await ask(server.owner, 'POST', VIEW, {})).toEqual(view);
    expect(await readAuditChain(server)).toHaveLength(events);
  });
});
