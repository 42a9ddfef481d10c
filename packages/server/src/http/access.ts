import { PangolinError } from '@pangolin/shared/errors';
import type { Context } from 'hono';
import { type Actor, type Caller, endOf } from '../credentials/caller.ts';
import { requireAddress } from '../credentials/networks.ts';
import { createOwner } from '../credentials/owner.ts';
import { ACTOR_HEADER, identifyUnauthenticated } from '../credentials/unauthenticated.ts';
import { verifyCredential } from '../credentials/verify-credential.ts';
import type { Deps } from '../deps.ts';
import { requireTenant, wasTenant } from '../tenants/read-tenant.ts';
import { DAY_MS, formatTime, wholeSecond } from '../times.ts';
import type { Env } from './env.ts';
import { readAddress, readClient, readHeader } from './headers.ts';
import { readSessionCookie } from './session-cookie.ts';

/** Credentials that end within this are announced by Pangolin-Token-Expires. */
const EXPIRES_SOON_MS = 14 * DAY_MS;

/** A bound far above every credential of ours, so that hashing one costs nothing. */
const MAX_CREDENTIAL_LENGTH = 4096;

/** How else than by its headers a request may be authenticated. */
export interface Access {
  /** Also by the cookie of a login, where neither header is: for paths that take JSON bodies alone, so no other site's forms. */
  cookie?: boolean;
}

/**
 * Answers who is asking, or throws: the one place where a request is authenticated.
 * Without a promise when the credential is known, which is nearly always.
 */
export function requireCaller(deps: Deps, c: Context<Env>, access: Access = {}): Caller | Promise<Caller> {
  if (c.env.owner) return admit(deps, c, createOwner(deps));
  if (!deps.authenticates) {
    return identifyUnauthenticated(deps, readHeader(c, ACTOR_HEADER)).then((named) => admit(deps, c, named));
  }
  const actor = deps.failedCredentials.judge(readAddress(c), () => verifyCredential(deps, readCredential(c, access)));
  return actor instanceof Promise ? actor.then((verified) => admit(deps, c, verified)) : admit(deps, c, actor);
}

/** `Authorization: Bearer`, or `X-API-Key`; a request carries one credential. */
function readCredential(c: Context<Env>, access: Access): string {
  const authorization = readHeader(c, 'authorization');
  const apiKey = readHeader(c, 'x-api-key');
  if (authorization !== undefined && apiKey !== undefined) {
    throw new PangolinError(
      'invalid_request',
      'The request carries two credentials; send Authorization or X-API-Key, not both.',
    );
  }
  const cookie = () => (access.cookie === true ? readSessionCookie(readHeader(c, 'cookie')) : undefined);
  const credential = apiKey ?? (authorization === undefined ? cookie() : readBearer(authorization));
  if (credential === undefined || credential === '') {
    throw new PangolinError('authentication_required', 'A credential is needed.', {
      hint: 'Send Authorization: Bearer <token> or X-API-Key: <key>. Mint a token: pangolin-user get-token',
    });
  }
  if (credential.length > MAX_CREDENTIAL_LENGTH) {
    throw new PangolinError('credential_malformed', 'The credential is neither a Pangolin token nor an API key.');
  }
  return credential;
}

/** RFC 6750 §2.1; the scheme's name is case-insensitive (RFC 9110 §11.1). */
function readBearer(header: string): string {
  if (/^bearer /i.test(header)) return header.slice('bearer '.length).trim();
  throw new PangolinError('credential_malformed', 'The Authorization header must be: Bearer <token>.');
}

function admit(deps: Deps, c: Context<Env>, actor: Actor): Caller | Promise<Caller> {
  const now = deps.now();
  const address = readAddress(c);
  const client = readClient(c);
  const origin = { address, client, requestId: c.env.requestId };
  c.env.caller = { actor, origin };
  requireAddress(deps, actor, address);
  const endMs = endOf(actor.credential);
  if (endMs !== null && endMs - now < EXPIRES_SOON_MS) c.env.credentialExpires = formatTime(wholeSecond(endMs));
  deps.lastUsed.touch(actor, now, address, client);
  const tenantId = readHeader(c, 'x-pangolin-tenant');
  if (tenantId === undefined || tenantId.toLowerCase() === actor.tenantId) return c.env.caller;
  return enterTenant(deps, c, actor, tenantId.toLowerCase()).then((entered) => {
    c.env.caller = { actor: entered, origin };
    return c.env.caller;
  });
}

/** Root acts in the tenant it names; for anybody else another tenant does not exist. */
async function enterTenant(deps: Deps, c: Context<Env>, actor: Actor, tenantId: string): Promise<Actor> {
  const mayEnter = actor.role === 'root' && actor.scopes.length === 0;
  if (!mayEnter)
    throw new PangolinError(
      'token_wrong_tenant',
      'The credential belongs to another tenant than X-Pangolin-Tenant names.',
    );
  // What was done in a deleted tenant can still be read and vouched for.
  const isAudit = /^\/api\/v1\/audit(?:\/|$)/.test(c.req.path);
  if (!(isAudit && (await wasTenant(deps.db.read, tenantId))))
    await requireTenant(
      deps.db.read,
      tenantId,
      'Check X-Pangolin-Tenant, or --tenant. See them: pangolin-admin list-tenants',
    );
  return { ...actor, tenantId };
}
