export const JWT_LINE = /^eyJ[\w-]+\.[\w-]+\.[\w-]+\n$/;
export const KEY_LINE = /^pgl_[0-9A-Za-z]{12}_[0-9A-Za-z]{49}\n$/;
export const ID_LINE = /^id: ([0-9a-f-]{36})\n$/;

/** The claims of a token, unverified. */
export function readClaims(token: string): { jti: string; exp: number; iat: number; role: string } {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
}

/** The id that `create-service-user` and `rotate-service-user-key` say on stderr. */
export function readId(stderr: string): string {
  const id = /id: ([0-9a-f-]{36})/.exec(stderr)?.[1];
  if (id === undefined) throw new Error(`no id in: ${stderr}`);
  return id;
}
