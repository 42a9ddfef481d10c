import { startPostgres } from '../.ci/start-postgres.mjs';
import { getRequest, inParallel, measureLoad, postRequest } from './load.mjs';
import { createHome, median, mintToken, startPangolin } from './processes.mjs';
import { percent, perSecond } from './report.mjs';

const ROUNDS = 5;
const WARM_MS = 2_000;
const TOKENS = 1_000;
const FIRST_TIME = 5_000;

/** What PostgreSQL on loopback costs beside SQLite, with the same requests in turn. */
export async function measurePostgres(report) {
  const postgres = await startPostgres();
  try {
    const sqlite = await openServer({});
    const shared = await openServer({ PANGOLIN_DATABASE_URL: postgres.url });
    const rates = { warm: [[], []], first: [], minted: [] };
    for (let round = -1; round < ROUNDS; round += 1) {
      // The round before the first warms both up and does not count.
      for (const [k, { port, requests }] of [sqlite, shared].entries()) {
        const rate = await measureLoad({ port, requests: requests.slice(0, TOKENS), durationMs: WARM_MS });
        if (round >= 0) rates.warm[k].push(rate);
      }
    }
    for (const { port, requests, admin } of [sqlite, shared]) {
      rates.first.push(await measureLoad({ port, requests: requests.slice(TOKENS), total: FIRST_TIME }));
      const mint = postRequest(port, '/api/v1/tokens', { Authorization: `Bearer ${admin}` }, { expires_in_days: 1 });
      rates.minted.push(await measureLoad({ port, requests: [mint], durationMs: WARM_MS }));
    }
    const [warmSqlite, warmShared] = rates.warm.map(median);
    const beside = ([base, own]) => `${percent(own, base)} (${perSecond(own)} beside ${perSecond(base)})`;
    report('users/me by JWT, warm: PostgreSQL beside SQLite', beside([warmSqlite, warmShared]), '≥ 40 %');
    report('users/me by JWT, first time: PostgreSQL beside SQLite', beside(rates.first));
    report('tokens minted, 32 connections: PostgreSQL beside SQLite', beside(rates.minted));
    await sqlite.stop();
    await shared.stop();
  } finally {
    await postgres.stop();
  }
}

/** A server with its tokens, ready to be presented. */
async function openServer(extra) {
  const home = createHome();
  const admin = mintToken(home, 'root', extra);
  const { port, stop } = await startPangolin(home, extra);
  const tokens = await inParallel(TOKENS + FIRST_TIME, 32, async () => {
    const answer = await fetch(`http://127.0.0.1:${port}/api/v1/tokens`, {
      method: 'POST',
      headers: { authorization: `Bearer ${admin}`, 'content-type': 'application/json' },
      body: JSON.stringify({ expires_in_days: 1 }),
    });
    if (!answer.ok) throw new Error(await answer.text());
    return (await answer.json()).token;
  });
  const requests = tokens.map((token) => getRequest(port, '/api/v1/users/me', { Authorization: `Bearer ${token}` }));
  return { port, stop, admin, requests };
}
