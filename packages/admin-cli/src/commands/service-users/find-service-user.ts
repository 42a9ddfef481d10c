import { PangolinError, type WireClient } from '@pangolin/shared/cli';
import type { ServiceUser } from '@pangolin/shared/contract';

/** How a command line names a service user: by exactly one of the two. */
export interface ServiceUserChoice {
  id?: string;
  name?: string;
}

const hint = 'List them: pangolin-admin list-service-users';

/** Refuses a command line that names no service user, or two; call it before connecting. */
export function requireServiceUser(command: string, { id, name }: ServiceUserChoice): void {
  if ((id === undefined) !== (name === undefined)) return;
  throw new PangolinError('invalid_argument', `${command} needs --id or --name, and only one of them.`, { hint });
}

/** The service user of that name, or undefined. */
export const findServiceUserByName = async (client: WireClient, name: string): Promise<ServiceUser | undefined> =>
  (await client.serviceUsers.list({ name, all: true })).find((one) => one.name === name);

/** The id of the chosen service user; `not_found` for a name nobody has. */
export async function findServiceUserId(client: WireClient, { id, name }: ServiceUserChoice): Promise<string> {
  if (id !== undefined) return id;
  const found = name === undefined ? undefined : await findServiceUserByName(client, name);
  if (!found) throw new PangolinError('not_found', `There is no service user named ${JSON.stringify(name)}.`, { hint });
  return found.id;
}
