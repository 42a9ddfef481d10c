import { PangolinError } from '@pangolin/shared/errors';

const NAME = 'pangolin_session';

/**
 * A session as a cookie (RFC 6265bis §4.1): no script reads it, no other site sends it, and it goes to `/api` alone.
 * `isSecure`: browsers send it over TLS only.
 */
export const formatSessionCookie = (token: string, maxAgeSeconds: number, isSecure: boolean): string =>
  `${NAME}=${token}; HttpOnly; SameSite=Strict; Path=/api; Max-Age=${maxAgeSeconds}${isSecure ? '; Secure' : ''}`;

/** The session in a Cookie header; undefined where there is none. Two of them would be two callers. Throws `invalid_request`. */
export function readSessionCookie(header: string | undefined): string | undefined {
  const values = (header ?? '')
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${NAME}=`))
    .map((pair) => pair.slice(NAME.length + 1).replace(/^"(.*)"$/, '$1'));
  if (values.length > 1) throw new PangolinError('invalid_request', `The request carries the cookie ${NAME} twice.`);
  return values[0];
}
