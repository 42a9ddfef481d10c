import { PangolinError } from '@pangolin/shared/errors';
import { type Actor, isUnauthenticated } from '../credentials/caller.ts';
import type { Deps } from '../deps.ts';
import { findPrincipal, type Principal } from '../principals/principals.ts';
import type { Executor } from '../store/schema.ts';

/** What the URN of every principal begins with. */
export const URN_PREFIX = 'urn:li:corpuser:';

/** As long as a username can be. */
const MAX_NAME_LENGTH = 255;

const SERVICE_USER = /^service_([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/i;

/** Who asks, as far as it matters for whom a name means. */
type Asking = Pick<Actor, 'kind' | 'name' | 'tenantId' | 'credential'>;

/** What a URN names: a user or the owner by name, or a service user by its id, in lower case. */
export type NamedPrincipal = { name: string } | { serviceUserId: string };

/** `urn:li:corpuser:<name>`, names as they are; for service users `urn:li:corpuser:service_<id>`, since they may be renamed. */
export const principalUrn = ({ kind, id, name }: { kind: Actor['kind']; id: string; name: string }): string =>
  URN_PREFIX + (kind === 'service_user' ? `service_${id}` : name);

/**
 * Reads the URN of a principal. `service_` and a UUID is a service user, whatever users are called; a name by itself is
 * no URN. Throws `invalid_request`.
 */
export function readPrincipalUrn(text: string): NamedPrincipal {
  const name = text.startsWith(URN_PREFIX) ? text.slice(URN_PREFIX.length) : '';
  if (
    name === '' ||
    [...name.slice(0, 2 * MAX_NAME_LENGTH + 1)].length > MAX_NAME_LENGTH ||
    /[\p{Cc}\p{Cs}]/u.test(name)
  )
    throw malformed(text);
  const serviceUserId = SERVICE_USER.exec(name)?.[1]?.toLowerCase();
  return serviceUserId === undefined ? { name } : { serviceUserId };
}

/**
 * Whom a URN names in the actor's tenant: a user; else the embedded owner, by the name it asks under, or in its own tenant
 * by its account's or the name it was founded with. It is answered by the name that was asked for. Throws
 * `invalid_request` for what is no principal's URN.
 */
export async function findPrincipalByUrn(
  db: Executor,
  deps: Pick<Deps, 'installation' | 'ownerName'>,
  actor: Asking,
  text: string,
): Promise<Principal | undefined> {
  const named = readPrincipalUrn(text);
  const { tenantId } = actor;
  if ('serviceUserId' in named) {
    const found = await findPrincipal(db, { id: named.serviceUserId, tenantId });
    return found?.kind === 'service_user' ? found : undefined;
  }
  const asWritten = await findByName(db, deps, actor, named.name);
  const decoded = decodeReserved(named.name);
  return asWritten ?? (decoded === named.name ? undefined : findByName(db, deps, actor, decoded));
}

async function findByName(
  db: Executor,
  { installation, ownerName }: Pick<Deps, 'installation' | 'ownerName'>,
  actor: Asking,
  name: string,
): Promise<Principal | undefined> {
  const user = await findPrincipal(db, { tenantId: actor.tenantId, username: name });
  if (user) return user;
  // Where nobody is authenticated and nobody is named, the owner goes by any name that nobody has.
  const isNobody = isUnauthenticated(actor) && actor.name === ownerName;
  const isItself = actor.kind === 'owner' && (actor.name === name || isNobody);
  if (!isItself && actor.tenantId !== installation.defaultTenantId) return undefined;
  const owner = await findPrincipal(db, { id: installation.ownerId });
  return owner && (isItself || name === ownerName || name === owner.name) ? { ...owner, name } : undefined;
}

/** DataHub's clients write the characters that its URNs reserve this way, and no others. */
export const decodeReserved = (name: string): string =>
  name.replace(/%(?:2C|28|29|E2%90%9F)/gi, (encoded) => decodeURIComponent(encoded));

function malformed(text: string): PangolinError {
  const shown =
    text.length <= 100 ? text.replace(/[^\x20-\x7e]/g, '?') : `${text.slice(0, 40).replace(/[^\x20-\x7e]/g, '?')}…`;
  return new PangolinError('invalid_request', `'${shown}' is not the URN of a user or a service user.`, {
    hint: 'Write urn:li:corpuser:<username>, or for a service user urn:li:corpuser:service_<its id>.',
  });
}
