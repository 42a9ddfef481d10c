import { isUuid } from '@pangolin/shared/cli';

/** What the URNs of users and service users begin with in DataHub's API, where people copy them. */
const URN_PREFIX = 'urn:li:corpuser:';
const SERVICE_PREFIX = 'service_';

/** Whom a command line names, a user or service user by name, id or URN, in the fields of the wire. */
export function principalFields(named: string): { user_id: string } | { username: string } {
  const name = named.startsWith(URN_PREFIX) ? named.slice(URN_PREFIX.length) : named;
  const isService = name !== named && name.startsWith(SERVICE_PREFIX);
  const id = isService ? name.slice(SERVICE_PREFIX.length) : name;
  return isUuid(id) ? { user_id: id.toLowerCase() } : { username: name };
}
