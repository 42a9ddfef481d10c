import { usersApi } from '@pangolin/shared/contract/users';
import { PangolinError } from '@pangolin/shared/errors';
import { type Context, Hono } from 'hono';
import type { Caller } from '../credentials/caller.ts';
import type { Deps } from '../deps.ts';
import { requireCaller } from '../http/access.ts';
import { readJsonBody } from '../http/body.ts';
import type { Env } from '../http/env.ts';
import { toPangolinError } from '../http/errors.ts';
import { isOverTls, readOrigin } from '../http/headers.ts';
import { replyJson } from '../http/reply.ts';
import { formatSessionCookie } from '../http/session-cookie.ts';
import { logIn } from '../sessions/login.ts';
import { findCorpUser, readCorpUser } from './entities.ts';
import { Credentials } from './login-body.ts';
import { presentAspect, presentAspects, presentSnapshot } from './present-corp-user.ts';
import { replyDataHubError } from './reply-error.ts';
import { createServerConfig } from './server-config.ts';

type Handler = (c: Context<Env>) => Response | Promise<Response>;

/** Answers about the entity whose URN is in the path. */
type EntityReader = (caller: Caller, urn: string, query: URLSearchParams) => Promise<unknown>;

/** What DataHub's clients ask besides GraphQL. Below /api/gms is the same as at the root, the way its front end has it. */
export function datahubRoutes(deps: Deps): Hono<Env> {
  const app = new Hono<Env>();
  app.onError((error, c) => replyDataHubError(c, toPangolinError(error, deps.log, c.env.requestId)));

  const serve = (method: 'GET' | 'POST', path: string, handle: Handler): void => {
    app.on(method, path, handle);
    app.all(path, (c) => replyMethods(c, method === 'GET' ? 'GET, HEAD' : method));
  };

  const serveEntities = (name: string, read: EntityReader): void => {
    // Names may hold anything, line breaks too: those are told what is wrong.
    for (const base of [`/${name}/`, `/api/gms/${name}/`])
      serve('GET', `${base}:urn{[\\s\\S]+}`, async (c) => {
        const caller = await requireCaller(deps, c);
        const { pathname, searchParams } = new URL(c.req.url);
        return replyJson(c, await read(caller, readUrn(pathname.slice(base.length)), searchParams));
      });
  };

  for (const path of ['/config', '/api/gms/config'])
    serve('GET', path, (c) => replyJson(c, createServerConfig(deps.version, deps.publicUrl)));

  // The second is what DataHub's command line makes of an address that ends with /api/gms.
  for (const path of ['/logIn', '/api/logIn'])
    serve('POST', path, async (c) => {
      // Counted as any other login.
      c.env.endpoint = usersApi.login;
      const origin = readOrigin(c);
      const body = (await readJsonBody(c, Credentials, false)) as Credentials;
      const logged = await deps.failedCredentials.judgeLogin(origin.address, () => logIn(deps, body, origin));
      const { token, ...session } = logged;
      const seconds = Math.floor((Date.parse(session.expires_at) - deps.now()) / 1000);
      const isSecure = isOverTls(c) || deps.publicUrl?.startsWith('https:') === true;
      return replyJson(c, session, 200, { 'set-cookie': formatSessionCookie(token, seconds, isSecure) });
    });

  serveEntities('entities', async (caller, urn) => presentSnapshot(await readCorpUser(deps, caller, urn)));

  serveEntities('entitiesV2', async (caller, urn, query) =>
    presentAspects(await findCorpUser(deps, caller, urn), query.get('aspects')),
  );

  serveEntities('aspects', async (caller, urn, query) =>
    presentAspect(await readCorpUser(deps, caller, urn), query.get('aspect'), query.get('version')),
  );

  app.all('*', () => {
    throw new PangolinError('not_found', 'There is nothing at this path: this server keeps no metadata.', {
      hint: "Of DataHub's API there are /api/graphql for tokens, /entities/<urn> for users, /config and /logIn.",
    });
  });
  return app;
}

const replyMethods = (c: Context<Env>, allow: string): Response =>
  replyDataHubError(c, new PangolinError('method_not_allowed', `This path takes ${allow}, not ${c.req.method}.`), {
    allow,
  });

/** The URN in a path: its characters may be written by percent, once. Throws `invalid_request`. */
function readUrn(encoded: string): string {
  try {
    return decodeURIComponent(encoded);
  } catch (cause) {
    throw new PangolinError('invalid_request', 'The URN in the path is not percent-encoded UTF-8.', { cause });
  }
}
