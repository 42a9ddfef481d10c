import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Box, openBox } from '../process/box.ts';
import { type Server, startServer } from '../process/start-server.ts';
import { type HostileBrowser, openHostileBrowser } from './hostile-browser.ts';

let box: Box;
let server: Server;
let hostile: HostileBrowser;
let attackerPort: number;
let browser: Browser;

beforeAll(async () => {
  box = await openBox();
  // Without a header, too, the owner may mint for whom the request names.
  await box.admin(['create-user', 'datahub', '--json']);
  server = await startServer(box, ['--no-auth']);
  hostile = await openHostileBrowser();
  ({ browser, port: attackerPort } = hostile);
});
afterAll(async () => {
  await hostile?.close();
  await box.remove();
});

const MINT = JSON.stringify({
  query:
    'mutation { createAccessToken(input: {type: PERSONAL, actorUrn: "urn:li:corpuser:datahub", duration: ONE_HOUR, name: "x"}) { accessToken } }',
});

/** What a page asks for where being there is all it takes. */
const ATTACKS = [
  { method: 'GET', path: '/api/v1/users/me' },
  { method: 'GET', path: '/api/v1/tokens' },
  { method: 'GET', path: '/v1/default/namespaces' },
  { method: 'GET', path: `/api/graphql?query=${encodeURIComponent('{ me { corpUser { urn } } }')}` },
  { method: 'GET', path: '/entities/urn:li:corpuser:datahub' },
  { method: 'POST', path: '/api/graphql', type: 'application/json', body: MINT },
  { method: 'POST', path: '/api/graphql', type: 'text/plain', body: MINT },
  { method: 'POST', path: '/api/graphql', type: 'application/x-www-form-urlencoded', body: MINT },
  { method: 'POST', path: '/api/v1/tokens', type: 'application/json', body: '{}' },
  { method: 'POST', path: '/api/v1/tokens', type: 'text/plain', body: '{}' },
];

const attackFrom = (page: Page, base: string, modes: RequestMode[]): Promise<string[]> =>
  page.evaluate(
    async ({ base, modes, attacks }) => {
      const read: string[] = [];
      for (const { method, path, type, body } of attacks)
        for (const mode of modes)
          for (const actor of [undefined, 'urn:li:corpuser:datahub']) {
            const headers = { ...(type && { 'content-type': type }), ...(actor && { 'x-datahub-actor': actor }) };
            const init = { method, mode, headers, ...(body && { body }) };
            const answer = await fetch(`${base}${path}`, init).catch(() => undefined);
            if (answer?.ok) read.push(`${mode} ${method} ${path}: ${await answer.text()}`);
          }
      return read;
    },
    { base, modes, attacks: ATTACKS },
  );

/** Whether each thing loads as a script, an image, a frame or a style sheet; and every status the browser was answered. */
async function probe(page: Page, base: string, paths: string[]) {
  const statuses = new Set<number>();
  page.on('response', (answer) => {
    if (answer.url().startsWith(base)) statuses.add(answer.status());
  });
  const loads = await page.evaluate(
    async ({ base, paths }) => {
      const load = (element: HTMLElement) =>
        new Promise<string>((resolve) => {
          element.addEventListener('load', () => resolve('loaded'), { once: true });
          element.addEventListener('error', () => resolve('refused'), { once: true });
          document.body.append(element);
        });
      const seen: string[][] = [];
      for (const path of paths) {
        const url = base + path;
        seen.push([
          await load(Object.assign(document.createElement('script'), { src: url })),
          await load(Object.assign(new Image(), { src: url })),
          await load(Object.assign(document.createElement('iframe'), { src: url })),
          await load(Object.assign(document.createElement('link'), { rel: 'stylesheet', href: url })),
        ]);
      }
      return seen;
    },
    { base, paths },
  );
  return { loads, statuses: [...statuses] };
}

/** Every token that was ever made here. */
const listMinted = async (): Promise<unknown[]> =>
  JSON.parse((await box.admin(['list-audit-events', '--action', 'token.created', '--json'])).stdout);

const port = () => new URL(server.origin).port;

describe.each([
  ['another port of 127.0.0.1', () => `http://127.0.0.1:${attackerPort}`, () => server.origin, 403],
  ['another site', () => `http://evil.test:${attackerPort}`, () => server.origin, 403],
  ['a name that leads here', () => `http://evil.test:${attackerPort}`, () => `http://evil.test:${port()}`, 421],
])('without authentication, a page at %s', (_, from, to, status) => {
  test('reads nothing and mints nothing', async () => {
    const page = await browser.newPage();
    await page.goto(from());
    expect(await attackFrom(page, to(), ['cors', 'no-cors'])).toEqual([]);
    await page.close();
    expect(await listMinted()).toEqual([]);
  });

  test('cannot tell what there is from what there is not', async () => {
    const page = await browser.newPage();
    await page.goto(from());
    const paths = ['/v1/default/namespaces', '/v1/nowhere/namespaces', '/api/v1/users/me', '/nothing'];
    const { loads, statuses } = await probe(page, to(), paths);
    await page.close();
    expect(statuses).toEqual([status]);
    expect(new Set(loads.map((one) => one.join()))).toHaveLength(1);
  });
});

test('a page whose name was moved to this machine after it was loaded is answered nothing', async () => {
  const origin = `http://evil.test:${port()}`;
  const page = await browser.newPage();
  await page.route(`${origin}/`, (route) =>
    route.fulfill({ contentType: 'text/html', body: '<!doctype html><title>hostile</title><body>' }),
  );
  await page.goto(`${origin}/`);
  expect(await attackFrom(page, origin, ['same-origin'])).toEqual([]);
  await page.close();
  expect(await listMinted()).toEqual([]);
});

test('the same requests are answered when they come from a program', async () => {
  const headers = { 'content-type': 'application/json' };
  const answers = await Promise.all([
    fetch(`${server.origin}/api/v1/users/me`),
    fetch(`${server.origin}/api/graphql`, { method: 'POST', headers, body: MINT }),
  ]);
  expect(answers.map(({ status }) => status)).toEqual([200, 200]);
  expect(await listMinted()).toHaveLength(1);
});
