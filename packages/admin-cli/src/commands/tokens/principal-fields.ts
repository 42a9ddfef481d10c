import { isUuid } from '@pangolin/shared/cli';

/** What the URNs of users and service users begin with in DataHub's API, where people copy them. */
const URN_PREFIX = 'urn:li:corpuser:';
const SERVICE_PREFIX = 'service_';

/**
 * Whom a command line names, a user or service user by name, id or URN, in the fields of the wire. A URN has the name of a
 * user, whatever it looks like, and the id of a service user.
 */
export function principalFields(named: string): { user_id: string } | { username: string } {
  const isUrn = named.startsWith(URN_PREFIX);
  const name = isUrn ? named.slice(URN_PREFIX.length) : named;
  const id = isUrn && name.startsWith(SERVICE_PREFIX) ? name.slice(SERVICE_PREFIX.length) : named;
  return isUuid(id) ? { user_id: id.toLowerCase() } : { username: name };
}
