import type { Profile } from './settings-schema.ts';

/** A name no profile has yet, after the server and, where that is taken, the account. */
export function freeProfileName(origin: string, username: string, profiles: ReadonlyMap<string, Profile>): string {
  const host = new URL(origin).host
    .replace(/[^A-Za-z0-9.]+/g, '-')
    .replace(/^-|-$/g, '')
    .slice(0, 30);
  const both = `${host}-${username.replace(/[^A-Za-z0-9._@-]+/g, '-')}`.slice(0, 56);
  for (let number = 0; ; number += 1) {
    const name = number === 0 ? host : number === 1 ? both : `${both}-${number}`;
    if (!profiles.has(name)) return name;
  }
}
