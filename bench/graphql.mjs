import { getRequest, inParallel, measureLoad, postRequest } from './load.mjs';
import { createHome, mintToken, startPangolin } from './processes.mjs';
import { percent, perSecond, ratio } from './report.mjs';

const TOKENS = 10_000;
const PAGE = 100;
const WARM_MS = 3_000;
const PATH = '/api/graphql';

const listPage = (start, fields) => ({
  query: `{ listAccessTokens(input: {start: ${start}, count: ${PAGE}, filters: []}) { ${fields} tokens { urn tokenId actorUrn } } }`,
});

/** What DataHub's API costs beside the REST API, and how long its lists take with ten thousand tokens. */
export async function measureGraphQL(report) {
  const home = createHome();
  const { port, stop } = await startPangolin(home);
  const headers = { Authorization: `Bearer ${mintToken(home, 'root')}` };
  const ask = async (body) => {
    const answer = await fetch(`http://localhost:${port}${PATH}`, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    const { data, errors } = await answer.json();
    if (errors) throw new Error(JSON.stringify(errors));
    return data;
  };
  const time = async (body) => {
    const started = performance.now();
    await ask(body);
    return performance.now() - started;
  };
  const me = { query: '{ me { corpUser { urn username } } }' };
  report('the first GraphQL request, which loads it', `${Math.round(await time(me))} ms`);
  const { corpUser } = (await ask(me)).me;
  const create = {
    query: 'mutation ($input: CreateAccessTokenInput!) { createAccessToken(input: $input) { accessToken } }',
    variables: { input: { type: 'PERSONAL', actorUrn: corpUser.urn, duration: 'ONE_HOUR', name: 'bench' } },
  };
  process.stderr.write('minting…\n');
  await inParallel(TOKENS, 64, () => ask(create));

  const measure = (request) => measureLoad({ port, requests: [request], durationMs: WARM_MS });
  const graphql = (body) => measure(postRequest(port, PATH, headers, body));
  const rest = (path, body) => measure(body ? postRequest(port, path, headers, body) : getRequest(port, path, headers));
  for (const [what, body, path, json] of [
    ['who one is', me, '/api/v1/users/me'],
    ['a token minted', create, '/api/v1/tokens', {}],
    [`${PAGE} tokens`, listPage(0, 'start'), `/api/v1/tokens?limit=${PAGE}`],
  ]) {
    const [ours, theirs] = [await graphql(body), await rest(path, json)];
    report(`GraphQL beside REST: ${what}`, `${percent(ours, theirs)} (${perSecond(ours)})`);
  }

  const first = await median(() => time(listPage(0, 'start')));
  report(
    `a page of ${PAGE} with the total, beside one without`,
    ratio(await median(() => time(listPage(0, 'total'))), first),
  );
  report('the last page, beside the first', ratio(await median(() => time(listPage(TOKENS - PAGE, 'start'))), first));
  const started = performance.now();
  for (let start = 0; start < TOKENS; start += PAGE) await ask(listPage(start, 'start count total'));
  report(
    `${TOKENS} tokens by ${PAGE}, each page with its total`,
    `${((performance.now() - started) / 1000).toFixed(1)} s`,
  );
  await stop();
}

async function median(run) {
  const runs = [];
  for (let i = 0; i < 21; i += 1) runs.push(await run());
  return runs.sort((a, b) => a - b)[10];
}
