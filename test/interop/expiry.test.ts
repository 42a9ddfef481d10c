import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readClaims } from '../process/credentials.ts';
import { bearer, request } from '../process/request.ts';
import { fetchToken, inSeconds, untilRefused } from './expiry.ts';
import { createServiceUser, type Lakehouse, mintToken, openLakehouse } from './lakehouse.ts';
import { openPython, type Python } from './python.ts';

/** The server's tolerance for clocks that differ, which makes these tests wait. */
const WAIT_MS = 60_000 + 30_000;
const TABLE = 'sales.orders';

let lakehouse: Lakehouse;
let withToken: Python;
let withCredential: Python;
let firstToken: string;

// An access token ends with its service user at the latest. So a service user is given a few seconds, PyIceberg is
// connected, and then the service user's end is taken away: the token keeps its own.
beforeAll(async () => {
  lakehouse = await openLakehouse();
  const { box, settings, uri } = lakehouse;
  [withToken, withCredential] = [
    openPython('session.py', box.home, settings),
    openPython('session.py', box.home, settings),
  ];
  await withToken.call('connect', settings.properties);
  await withToken.call('create', { name: TABLE, numbers: [1] });
  const { id, key } = await createServiceUser(box, 'extended', ['--expires-at', inSeconds(8)]);
  const { token } = await fetchToken(lakehouse, id, key);
  await withToken.call('connect', lakehouse.as(token));
  await withCredential.call('connect', { type: 'rest', uri, credential: `${id}:${key}`, scope: 'catalog' });
  await withCredential.call('append', { name: TABLE, numbers: [2] });
  expect(await withToken.call('read', { name: TABLE })).toEqual([1, 2]);
  firstToken = String(await withCredential.call('bearer'));
  await takeEndAway(id);
  await untilRefused(lakehouse, firstToken);
  await untilRefused(lakehouse, token);
}, WAIT_MS);
afterAll(async () => {
  await Promise.all([withToken?.close(), withCredential?.close()]);
  await lakehouse?.close();
});

async function takeEndAway(id: string): Promise<void> {
  const headers = bearer(await mintToken(lakehouse.box, ['--role', 'tenant-admin']));
  const url = `${lakehouse.server.origin}/api/v1/service-users/${id}`;
  const { status, text } = await request(url, { method: 'PUT', headers, json: { expires_at: null } });
  expect(status, text).toBe(200);
}

describe('an access token that has expired in mid-use', () => {
  test('with a credential PyIceberg recovers by itself, in the middle of a commit too', async () => {
    expect(readClaims(firstToken).exp).toBeLessThan(Date.now() / 1000);
    await withCredential.call('append', { name: TABLE, numbers: [3] });
    expect(await withCredential.call('read', { name: TABLE })).toEqual([1, 2, 3]);
    const second = String(await withCredential.call('bearer'));
    expect(second).not.toBe(firstToken);
    expect(readClaims(second).exp - readClaims(second).iat).toBe(3600);
  });

  test('without one the next read and the next commit fail with 401', async () => {
    const unauthorized = { name: 'UnauthorizedError', message: expect.stringContaining('expired') };
    await expect(withToken.call('read', { name: TABLE })).rejects.toMatchObject(unauthorized);
    await expect(withToken.call('append', { name: TABLE, numbers: [4] })).rejects.toMatchObject(unauthorized);
    expect(await withCredential.call('read', { name: TABLE })).toEqual([1, 2, 3]);
  });
});
