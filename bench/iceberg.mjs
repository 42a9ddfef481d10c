import { join } from 'node:path';
import { DatabaseSync } from '@photostructure/sqlite';
import { getRequest, measureLoad, postRequest } from './load.mjs';
import { createHome, median, mintToken, startBare, startPangolin } from './processes.mjs';
import { percent, perSecond } from './report.mjs';

const ROUNDS = 5;
const WARM_MS = 1_500;
const CONNECTIONS = 16;
const SNAPSHOTS = [1, 1_000];
const LISTED = 100_000;
const PAGE = 100;
const PAGES_COMPARED = 20;

const NAMESPACE = '/v1/default/namespaces/bench';
const SCHEMA = {
  type: 'struct',
  fields: ['id', 'event', 'amount', 'place', 'at'].map((name, k) => ({
    id: k + 1,
    name,
    type: 'string',
    required: false,
  })),
};

/** How fast tables are loaded, changed and listed. */
export async function measureIceberg(report) {
  const home = createHome();
  const token = mintToken(home, 'tenant-admin');
  const pangolin = await startPangolin(home);
  const headers = { Authorization: `Bearer ${token}` };
  const ask = async (path, json) => {
    const answer = await fetch(`http://127.0.0.1:${pangolin.port}${path}`, {
      headers: { ...headers, ...(json && { 'content-type': 'application/json' }) },
      ...(json && { method: 'POST', body: JSON.stringify(json) }),
    });
    if (!answer.ok) throw new Error(await answer.text());
    return answer.text();
  };
  const measure = (port, requests) => measureLoad({ port, requests, connections: CONNECTIONS, durationMs: WARM_MS });

  /** Rates of Pangolin and of a bare app that sends the same bytes, in turn. */
  async function compare(path, body, makeRequests) {
    const bare = await startBare({ path, body });
    const servers = [bare, pangolin].map(({ port }) => ({ port, requests: makeRequests(port), rates: [] }));
    for (let round = -1; round < ROUNDS; round += 1) {
      // The round before the first warms both up and does not count.
      for (const { port, requests, rates } of servers) {
        const rate = await measure(port, requests);
        if (round >= 0) rates.push(rate);
      }
    }
    await bare.stop();
    const [base, own] = servers.map(({ rates }) => median(rates));
    return { base, own };
  }

  await ask('/v1/default/namespaces', { namespace: ['bench'] });
  for (const count of SNAPSHOTS) {
    const path = await createTable(ask, count);
    const title = `${count.toLocaleString('en')} snapshot${count === 1 ? '' : 's'}`;
    const loaded = await ask(path);
    const size = `${Math.round(Buffer.byteLength(loaded) / 1024)} KiB`;
    const load = await compare(path, loaded, (port) => [getRequest(port, path, headers)]);
    const shown = (rates) => `${percent(rates.own, rates.base)} (${perSecond(rates.own)} of ${perSecond(rates.base)})`;
    report(`load-table, ${title}, ${size}`, shown(load), count === 1 ? '≥ 50 %' : '');
    const changed = await ask(path, setProperty('first'));
    const values = Array.from({ length: 1_000 }, (_, n) => `${n}`);
    const commit = await compare(path, changed, (port) =>
      values.map((value) => postRequest(port, path, headers, setProperty(value))),
    );
    report(
      `commit, ${title}, to one table`,
      `${perSecond(commit.own)} (${percent(commit.own, commit.base)})`,
      '≥ 300/s',
    );
  }
  await measureListing(report, { ask, measure, pangolin, home, headers });
  await pangolin.stop();
}

const setProperty = (value) => ({
  requirements: [],
  updates: [{ action: 'set-properties', updates: { bench: value } }],
});

/** A table with so many snapshots, as an engine's appends leave it; answers its path. */
async function createTable(ask, count) {
  const name = `with-${count}`;
  const { metadata } = JSON.parse(await ask(`${NAMESPACE}/tables`, { name, schema: SCHEMA }));
  const path = `${NAMESPACE}/tables/${name}`;
  const updates = Array.from({ length: count }, (_, n) => ({
    action: 'add-snapshot',
    snapshot: {
      'snapshot-id': 4_000_000_000_000_000 + n,
      ...(n > 0 && { 'parent-snapshot-id': 4_000_000_000_000_000 + n - 1 }),
      'sequence-number': n + 1,
      'timestamp-ms': metadata['last-updated-ms'] + n,
      'manifest-list': `${metadata.location}/metadata/snap-${4_000_000_000_000_000 + n}-1-${metadata['table-uuid']}.avro`,
      summary: {
        operation: 'append',
        'added-data-files': '1',
        'added-records': '1000',
        'added-files-size': '52341',
        'total-records': `${1000 * (n + 1)}`,
        'total-data-files': `${n + 1}`,
      },
      'schema-id': 0,
    },
  }));
  const last = updates.at(-1).snapshot['snapshot-id'];
  const branch = { action: 'set-snapshot-ref', 'ref-name': 'main', type: 'branch', 'snapshot-id': last };
  await ask(path, { requirements: [], updates: [...updates, branch] });
  return path;
}

/** Whether the last pages of a long list cost what the first ones do. */
async function measureListing(report, { ask, measure, pangolin, home, headers }) {
  await ask('/v1/default/namespaces', { namespace: ['crowd'] });
  await ask('/v1/default/namespaces/crowd/tables', { name: 'table', schema: SCHEMA });
  seedTables(join(home, 'data', 'pangolin.db'), LISTED - 1);
  const paths = [];
  const found = new Set();
  for (let pageToken = ''; pageToken !== null; ) {
    const path = `/v1/default/namespaces/crowd/tables?pageSize=${PAGE}&pageToken=${pageToken}`;
    const page = JSON.parse(await ask(path));
    paths.push(path);
    for (const { name } of page.identifiers) found.add(name);
    pageToken = page['next-page-token'];
  }
  if (found.size !== LISTED) throw new Error(`${found.size} tables were listed, not ${LISTED}`);
  const sides = [paths.slice(0, PAGES_COMPARED), paths.slice(-PAGES_COMPARED)].map((some) => ({
    requests: some.map((path) => getRequest(pangolin.port, path, headers)),
    rates: [],
  }));
  for (let round = -1; round < ROUNDS; round += 1) {
    for (const { requests, rates } of sides) {
      const rate = await measure(pangolin.port, requests);
      if (round >= 0) rates.push(rate);
    }
  }
  const [first, last] = sides.map(({ rates }) => median(rates));
  const pages = `pages of ${PAGE} of ${LISTED.toLocaleString('en')} tables`;
  report(
    `${pages}: the last ${PAGES_COMPARED} beside the first`,
    `${percent(last, first)} (${perSecond(last)})`,
    '≥ 80 %',
  );
}

/** Copies the row of one table, which is what its creation writes, under other names. */
function seedTables(path, count) {
  const db = new DatabaseSync(path);
  db.exec(`
    pragma busy_timeout = 5000;
    with recursive number(n) as (select 1 union all select n + 1 from number where n < ${count})
    insert into catalog_objects
    select id || '-' || n, tenant_id, catalog_id, namespace_path, printf('table-%06d', n), kind, location || '-' || n,
      metadata_location, null, 0, created_at, updated_at
    from catalog_objects, number where name = 'table' and namespace_path like 'crowd%'`);
  db.close();
}
