import { setTimeout as sleep } from 'node:timers/promises';
import { bearer, request } from '../process/request.ts';
import type { Lakehouse } from './lakehouse.ts';

/** For `--expires-at`. */
export const inSeconds = (seconds: number): string => new Date(Date.now() + seconds * 1000).toISOString();

/** An access token for a service user's key, as PyIceberg fetches it. */
export async function fetchToken(
  { uri }: Lakehouse,
  id: string,
  key: string,
): Promise<{ token: string; expiresIn: number }> {
  const form = { grant_type: 'client_credentials', client_id: id, client_secret: key, scope: 'catalog' };
  const { status, text } = await request(`${uri}/v1/oauth/tokens`, { form });
  if (status !== 200) throw new Error(`the token endpoint answered ${status}: ${text}`);
  const { access_token: token, expires_in: expiresIn } = JSON.parse(text);
  return { token, expiresIn };
}

/** Waits until the server answers a token with 401. */
export async function untilRefused({ uri }: Lakehouse, token: string): Promise<void> {
  const status = async () => (await request(`${uri}/v1/config`, { headers: bearer(token) })).status;
  while ((await status()) !== 401) await sleep(100);
}
