import { label } from '@pangolin/shared/contract/fields';
import { PangolinError } from '@pangolin/shared/errors';
import { decodeReserved, type NamedPrincipal, readPrincipalUrn, URN_PREFIX } from '../datahub/principal-urns.ts';
import type { Deps } from '../deps.ts';
import { readPrivileges } from '../policies/reach.ts';
import type { Executor } from '../store/schema.ts';
import type { Actor } from './caller.ts';
import { readNetworks } from './judge.ts';
import { createOwner, NO_CREDENTIAL } from './owner.ts';
import { RefusedSubject, withSubject } from './refused-subject.ts';
import { findServiceUserState, findUserState, type PrincipalState } from './store.ts';

/** Whom a server without authentication believes to be asking: `urn:li:corpuser:<name>`, as DataHub's clients send it. */
export const ACTOR_HEADER = 'x-datahub-actor';

/**
 * Who asks a server without authentication: the user or service user of the default tenant that the header names, with the
 * rights they have now; a name that nobody has is the owner under that name, and no header the owner. Throws
 * `invalid_request` for what is no principal's URN, `principal_inactive` for one who may not act.
 */
export async function identifyUnauthenticated(deps: Deps, header: string | undefined): Promise<Actor> {
  if (header === undefined) return createUnauthenticatedOwner(deps, deps.ownerName);
  const { named, name } = readActor(header);
  const state = await findNamed(deps, named);
  return state ? judgeNamed(deps.db.read, deps, state) : createUnauthenticatedOwner(deps, name);
}

/** Judges a principal once more, in a transaction; undefined for the owner, who is always let in. Throws `principal_inactive`. */
export async function judgeUnauthenticated(tx: Executor, deps: Deps, actor: Actor): Promise<Actor | undefined> {
  if (actor.kind === 'owner') return undefined;
  const find = actor.kind === 'user' ? findUserState : findServiceUserState;
  const state = await find(tx, { id: actor.id });
  if (!state) throw inactive(actor.name);
  return judgeNamed(tx, deps, state);
}

async function judgeNamed(db: Executor, deps: Deps, state: PrincipalState): Promise<Actor> {
  const { id, tenant_id: tenantId, name, role } = state;
  const hasEnded = state.expires_at !== null && state.expires_at <= deps.now();
  if (state.active !== 1 || hasEnded)
    throw withSubject(inactive(name), new RefusedSubject('credential', { tenantId, principal: { id, name } }));
  return {
    id,
    kind: state.kind,
    name,
    email: state.email,
    tenantId,
    role,
    scopes: JSON.parse(state.scopes),
    privileges: await readPrivileges(db, { id, tenantId, role }),
    allowedNetworks: readNetworks(state),
    epoch: state.epoch,
    credential: { ...NO_CREDENTIAL, endsAtMs: state.expires_at },
  };
}

async function findNamed({ db, installation }: Deps, named: NamedPrincipal): Promise<PrincipalState | undefined> {
  const tenantId = installation.defaultTenantId;
  if ('serviceUserId' in named) {
    const found = await findServiceUserState(db.read, { id: named.serviceUserId });
    return found?.tenant_id === tenantId ? found : undefined;
  }
  const { name: username } = named;
  const decoded = decodeReserved(username);
  return (
    (await findUserState(db.read, { tenantId, username })) ??
    (decoded === username ? undefined : findUserState(db.read, { tenantId, username: decoded }))
  );
}

const createUnauthenticatedOwner = ({ installation }: Deps, ownerName: string): Actor => ({
  ...createOwner({ installation, ownerName }),
  credential: NO_CREDENTIAL,
});

/** What the header names, and under which name; its text is UTF-8, which arrives a byte a character. */
function readActor(header: string): { named: NamedPrincipal; name: string } {
  const text = decodeUtf8(header);
  // Two headers of one name arrive joined by a comma.
  if (text === undefined || text.indexOf('urn:li:', 1) > 0) throw malformed();
  try {
    const named = readPrincipalUrn(text);
    const name = text.slice(URN_PREFIX.length);
    if (label.safeParse(name).success) return { named, name };
  } catch (cause) {
    throw malformed(cause);
  }
  throw malformed();
}

function decodeUtf8(header: string): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.from(header, 'latin1'));
  } catch {
    return undefined;
  }
}

const malformed = (cause?: unknown) =>
  new PangolinError('invalid_request', 'The header X-DataHub-Actor does not name one user or service user.', {
    cause,
    hint: 'Send X-DataHub-Actor: urn:li:corpuser:<username>, for a service user urn:li:corpuser:service_<its id>, or leave it out.',
  });

const inactive = (name: string) =>
  new PangolinError('principal_inactive', `${name}, whom X-DataHub-Actor names, is deactivated, expired or deleted.`, {
    hint: 'Name somebody else, or leave the header out to act as the owner.',
  });
