import { oauthApi } from '@pangolin/shared/contract';
import { expect } from 'vitest';
import type { TestCaller } from '../harness.ts';

export const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
export const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';

/** An OAuth error, after its form was checked (RFC 6749 section 5.2). */
export async function refusedBy(
  caller: TestCaller,
  body: Record<string, string>,
  endpoint: (typeof oauthApi)[keyof typeof oauthApi] = oauthApi.token,
  headers: Record<string, string> = {},
) {
  const outcome = await caller.ask(endpoint, { body, headers });
  expect(outcome.status, outcome.text).toBeGreaterThanOrEqual(400);
  expect(outcome.headers.get('content-type')).toBe('application/json');
  expect(outcome.headers.get('cache-control')).toBe('no-store');
  expect(outcome.headers.get('x-request-id')).not.toBeNull();
  const answer = outcome.json as { error: string; error_description: string };
  expect(Object.keys(answer).sort()).toEqual(['error', 'error_description']);
  expect(answer.error_description).toMatch(/^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/);
  return { status: outcome.status, error: answer.error, challenge: outcome.headers.get('www-authenticate') };
}

/** HTTP Basic as RFC 6749 section 2.3.1 has it: both halves form-encoded. */
export const basic = (id: string, secret: string): string =>
  `Basic ${Buffer.from(`${encodeURIComponent(id)}:${encodeURIComponent(secret)}`).toString('base64')}`;
