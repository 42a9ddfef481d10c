import { PangolinError } from '@pangolin/shared/errors';
import type { Context } from 'hono';
import { looksLikeApiKey } from '../credentials/api-key.ts';
import type { Actor } from '../credentials/caller.ts';
import { requireAddress } from '../credentials/networks.ts';
import { verifyCredential } from '../credentials/verify-credential.ts';
import type { Deps } from '../deps.ts';
import type { Env } from '../http/env.ts';
import { readAddress, readClient, readHeader, readOrigin } from '../http/headers.ts';
import { oauthError } from './oauth-error.ts';

interface PresentedClient {
  id: string | undefined;
  secret: string;
}

/**
 * Authenticates an OAuth client (RFC 6749 §2.3.1): a service user by id or name and an API key, by HTTP Basic or in the
 * body; the key alone is enough. Undefined when the request brings no client credentials. A bearer token that comes
 * along is ignored: clients that renew send the expired one. Throws `invalid_client`.
 */
export async function authenticateClient(
  deps: Deps,
  c: Context<Env>,
  body: { client_id?: string | undefined; client_secret?: string | undefined },
): Promise<Actor | undefined> {
  const address = readAddress(c);
  const actor = await deps.failedCredentials.judge(address, async () => {
    const client = readPresented(readHeader(c, 'authorization'), body);
    return client && verifyClient(deps, client);
  });
  if (!actor) return undefined;
  c.env.caller = { actor, origin: readOrigin(c) };
  requireAddress(deps, actor, address);
  deps.lastUsed.touch(actor, deps.now(), address, readClient(c));
  return actor;
}

export const invalidClient = (cause?: unknown) =>
  oauthError(
    'invalid_client',
    'Client authentication failed: client_id must be a service user, client_secret its API key.',
    cause,
  );

async function verifyClient(deps: Deps, client: PresentedClient): Promise<Actor> {
  const actor = await verifySecret(deps, client.secret);
  const isNamed = client.id === undefined || client.id.toLowerCase() === actor.id || client.id === actor.name;
  if (!isNamed) throw invalidClient();
  return actor;
}

async function verifySecret(deps: Deps, secret: string): Promise<Actor> {
  if (!looksLikeApiKey(secret) || secret.length > 200) throw invalidClient();
  try {
    return await verifyCredential(deps, secret);
  } catch (error) {
    // Which of the checks failed is nobody's business before they have authenticated; a broken database is.
    if (error instanceof PangolinError && error.status === 401) throw invalidClient(error);
    throw error;
  }
}

function readPresented(
  authorization: string | undefined,
  body: { client_id?: string | undefined; client_secret?: string | undefined },
): PresentedClient | undefined {
  const basic =
    authorization !== undefined && /^basic /i.test(authorization)
      ? readBasic(authorization.slice('basic '.length))
      : undefined;
  if (basic === undefined)
    return body.client_secret === undefined ? undefined : { id: body.client_id, secret: body.client_secret };
  if (body.client_secret !== undefined && body.client_secret !== basic.secret) {
    throw oauthError('invalid_request', 'The request carries two client authentications (RFC 6749 section 2.3).');
  }
  return basic;
}

/** RFC 6749 §2.3.1 form-encodes both halves; some clients (PyIceberg) send them as they are. */
function readBasic(encoded: string): PresentedClient {
  const text = Buffer.from(encoded.trim(), 'base64').toString('utf8');
  const colon = text.indexOf(':');
  if (colon < 0) throw invalidClient();
  const id = decode(text.slice(0, colon));
  return { id: id === '' ? undefined : id, secret: decode(text.slice(colon + 1)) };
}

function decode(value: string): string {
  try {
    return decodeURIComponent(value.replaceAll('+', ' '));
  } catch {
    return value;
  }
}
