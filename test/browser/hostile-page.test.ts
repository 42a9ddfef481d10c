import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Box, openBox } from '../process/box.ts';
import { readClaims, readId } from '../process/credentials.ts';
import { isAccepted, isKeyAccepted } from '../process/request.ts';
import { type Server, startServer } from '../process/start-server.ts';
import { type HostileBrowser, openHostileBrowser } from './hostile-browser.ts';

let box: Box;
let server: Server;
let hostile: HostileBrowser;
let attackerPort: number;
let browser: Browser;
let admin: string;
let token: string;
let serviceUser: { id: string; key: string };

beforeAll(async () => {
  box = await openBox();
  admin = (await box.user(['get-token', '--role', 'tenant-admin'])).stdout.trim();
  token = (await box.user(['get-token'])).stdout.trim();
  const created = await box.admin(['create-service-user', '--name', 'etl']);
  serviceUser = { id: readId(created.stderr), key: created.stdout.trim() };
  server = await startServer(box);
  hostile = await openHostileBrowser();
  ({ browser, port: attackerPort } = hostile);
});
afterAll(async () => {
  await hostile?.close();
  await box.remove();
});

const serverPort = () => new URL(server.origin).port;

/** Everything that a request could have changed, and what was recorded of it. */
async function readState() {
  const [events, tokens, users] = await Promise.all([
    box.admin(['list-audit-events', '--json', '--limit', '1000']),
    box.user(['list-tokens', '--all', '--json']),
    box.admin(['list-service-users', '--json']),
  ]);
  const idsOf = (text: string) => JSON.parse(text).map(({ id }: { id: string }) => id);
  return {
    events: idsOf(events.stdout),
    tokens: idsOf(tokens.stdout),
    serviceUsers: idsOf(users.stdout),
    works: [
      await isAccepted(server.origin, admin),
      await isAccepted(server.origin, token),
      await isKeyAccepted(server.origin, serviceUser.key),
    ],
  };
}

interface Attack {
  method: string;
  path: string;
  headers?: Record<string, string>;
  body?: string;
}

/** What a page would ask for that knows everything: ids, a token, even a key. */
const attacks = (): Attack[] => {
  const json = { 'content-type': 'application/json' };
  const text = { 'content-type': 'text/plain' };
  const bearer = { authorization: `Bearer ${admin}` };
  const form = new URLSearchParams({ grant_type: 'client_credentials', client_secret: serviceUser.key });
  const urlencoded = { 'content-type': 'application/x-www-form-urlencoded' };
  const revoke = `/api/v1/tokens/revoke/${readClaims(token).jti}`;
  return [
    { method: 'GET', path: '/api/v1/users/me' },
    { method: 'GET', path: '/api/v1/users/me', headers: bearer },
    { method: 'GET', path: '/api/v1/service-users', headers: { 'x-api-key': serviceUser.key } },
    { method: 'GET', path: '/api/v1/app/config' },
    { method: 'POST', path: '/api/v1/tokens', headers: { ...json, ...bearer }, body: '{}' },
    { method: 'POST', path: '/api/v1/tokens', headers: text, body: '{"expires_in_days":365}' },
    { method: 'POST', path: '/api/v1/service-users', headers: { ...text, ...bearer }, body: '{"name":"planted"}' },
    { method: 'POST', path: revoke },
    { method: 'POST', path: revoke, headers: bearer },
    { method: 'POST', path: '/api/v1/users/login', headers: text, body: '{"username":"ada","password":"x"}' },
    { method: 'POST', path: '/oauth2/token', headers: urlencoded, body: form.toString() },
    { method: 'POST', path: '/v1/default/v1/oauth/tokens', headers: urlencoded, body: form.toString() },
    { method: 'POST', path: '/oauth2/revoke', headers: urlencoded, body: `token=${token}&${form}` },
    { method: 'DELETE', path: `/api/v1/service-users/${serviceUser.id}`, headers: bearer },
  ];
};

interface Seen {
  attack: string;
  /** Null where the browser let nothing through. */
  status: number | null;
  text: string;
}

/** Lets the page make every request, in each of fetch's modes, with and without the browser's credentials. */
const fetchFrom = (page: Page, base: string, modes: RequestMode[]): Promise<Seen[]> =>
  page.evaluate(
    async ({ base, modes, attacks }) => {
      const seen: Seen[] = [];
      for (const { method, path, ...init } of attacks) {
        for (const mode of modes) {
          for (const credentials of ['include', 'omit'] as const) {
            const attack = `${mode} ${credentials} ${method} ${path}`;
            try {
              const answer = await fetch(`${base}${path}`, { method, mode, credentials, ...init });
              seen.push({ attack, status: answer.status, text: await answer.text() });
            } catch {
              seen.push({ attack, status: null, text: '' });
            }
          }
        }
      }
      return seen;
    },
    { base, modes, attacks: attacks() },
  );

/** Submits a form into a frame, as a page does that does not want to be left. */
async function submitForm(page: Page, action: string, enctype: string, fields: Record<string, string>) {
  await page.evaluate(
    async ({ action, enctype, fields }) => {
      const frame = document.createElement('iframe');
      frame.name = `frame-${Math.random()}`;
      document.body.append(frame);
      const form = Object.assign(document.createElement('form'), { method: 'post', action, enctype });
      form.target = frame.name;
      for (const [name, value] of Object.entries(fields)) {
        form.append(Object.assign(document.createElement('input'), { name, value }));
      }
      document.body.append(form);
      const loaded = new Promise((resolve) => frame.addEventListener('load', resolve, { once: true }));
      form.submit();
      await loaded;
    },
    { action, enctype, fields },
  );
}

describe('a page from elsewhere', () => {
  describe.each([
    ['another port of 127.0.0.1', () => `http://127.0.0.1:${attackerPort}`, () => server.origin],
    ['another site', () => `http://evil.test:${attackerPort}`, () => server.origin],
    ['a name that leads here', () => `http://evil.test:${attackerPort}`, () => `http://evil.test:${serverPort()}`],
  ])('at %s', (_, from, to) => {
    test('reads nothing and changes nothing with fetch, even if it knows a token and a key', async () => {
      const before = await readState();
      const page = await browser.newPage();
      await page.goto(from());
      const seen = await fetchFrom(page, to(), ['cors', 'no-cors']);
      expect(seen.length).toBe(attacks().length * 4);
      expect(seen.filter(({ status, text }) => (status !== null && status !== 0) || text !== '')).toEqual([]);
      await page.close();
      expect(await readState()).toEqual(before);
    });

    test('changes nothing with a form', async () => {
      const before = await readState();
      const page = await browser.newPage();
      const statuses: number[] = [];
      page.on('response', (answer) => {
        if (answer.request().method() === 'POST') statuses.push(answer.status());
      });
      await page.goto(from());
      const { jti } = readClaims(token);
      for (const enctype of ['application/x-www-form-urlencoded', 'text/plain', 'multipart/form-data']) {
        await submitForm(page, `${to()}/api/v1/tokens/revoke/${jti}`, enctype, {});
        await submitForm(page, `${to()}/api/v1/service-users`, enctype, {
          '{"name":"planted","role":"root","x":"': '"}',
        });
        await submitForm(page, `${to()}/oauth2/token`, enctype, {
          grant_type: 'client_credentials',
          client_secret: serviceUser.key,
        });
      }
      await page.close();
      expect(await readState()).toEqual(before);
      // They did arrive, and were refused for where they came from.
      expect(statuses.filter((status) => status === 403 || status === 421)).toHaveLength(9);
    });

    test('sees nothing through an image, a script, a style sheet or a frame', async () => {
      const page = await browser.newPage();
      await page.goto(from());
      const seen = await page.evaluate(async (base) => {
        const load = (element: HTMLElement) =>
          new Promise<string>((resolve) => {
            element.addEventListener('load', () => resolve('loaded'), { once: true });
            element.addEventListener('error', () => resolve('refused'), { once: true });
            document.body.append(element);
          });
        const url = `${base}/api/v1/app/config`;
        const frame = Object.assign(document.createElement('iframe'), { src: url });
        await load(frame);
        const read = () => {
          try {
            return frame.contentDocument?.body.textContent ?? null;
          } catch {
            return null;
          }
        };
        return {
          image: await load(Object.assign(new Image(), { src: url })),
          frame: read(),
          globals: Object.keys(window).filter((name) => /auth|token|version/i.test(name)),
        };
      }, to());
      await page.close();
      expect(seen).toEqual({ image: 'refused', frame: null, globals: [] });
    });
  });
});

describe('a page whose name was moved to this machine after it was loaded', () => {
  test('is of the same origin for the browser, and is still refused everything', async () => {
    const before = await readState();
    const origin = `http://evil.test:${serverPort()}`;
    const page = await browser.newPage();
    // The page itself comes from the attacker; what it asks for next, from the server, as after DNS rebinding.
    await page.route(`${origin}/`, (route) =>
      route.fulfill({ contentType: 'text/html', body: '<!doctype html><title>hostile</title><body>' }),
    );
    await page.goto(`${origin}/`);
    const seen = await fetchFrom(page, origin, ['same-origin']);
    expect(seen.length).toBe(attacks().length * 2);
    expect(seen.filter(({ status }) => status !== 421)).toEqual([]);
    for (const secret of [admin, token, serviceUser.key]) {
      expect(seen.filter(({ text }) => text.includes(secret))).toEqual([]);
    }
    await page.close();
    expect(await readState()).toEqual(before);
  });
});

describe('what the tests above rely on', () => {
  test('the same requests do change something when they come from a program', async () => {
    const before = await readState();
    const minting = attacks().find(({ path, headers }) => path === '/api/v1/tokens' && headers?.authorization);
    const { path = '', ...init } = minting ?? {};
    expect((await fetch(`${server.origin}${path}`, init)).status).toBe(200);
    expect((await readState()).events.length).toBe(before.events.length + 1);
  });
});
