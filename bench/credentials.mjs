import { getRequest, inParallel, measureLoad } from './load.mjs';
import {
  createHome,
  environment,
  median,
  mintToken,
  readRss,
  startBare,
  startPangolin,
  timeCommands,
  USER_CLI,
} from './processes.mjs';
import { percent, perSecond, ratio } from './report.mjs';

const RUNS = 25;
const ROUNDS = 5;
const WARM_MS = 2_000;
const FIRST_TIME = 10_000;

/** How fast credentials are seen and minted, what the server weighs, and what a command waits. */
export async function measureCredentials(report) {
  const home = createHome();
  const pangolin = await startPangolin(home);
  const idleMiB = readRss(pangolin.pid);
  const origin = `http://localhost:${pangolin.port}`;
  const admin = mintToken(home, 'root');

  async function post(path, body) {
    const answer = await fetch(origin + path, {
      method: 'POST',
      headers: { authorization: `Bearer ${admin}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(await answer.text());
    return answer.json();
  }

  process.stderr.write('minting…\n');
  const startedMinting = performance.now();
  const tokens = (await inParallel(FIRST_TIME + 1_000, 64, () => post('/api/v1/tokens', { expires_in_days: 30 }))).map(
    (one) => one.token,
  );
  const mintsPerSecond = (tokens.length * 1000) / (performance.now() - startedMinting);
  const keys = (
    await inParallel(FIRST_TIME + 1_000, 64, (i) => post('/api/v1/service-users', { name: `bench-${i}` }))
  ).map((one) => one.api_key);

  const byToken = (token) => getRequest(pangolin.port, '/api/v1/users/me', { Authorization: `Bearer ${token}` });
  const byKey = (key) => getRequest(pangolin.port, '/api/v1/users/me', { 'X-API-Key': key });
  const body = await (
    await fetch(`${origin}/api/v1/users/me`, { headers: { authorization: `Bearer ${admin}` } })
  ).text();
  const bare = await startBare({ path: '/api/v1/users/me', body });
  const bareRequests = tokens
    .slice(0, 1_000)
    .map((token) => getRequest(bare.port, '/api/v1/users/me', { Authorization: `Bearer ${token}` }));

  const warm = { bare: [], token: [], key: [] };
  for (let round = -1; round < ROUNDS; round += 1) {
    // The round before the first warms all three up and does not count.
    const results = {
      bare: await measureLoad({ port: bare.port, requests: bareRequests, durationMs: WARM_MS }),
      token: await measureLoad({
        port: pangolin.port,
        requests: tokens.slice(0, 1_000).map(byToken),
        durationMs: WARM_MS,
      }),
      key: await measureLoad({ port: pangolin.port, requests: keys.slice(0, 1_000).map(byKey), durationMs: WARM_MS }),
    };
    if (round >= 0) for (const name of Object.keys(warm)) warm[name].push(results[name]);
  }
  // Last, so that the code is warm and only the credentials are new.
  const first = {
    token: await measureLoad({ port: pangolin.port, requests: tokens.slice(1_000).map(byToken), total: FIRST_TIME }),
    key: await measureLoad({ port: pangolin.port, requests: keys.slice(1_000).map(byKey), total: FIRST_TIME }),
  };
  const bareRate = median(warm.bare);
  report('bare Hono app, same bytes, 32 connections', perSecond(bareRate), '', '');
  report(
    'users/me by JWT, 1,000 tokens, warm',
    `${percent(median(warm.token), bareRate)} (${perSecond(median(warm.token))})`,
    '≥ 60 %',
    '80 %',
  );
  report('users/me by JWT, each seen for the first time', perSecond(first.token), '≥ 5,000/s', '');
  report(
    'users/me by API key, 1,000 keys, warm',
    `${percent(median(warm.key), bareRate)} (${perSecond(median(warm.key))})`,
    '≥ 60 %',
    '80 %',
  );
  report(
    'users/me by API key, first time',
    `${percent(first.key, bareRate)} (${perSecond(first.key)})`,
    '≥ 40 %',
    '60 %',
  );
  report('tokens minted over HTTP, durable, 64 at once', perSecond(mintsPerSecond), '', '');
  await bare.stop();
  await pangolin.stop();

  const fresh = await startPangolin(home);
  report('server memory idle', `${Math.round(Math.max(idleMiB, readRss(fresh.pid)))} MiB`, '≤ 120 MiB', '80 MiB');
  await measureLoad({
    port: fresh.port,
    requests: tokens
      .slice(0, 1_000)
      .map((token) => getRequest(fresh.port, '/api/v1/users/me', { Authorization: `Bearer ${token}` })),
    total: 100_000,
  });
  report('server memory after 100,000 requests', `${Math.round(readRss(fresh.pid))} MiB`, '≤ 160 MiB', '110 MiB');

  const overHttp = environment(home, { PANGOLIN_URL: `http://localhost:${fresh.port}`, PANGOLIN_TOKEN: admin });
  delete overHttp.PANGOLIN_DATA_DIR;
  const [node, version, served, embedded] = timeCommands(
    [
      { args: ['-e', '0'], env: environment(home) },
      { args: [USER_CLI, '--version'], env: environment(home) },
      { args: [USER_CLI, 'get-token'], env: overHttp },
      { args: [USER_CLI, 'get-token'], env: environment(home) },
    ],
    RUNS,
  );
  await fresh.stop();
  report('node -e 0', `${node.toFixed(0)} ms`, '', '');
  report('pangolin-user --version', `${ratio(version, node)} (${version.toFixed(0)} ms)`, '≤ 1.5 ×', '1.2 ×');
  report(
    'pangolin-user get-token, server on loopback',
    `${ratio(served, node)} (${served.toFixed(0)} ms)`,
    '≤ 2.2 ×',
    '1.6 ×',
  );
  report('pangolin-user get-token, embedded', `${ratio(embedded, node)} (${embedded.toFixed(0)} ms)`, '≤ 3 ×', '2.2 ×');
}
