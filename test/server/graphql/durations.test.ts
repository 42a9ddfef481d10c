import { settingsApi } from '@pangolin/shared/contract';
import { expect, test } from 'vitest';
import { createLoggedIn, DAY_MS, HOUR_MS, mint, openTestServer, standingOf, type TestServer } from '../harness.ts';
import { createToken, data, refuseToken, userUrn } from './graphql.ts';

const ALICE = userUrn('alice');

const settle = (server: TestServer, body: object) => server.owner.call(settingsApi.update, { body });

const offered = async (server: TestServer) =>
  (
    await data(
      server.owner,
      '{ appConfig { authConfig { tokenAuthEnabled allowNoExpiry allowedAccessTokenDurations } } }',
    )
  ).appConfig;

test.each([
  [{ duration: 'ONE_HOUR' }, HOUR_MS],
  [{ duration: 'ONE_DAY' }, DAY_MS],
  [{ duration: 'ONE_WEEK' }, 7 * DAY_MS],
  [{ duration: 'ONE_MONTH' }, 30 * DAY_MS],
  [{ duration: 'THREE_MONTHS' }, 90 * DAY_MS],
  [{ duration: 'SIX_MONTHS' }, 180 * DAY_MS],
  [{ duration: 'ONE_YEAR' }, 365 * DAY_MS],
  [{ durationIso: 'PT90S' }, 90_000],
  [{ durationIso: 'P1M' }, 30 * DAY_MS],
  [{ durationIso: 'P1Y' }, 365 * DAY_MS],
  [{ durationIso: 'P1W' }, 7 * DAY_MS],
  [{ durationIso: 'P1DT12H' }, 1.5 * DAY_MS],
])('a token of %j lives so long, and says so itself', async (asked, ms) => {
  const server = await openTestServer();
  const { caller } = await createLoggedIn(server, 'alice');
  const { accessToken, metadata } = await createToken(caller, ALICE, asked);
  expect(metadata).toMatchObject({ createdAt: server.clock.nowMs, expiresAt: server.clock.nowMs + ms });
  server.clock.advance(ms - 1_000);
  expect(await standingOf(server.bearer(accessToken))).toBe('ok');
  server.clock.advance(62_000);
  expect(await standingOf(server.bearer(accessToken))).toBe('token_expired');
});

test('exactly one of the two durations is given', async () => {
  const server = await openTestServer();
  const { caller } = await createLoggedIn(server, 'alice');
  const both = await refuseToken(caller, ALICE, { durationIso: 'P1D' });
  const neither = await refuseToken(caller, ALICE, { duration: null });
  for (const { message, extensions } of [both, neither]) {
    expect(message).toContain('Give exactly one of duration (ONE_HOUR, ONE_DAY');
    expect(extensions).toEqual({ code: 400, type: 'BAD_REQUEST', classification: 'DataFetchingException' });
  }
  for (const durationIso of ['', 'P', '30', 'P-1D', 'PT0S', 'P1.5D', 'ONE_HOUR'])
    expect((await refuseToken(caller, ALICE, { duration: null, durationIso })).message).toContain('ISO 8601');
  const { metadata } = await createToken(caller, ALICE, { duration: 'ONE_DAY', durationIso: ' ' });
  expect(metadata.expiresAt).toBe(metadata.createdAt + DAY_MS);
});

test('what is longer than the tenant allows is refused with the setting and what would be accepted', async () => {
  const server = await openTestServer();
  const { caller } = await createLoggedIn(server, 'alice');
  expect((await refuseToken(caller, ALICE, { duration: 'NO_EXPIRY' })).message).toBe(
    'Tokens without expiry are not allowed here (allow_non_expiring_tokens is off). Accepted: ONE_HOUR, ONE_DAY, ONE_WEEK, ONE_MONTH, THREE_MONTHS, SIX_MONTHS, ONE_YEAR.',
  );
  await settle(server, { max_token_days: 30 });
  expect(await refuseToken(caller, ALICE, { duration: 'THREE_MONTHS' })).toMatchObject({
    message:
      'THREE_MONTHS is longer than tokens may live here (max_token_days is 30). Accepted: ONE_HOUR, ONE_DAY, ONE_WEEK, ONE_MONTH, or a durationIso of at most P30D.',
    extensions: { code: 400, type: 'BAD_REQUEST' },
  });
  expect((await refuseToken(caller, ALICE, { duration: null, durationIso: 'P31D' })).message).toContain(
    'P31D is longer',
  );
  expect((await refuseToken(caller, ALICE, { duration: null, durationIso: 'P9999Y' })).message).toContain('is longer');
  await createToken(caller, ALICE, { duration: 'ONE_MONTH' });
});

test('a tenant may offer some durations alone', async () => {
  const server = await openTestServer();
  const { caller } = await createLoggedIn(server, 'alice');
  expect(await offered(server)).toEqual({
    authConfig: {
      tokenAuthEnabled: true,
      allowNoExpiry: false,
      allowedAccessTokenDurations: ['PT1H', 'P1D', 'P7D', 'P30D', 'P90D', 'P180D', 'P365D'],
    },
  });
  for (const durationIso of ['PT1H', 'P365D']) await createToken(caller, ALICE, { durationIso });
  await settle(server, { allowed_token_durations: ['ONE_HOUR', 'ONE_YEAR', 'NO_EXPIRY'], max_token_days: 100 });
  expect(await offered(server)).toMatchObject({
    authConfig: { allowNoExpiry: false, allowedAccessTokenDurations: ['PT1H'] },
  });
  expect((await refuseToken(caller, ALICE, { duration: 'ONE_DAY' })).message).toBe(
    'ONE_DAY is not among the durations of this tenant (allowed_token_durations). Accepted: ONE_HOUR.',
  );
  expect((await refuseToken(caller, ALICE, { duration: null, durationIso: 'PT59M' })).message).toContain(
    'allowed_token_durations',
  );
  await createToken(caller, ALICE, { duration: null, durationIso: 'PT60M' });
  await settle(server, { allow_non_expiring_tokens: true });
  expect(await offered(server)).toMatchObject({
    authConfig: { allowNoExpiry: true, allowedAccessTokenDurations: ['PT1H'] },
  });
});

test('a token without expiry does not expire', async () => {
  const server = await openTestServer();
  const { caller } = await createLoggedIn(server, 'alice');
  await settle(server, { allow_non_expiring_tokens: true });
  const { accessToken, metadata } = await createToken(caller, ALICE, { duration: 'NO_EXPIRY' });
  expect(metadata.expiresAt).toBeNull();
  server.clock.advance(5_000 * DAY_MS);
  expect(await standingOf(server.bearer(accessToken))).toBe('ok');
});

test('a token made with a token does not outlive it, and dies with it', async () => {
  const server = await openTestServer();
  const { caller } = await createLoggedIn(server, 'alice');
  const parent = await mint(server, caller, { expires_in_days: 10 });
  expect((await refuseToken(parent.caller, ALICE, { duration: 'ONE_MONTH' })).message).toBe(
    'A token cannot outlive the credential it is minted with, which ends at 2026-12-02T12:00:00Z. Ask for less, or mint it after an interactive login: pangolin-user login',
  );
  const child = await createToken(parent.caller, ALICE, { duration: 'ONE_WEEK' });
  await data(caller, `mutation { revokeAccessToken(tokenId: "${parent.id}") }`);
  expect(await standingOf(server.bearer(child.accessToken))).toBe('token_revoked');
});

test('a name and a description are read as everywhere else', async () => {
  const server = await openTestServer();
  const { caller } = await createLoggedIn(server, 'alice');
  for (const name of ['', ' x', 'a\u0000b', 'x'.repeat(256), '\u202Ex'])
    expect((await refuseToken(caller, ALICE, { name })).message).toMatch(/^The field 'name' must/);
  expect((await refuseToken(caller, ALICE, { name: '' })).message).toBe("The field 'name' must not be empty.");
  expect((await refuseToken(caller, ALICE, { description: 'x'.repeat(1_001) })).message).toMatch(
    /^The field 'description'/,
  );
  const { metadata } = await createToken(caller, ALICE, { name: 'größe ✓', description: '' });
  expect(metadata.name).toBe('größe ✓');
});

test('more tokens than one may have are refused', async () => {
  const server = await openTestServer();
  const { caller } = await createLoggedIn(server, 'alice');
  await settle(server, { max_tokens_per_user: 1 });
  await createToken(caller, ALICE);
  expect(await refuseToken(caller, ALICE)).toMatchObject({
    message: expect.stringContaining('1 is the most allowed here'),
    extensions: { code: 400, type: 'BAD_REQUEST' },
  });
});
