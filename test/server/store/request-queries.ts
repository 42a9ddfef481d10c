import * as audit from '../../../packages/server/src/audit/store.ts';
import { findCatalog, listCatalogs } from '../../../packages/server/src/catalogs/store.ts';
import {
  findApiKeyStateIn,
  findServiceUserState,
  findTokenStateIn,
  findUserState,
} from '../../../packages/server/src/credentials/store.ts';
import * as graphql from '../../../packages/server/src/graphql/store.ts';
import * as iceberg from '../../../packages/server/src/iceberg/store.ts';
import { writeLastUses } from '../../../packages/server/src/last-used/store.ts';
import * as limits from '../../../packages/server/src/limits/store.ts';
import * as policies from '../../../packages/server/src/policies/store.ts';
import {
  findServiceUserPrincipal,
  findServiceUserPrincipalByName,
  findUserPrincipal,
  findUserPrincipalByName,
  raiseEpoch,
  revokeObtainedForOthers,
  revokeObtainedForOthersByRole,
} from '../../../packages/server/src/principals/store.ts';
import * as serviceUsers from '../../../packages/server/src/service-users/store.ts';
import * as sessions from '../../../packages/server/src/sessions/store.ts';
import { DEFAULT_SETTINGS } from '../../../packages/server/src/settings/limits.ts';
import { findSettings } from '../../../packages/server/src/settings/store.ts';
import * as signingKeys from '../../../packages/server/src/signing-keys/store.ts';
import type { Executor } from '../../../packages/server/src/store/schema.ts';
import * as stretches from '../../../packages/server/src/store/token-stretches.ts';
import * as tenants from '../../../packages/server/src/tenants/store.ts';
import { standingBy } from '../../../packages/server/src/tokens/standing.ts';
import * as tokens from '../../../packages/server/src/tokens/store.ts';
import * as users from '../../../packages/server/src/users/store.ts';
import { START_MS } from '../harness.ts';

const judged = { now: () => START_MS, authenticates: true };
const standing = standingBy(DEFAULT_SETTINGS, judged);
const strict = standingBy({ ...DEFAULT_SETTINGS, max_token_days: 1, max_key_days: 1 }, judged);
const stretch = { beforeId: 'x', downToId: 'a' };
const window = { limit: 101, offset: 0 };
const owner = { id: 'o', epoch: 1 };
const use = { id: 'x', serviceUserId: 's', atMs: 1, address: null, client: null };
const catalog = { tenantId: 't', catalogId: 'c' };
const page = { after: 'a', limit: 101 };
const pointer = { metadata_location: 'm', location: 'l', updated_at: 1 };
const object = { id: 'o', tenant_id: 't', metadata_location: 'm', version: 1 };
const attempt = { account: 'a', address: '192.0.2.1' };
const grant = { granteeId: 'x', privilege: 'VIEW_AUDIT' };
const place = { expires_at: 2, id: 'x' };
const part = { after: place, downTo: { expires_at: 1, id: 'a' } };
const ofTenant = { tenantId: 't', filters: [] };
const minted = { ...ofTenant, minterIds: ['o'] };
const some = { start: 1, count: 100 };
const revoked = { at: 1, by: 'x', reason: null };

/** Everything that runs because somebody asks, whoever and however often. */
export const QUERIES: Record<string, (db: Executor) => unknown> = {
  'a token’s state': (db) => findTokenStateIn(db, 'x'),
  'an API key’s state': (db) => findApiKeyStateIn(db, 'x'),
  'a user who presents nothing': (db) => findUserState(db, { tenantId: 't', username: 'x' }),
  'the same user once more': (db) => findUserState(db, { id: 'x' }),
  'a service user who presents nothing': (db) => findServiceUserState(db, { id: 'x' }),
  'a namespace': (db) => iceberg.findNamespace(db, catalog, 'a'),
  'namespaces by name': (db) => iceberg.listNamespaces(db, catalog, 'a', page),
  'whether a namespace is empty': (db) => iceberg.hasChildren(db, catalog, 'a'),
  'a namespace’s properties': (db) => iceberg.updateNamespaceProperties(db, catalog, 'a', '{}'),
  'a table or view': (db) => iceberg.findObject(db, catalog, 'a', 'x'),
  'tables by name': (db) => iceberg.listObjects(db, catalog, 'table', 'a', page),
  'a pointer': (db) => iceberg.swapPointer(db, object, pointer),
  'a table’s new name': (db) => iceberg.moveObject(db, object, { namespace_path: 'b', name: 'y', updated_at: 1 }),
  'who else lies at a location': (db) =>
    iceberg.findOverlap(db, catalog, ['l', 'm'], { from: 'l/', before: 'l0' }, 'o'),
  'a tenant': (db) => tenants.findTenant(db, 't'),
  'a tenant by name': (db) => tenants.findTenantByName(db, 'x'),
  'tenants by name': (db) => tenants.listTenants(db, { afterName: 'a' }, window),
  'catalogs of a tenant that have namespaces': (db) => tenants.listCatalogsInUse(db, 't', 4),
  'who in a tenant is root': (db) => tenants.listRootsOf(db, 't'),
  'what a deleted tenant leaves': (db) => tenants.removeRemains(db, 't', 500),
  'a tenant’s settings': (db) => findSettings(db, 't'),
  'refused credentials of an address': (db) => limits.findCredentialFailures(db, '192.0.2.1', 1),
  'refused credentials of minutes that are over': (db) => limits.deleteCredentialFailuresBefore(db, 1),
  'wrong passwords for an account from an address': (db) => sessions.findLoginFailures(db, attempt, 1),
  'the end of wrong passwords': (db) => sessions.deleteLoginFailures(db, attempt),
  'a user': (db) => users.findUser(db, 't', 'x'),
  'a user by name': (db) => users.findUserByName(db, 't', 'x'),
  'users by name': (db) => users.listUsers(db, { tenantId: 't', afterUsername: 'a' }, window),
  'a principal': (db) => Promise.all([findUserPrincipal(db, 'x'), findServiceUserPrincipal(db, 'x')]),
  'a principal by name': (db) => findUserPrincipalByName(db, 't', 'x'),
  'a service user’s principal by name': (db) => findServiceUserPrincipalByName(db, 't', 'x'),
  'the end of a principal’s credentials': (db) => raiseEpoch(db, 'users', 'x', 1),
  'what others obtained with a principal’s tokens': (db) => revokeObtainedForOthers(db, 'x', revoked),
  'what everybody of a role obtained for others': (db) =>
    revokeObtainedForOthersByRole(db, { tenantId: 't', roles: ['tenant-user'], without: 'VIEW_AUDIT' }, revoked),
  'a grant': (db) => policies.findGrant(db, 't', 'x'),
  'a grant of a privilege to somebody': (db) => policies.findGrantTo(db, 't', 'x', 'VIEW_AUDIT'),
  'what a principal holds': (db) => policies.listGrantsConcerning(db, 't', 'x'),
  'grants by grantee': (db) => policies.listGrants(db, { tenantId: 't', after: grant }, window),
  'grants to somebody': (db) => policies.listGrants(db, { tenantId: 't', granteeId: 'x', after: grant }, window),
  'grants of a privilege': (db) =>
    policies.listGrants(db, { tenantId: 't', privilege: 'VIEW_AUDIT', after: grant }, window),
  'how many grants there are': (db) => policies.countGrants(db, { tenantId: 't', privilege: 'VIEW_AUDIT' }),
  'the end of what was granted to somebody': (db) => policies.deleteGrantsTo(db, 't', 'x'),
  'the end of a grant': (db) => policies.deleteGrant(db, 'x'),
  'a service user': (db) => serviceUsers.findServiceUser(db, 't', 'x'),
  'a service user by name': (db) => serviceUsers.findServiceUserByName(db, 't', 'x'),
  'service users by name': (db) => serviceUsers.listServiceUsers(db, { tenantId: 't', afterName: 'a' }, window),
  'keys of service users': (db) => serviceUsers.listKeys(db, ['a', 'b']),
  'the end of a service user’s keys': (db) => serviceUsers.revokeKeys(db, 'x', 1),
  'the end of a stretch of access tokens by their end': (db) => graphql.findStretchEnd(db, ofTenant, place, 2000),
  'the end of a stretch of minted tokens by their end': (db) => graphql.findStretchEnd(db, minted, place, 2000),
  'access tokens of a tenant by their end': (db) => graphql.listAccessTokens(db, ofTenant, standing, part, some),
  'access tokens by who minted them': (db) => graphql.listAccessTokens(db, minted, standing, part, some),
  'access tokens of an owner': (db) =>
    graphql.listAccessTokens(db, { ...minted, ownerIds: ['o'] }, standing, part, some),
  'the end of a stretch of an owner’s access tokens by their end': (db) =>
    graphql.findStretchEnd(db, { ...minted, ownerIds: ['o'] }, place, 2000),
  'how many access tokens of a tenant': (db) => graphql.countAccessTokens(db, ofTenant, standing, part),
  'how many access tokens somebody minted': (db) => graphql.countAccessTokens(db, minted, standing, part),
  'an access token': (db) => graphql.findAccessToken(db, 't', 'x', standing),
  'service users with a text in them': (db) =>
    serviceUsers.findServiceUsers(db, { tenantId: 't', text: 'etl' }, window),
  'how many service users with a text in them': (db) =>
    serviceUsers.countFoundServiceUsers(db, { tenantId: 't', text: 'etl' }),
  'tokens of an owner': (db) => tokens.listTokens(db, { tenantId: 't', ownerId: 'o', beforeId: 'x' }, standing, window),
  'how many tokens an owner has': (db) => tokens.countTokens(db, { tenantId: 't', ownerId: 'o' }, standing),
  'a token': (db) => tokens.findToken(db, 't', 'x', standing),
  'how many valid tokens an owner has': (db) => tokens.countValidTokens(db, owner, standing, 10),
  'a token’s family': (db) => tokens.revokeFamily(db, 'x', revoked),
  'personal tokens of a tenant': (db) =>
    tokens.listPersonalTokens(db, { tenantId: 't', status: 'valid' }, stretch, standing, 101),
  'personal tokens of an owner': (db) =>
    tokens.listPersonalTokens(db, { tenantId: 't', ownerId: 'o', status: 'expired' }, stretch, standing, 101),
  'how many personal tokens there are': (db) =>
    tokens.countPersonalTokens(db, { tenantId: 't', status: 'valid' }, stretch, standing),
  'the end of a stretch of personal tokens': (db) =>
    stretches.findStretchEnd(db, { tenantId: 't', kind: 'personal' }, 'x', 1000),
  'the end of a stretch of an owner’s tokens': (db) => stretches.findStretchEnd(db, { ownerId: 'o' }, 'x', 1000),
  'the end of a stretch of a tenant’s tokens': (db) => stretches.findStretchEnd(db, { tenantId: 't' }, 'x', 1000),
  'tokens that other limits would refuse': (db) => stretches.listTokensBeyond(db, 't', stretch, standing, strict),
  'how many tokens other limits would refuse': (db) => stretches.countTokensBeyond(db, 't', stretch, standing, strict),
  'tokens that nobody used': (db) =>
    stretches.listUnusedTokens(db, 't', stretch, standing, {
      sinceMs: 1,
      roles: ['tenant-user'],
      except: ['VIEW_AUDIT'],
    }),
  'which of some tokens nobody uses': (db) => tokens.pickUnused(db, ['x', 'y'], { sinceMs: 1, nowMs: 2 }),
  'several tokens’ families': (db) => tokens.revokeFamilies(db, ['x', 'y'], revoked),
  'service users that nobody used': (db) =>
    serviceUsers.listServiceUsers(db, { tenantId: 't', unusedSinceMs: 1 }, window),
  'keys that work, by service user': (db) =>
    serviceUsers.listWorkingKeys(db, { tenantId: 't', afterName: 'a', nowMs: 1 }, 100),
  'what a token descends from': (db) => tokens.findRootToken(db, 'x'),
  'tokens that expired long ago': (db) => tokens.deleteTokensExpiredBefore(db, 1, 100),
  'the head of an audit chain': (db) => audit.findChainHead(db, 't'),
  'audit events': (db) => audit.listEvents(db, { chain: 't', beforeSeq: 7 }, window),
  'audit events upwards': (db) => audit.listEvents(db, { chain: 't', afterSeq: 7 }, { ...window, order: 'asc' }),
  'audit events by user': (db) => audit.listEvents(db, { chain: 't', user_id: 'x' }, window),
  'audit events by action': (db) => audit.listEvents(db, { chain: 't', action: 'x' }, window),
  'audit events by result': (db) => audit.listEvents(db, { chain: 't', result: 'failure' }, window),
  'audit events of some time': (db) => audit.listEvents(db, { chain: 't', sinceMs: 1, untilMs: 2 }, window),
  'how many audit events there are': (db) => audit.countEvents(db, { chain: 't' }),
  'an audit event': (db) => audit.findEvent(db, 't', 'x'),
  'the audit event of a number': (db) => audit.findEventAt(db, 't', 7),
  'an audit event beyond': (db) => audit.findStrayEvent(db, 't', '>', 7),
  'checkpoints of a chain': (db) => audit.listCheckpoints(db, 't', 7, 100),
  'chains that grew': (db) => audit.listGrownChains(db, 'a', 100),
  'the signing keys in use': (db) => signingKeys.listKeysInUse(db, 1),
  'signing keys': (db) => signingKeys.listSigningKeys(db, 'x', window),
  'the signing key that signs': (db) => signingKeys.findKeyIn(db, 'active'),
  'the state of a signing key': (db) => signingKeys.findKeyState(db, 'x'),
  'the end of the longest token': (db) => signingKeys.findLastExpiry(db, 1),
  'signing keys that are dead': (db) => signingKeys.deleteKeysDeadSince(db, 1),
  'private keys': (db) => signingKeys.listSealedKeys(db),
  'a catalog': (db) => findCatalog(db, 't', 'x'),
  'catalogs by name': (db) => listCatalogs(db, 't', 'a', window),
  'last uses': (db) =>
    writeLastUses(db, [
      { ...use, isApiKey: true },
      { ...use, isApiKey: false },
    ]),
};
