import { randomUUID } from 'node:crypto';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from '@photostructure/sqlite';
import { getRequest, inParallel, measureLoad } from './load.mjs';
import { createHome, median, mintToken, startPangolin } from './processes.mjs';
import { percent, perSecond } from './report.mjs';

const ASKED = 10_000;
const TOKENS = 1_000_000;
const SERVICE_USERS = 100_000;
const STARTS = 3;
const WARM_MS = 6_000;
const PAGE = 100;
const PAGES_COMPARED = 20;

/** What a request costs, and a page of a list, as an installation grows to a million tokens. */
export async function measureScale(report) {
  const [small, large] = [createHome(), createHome()];
  const admin = mintToken(small, 'root');
  const asked = await issueAsked(small, admin);
  cpSync(join(small, 'data'), join(large, 'data'), { recursive: true });
  process.stderr.write('filling…\n');
  const busyUser = fill(join(large, 'data', 'pangolin.db'));
  const [few, many] = await measureInTurn([small, large], asked);
  for (const [name, what] of [
    ['tokenFirst', 'by JWT, each seen for the first time'],
    ['keyFirst', 'by API key, first time'],
    ['warm', 'by both, warm'],
  ]) {
    report(
      `10,000 credentials ${what}: 1,000,000 tokens beside 5,000`,
      `${percent(many[name], few[name])} (${perSecond(many[name])} beside ${perSecond(few[name])})`,
      '≥ 80 %',
    );
  }
  const pages = await timePages(large, admin, busyUser);
  report(
    `slowest part of a list of ${TOKENS.toLocaleString('en')} tokens beside its first page`,
    `${(pages.slowest / pages.first).toFixed(2)} × (${pages.slowest.toFixed(1)} ms)`,
    '≤ 1.5 ×',
  );
}

/** The credentials that requests are made with: half of them tokens, half API keys. */
async function issueAsked(home, admin) {
  const pangolin = await startPangolin(home);
  const post = async (path, body) => {
    const answer = await fetch(`http://127.0.0.1:${pangolin.port}${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${admin}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(await answer.text());
    return answer.json();
  };
  const tokens = await inParallel(ASKED / 2, 64, () => post('/api/v1/tokens', { expires_in_days: 30 }));
  const keys = await inParallel(ASKED / 2, 64, (i) => post('/api/v1/service-users', { name: `asked-${i}` }));
  await pangolin.stop();
  return {
    tokens: tokens.map((one) => ({ Authorization: `Bearer ${one.token}` })),
    keys: keys.map((one) => ({ 'X-API-Key': one.api_key })),
  };
}

/** Requests per second in each home; what is seen for the first time is measured once per start of the server. */
async function measureInTurn(homes, asked) {
  const rates = homes.map(() => ({ tokenFirst: [], keyFirst: [], warm: [] }));
  for (let start = 0; start < STARTS; start += 1) {
    for (const [k, home] of homes.entries()) await measureOnce(home, asked, rates[k]);
  }
  return rates.map((of) => Object.fromEntries(Object.entries(of).map(([name, all]) => [name, median(all)])));
}

async function measureOnce(home, { tokens, keys }, rates) {
  const { port, stop } = await startPangolin(home);
  const requests = (headers) => headers.map((one) => getRequest(port, '/api/v1/users/me', one));
  const [byToken, byKey] = [requests(tokens), requests(keys)];
  // Code that never ran is slow for reasons that are not asked for here: a tenth of the credentials warms it up.
  const [hot, cold] = [(all) => all.slice(0, ASKED / 20), (all) => all.slice(ASKED / 20)];
  for (const all of [byToken, byKey]) await measureLoad({ port, requests: hot(all), total: 20_000 });
  rates.tokenFirst.push(await measureLoad({ port, requests: cold(byToken), total: cold(byToken).length }));
  rates.keyFirst.push(await measureLoad({ port, requests: cold(byKey), total: cold(byKey).length }));
  rates.warm.push(await measureLoad({ port, requests: [...byToken, ...byKey], durationMs: WARM_MS }));
  await stop();
}

/** Fills the tables up, among what is there: the id of the user who owns most tokens. */
function fill(path) {
  const db = new DatabaseSync(path);
  db.exec('pragma synchronous = off; begin');
  const copy = (table, changes) => {
    const row = db.prepare(`select * from ${table} order by id limit 1`).get();
    const names = Object.keys(row);
    const insert = db.prepare(`insert into ${table} (${names.join(', ')}) values (${names.map(() => '?').join(', ')})`);
    return (i) => insert.run(...Object.values({ ...row, ...changes(i, row) }));
  };
  const busyUser = sortableId();
  const owner = db.prepare("select tenant_id, id from users where kind = 'owner'").get();
  db.prepare(
    `insert into users (id, tenant_id, kind, username, role, active, epoch, created_at)
     values (?, ?, 'user', 'busy', 'tenant-user', 1, 1, 0)`,
  ).run(busyUser, owner.tenant_id);
  const span = db.prepare('select min(created_at) as least, max(created_at) as most from tokens').get();
  const between = () => span.least + Math.random() * (span.most - span.least + 1_000);
  const insertToken = copy('tokens', () => {
    const id = sortableId(between());
    return { id, root_id: id, owner_id: busyUser, actor_id: busyUser };
  });
  for (let i = ASKED / 2; i < TOKENS; i += 1) insertToken(i);
  const insertUser = copy('service_users', (i) => ({ id: fillerId(i), name: `filler-${i}` }));
  const insertKey = copy('api_keys', (i) => ({
    id: randomUUID().replaceAll('-', '').slice(0, 12),
    service_user_id: fillerId(i),
  }));
  for (let i = ASKED / 2; i < SERVICE_USERS; i += 1) {
    insertUser(i);
    insertKey(i);
  }
  db.exec('commit; pragma wal_checkpoint(truncate); analyze');
  db.close();
  return busyUser;
}

const fillerId = (i) => `01900000-0000-7000-8000-${i.toString(16).padStart(12, '0')}`;

/** An id as the server makes them, of a time in milliseconds. */
function sortableId(timeMs = Date.now()) {
  const time = Math.floor(timeMs).toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7${randomUUID().slice(15)}`;
}

/** Walks a list from one end to the other: the first page, and the slowest stretch of pages, in milliseconds each. */
async function timePages(home, admin, userId) {
  const { port, stop } = await startPangolin(home);
  const list = `/api/v1/users/${userId}/tokens`;
  const time = async (path) => {
    const started = performance.now();
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, { headers: { authorization: `Bearer ${admin}` } });
    const text = await answer.text();
    if (!answer.ok) throw new Error(text);
    return { ms: performance.now() - started, next: /<([^>]+)>/.exec(answer.headers.get('link') ?? '')?.[1] };
  };
  const firstPage = `${list}?limit=${PAGE}`;
  const medianOf = async (path) => {
    const times = [];
    for (let i = 0; i < PAGES_COMPARED; i += 1) times.push((await time(path)).ms);
    return median(times);
  };
  await medianOf(firstPage);
  const first = await medianOf(firstPage);
  let slowest = 0;
  let at = `${list}?limit=1000`;
  for (let page = 0; at !== undefined; page += 1) {
    const { next } = await time(at);
    if (page % 50 === 0 || next === undefined)
      slowest = Math.max(slowest, await medianOf(at.replace('limit=1000', `limit=${PAGE}`)));
    at = next;
  }
  await stop();
  return { first, slowest };
}
