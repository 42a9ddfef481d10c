import { usersApi } from '@pangolin/shared/contract/users';
import { PangolinError } from '@pangolin/shared/errors';
import { type Context, Hono } from 'hono';
import type { Deps } from '../deps.ts';
import { requireCaller } from '../http/access.ts';
import { readJsonBody } from '../http/body.ts';
import type { Env } from '../http/env.ts';
import { toPangolinError } from '../http/errors.ts';
import { isOverTls, readOrigin } from '../http/headers.ts';
import { replyJson } from '../http/reply.ts';
import { formatSessionCookie } from '../http/session-cookie.ts';
import { logIn } from '../sessions/login.ts';
import { readCorpUser } from './entities.ts';
import { Credentials } from './login-body.ts';
import { presentAspect, presentAspects, presentSnapshot } from './present-corp-user.ts';
import { replyDataHubError } from './reply-error.ts';
import { createServerConfig } from './server-config.ts';

/** What DataHub's clients ask besides GraphQL. Below /api/gms is the same as at the root, the way its front end has it. */
export function datahubRoutes(deps: Deps): Hono<Env> {
  const app = new Hono<Env>();
  app.onError((error, c) => replyDataHubError(c, toPangolinError(error, deps.log, c.env.requestId)));

  for (const path of ['/config', '/api/gms/config'])
    serve(app, 'GET', path, (c) => replyJson(c, createServerConfig(deps.version, deps.publicUrl)));

  // The second is what DataHub's command line makes of an address that ends with /api/gms.
  for (const path of ['/logIn', '/api/logIn'])
    serve(app, 'POST', path, async (c) => {
      c.env.endpoint = usersApi.login;
      const origin = readOrigin(c);
      const body = (await readJsonBody(c, Credentials, false)) as Credentials;
      const { token, ...session } = await deps.failedCredentials.judgeLogin(origin.address, () =>
        logIn(deps, body, origin),
      );
      const seconds = Math.floor((Date.parse(session.expires_at) - deps.now()) / 1000);
      const isSecure = isOverTls(c) || deps.publicUrl?.startsWith('https:') === true;
      return replyJson(c, session, 200, { 'set-cookie': formatSessionCookie(token, seconds, isSecure) });
    });

  const entity = (
    name: string,
    present: (user: Awaited<ReturnType<typeof readCorpUser>>, query: URLSearchParams) => unknown,
  ) => {
    for (const base of [`/${name}/`, `/api/gms/${name}/`])
      serve(app, 'GET', `${base}:urn{[\\s\\S]+}`, async (c) => {
        const caller = await requireCaller(deps, c);
        const { pathname, searchParams } = new URL(c.req.url);
        return replyJson(
          c,
          present(await readCorpUser(deps, caller, readUrn(pathname.slice(base.length))), searchParams),
        );
      });
  };
  entity('entities', presentSnapshot);
  entity('entitiesV2', (user, query) => presentAspects(user, query.get('aspects')));
  entity('aspects', (user, query) => presentAspect(user, query.get('aspect'), query.get('version')));

  app.all('*', () => {
    throw new PangolinError('not_found', 'There is nothing at this path.', {
      hint: "Of DataHub's API this server has /api/graphql for tokens, /config, and /entities/<urn> for users; it keeps no metadata.",
    });
  });
  return app;
}

type Handler = (c: Context<Env>) => Response | Promise<Response>;

function serve(app: Hono<Env>, method: 'GET' | 'POST', path: string, handle: Handler): void {
  app.on(method, path, handle);
  const methods = method === 'GET' ? 'GET, HEAD' : method;
  app.all(path, (c) =>
    replyDataHubError(c, new PangolinError('method_not_allowed', `This path takes ${methods}, not ${c.req.method}.`), {
      allow: methods,
    }),
  );
}

/** The URN in a path: its characters may be written by percent, once. Throws `invalid_request`. */
function readUrn(encoded: string): string {
  try {
    return decodeURIComponent(encoded);
  } catch (cause) {
    throw new PangolinError('invalid_request', 'The URN in the path is not percent-encoded UTF-8.', { cause });
  }
}
