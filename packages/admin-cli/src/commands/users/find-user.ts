import { isUuid, PangolinError, type WireClient } from '@pangolin/shared/cli';

/** How a command line names a user: as an argument (id or username) or by exactly one option. */
export interface UserChoice {
  id?: string;
  username?: string;
}

const hint = 'List them: pangolin-admin list-users';

/** Reads which user is meant; refuses none and more than one. */
export function chooseUser(command: string, argument: string | undefined, options: UserChoice): UserChoice {
  const given = [argument, options.id, options.username].filter((value) => value !== undefined);
  if (given.length !== 1) {
    throw new PangolinError('invalid_argument', `${command} needs one user: USER, --id or --username.`, { hint });
  }
  if (argument === undefined) return options;
  return isUuid(argument) ? { id: argument.toLowerCase() } : { username: argument };
}

/** The id of the chosen user; `not_found` for a username nobody has. */
export async function findUserId(client: WireClient, { id, username }: UserChoice): Promise<string> {
  if (id !== undefined) return id;
  const users = username === undefined ? [] : await client.users.list({ username, all: true });
  const found = users.find((user) => user.username === username);
  if (!found) throw new PangolinError('not_found', `There is no user named ${JSON.stringify(username)}.`, { hint });
  return found.id;
}
