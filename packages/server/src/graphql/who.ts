import { TOKEN_DURATIONS } from '@pangolin/shared/contract/durations';
import { PangolinError } from '@pangolin/shared/errors';
import { findCorpUser } from '../datahub/entities.ts';
import { findPrincipalByUrn, principalUrn, readPrincipalUrn } from '../datahub/principal-urns.ts';
import { hasPermission, requirePermission } from '../policies/permissions.ts';
import { ALL_PRIVILEGES } from '../policies/privileges.ts';
import { explainPrivileges } from '../policies/reach.ts';
import { readSettings } from '../settings/settings.ts';
import { answerInTurn } from './answer-in-turn.ts';
import type { GraphQLContext } from './context.ts';
import { listOffered } from './durations.ts';
import { presentCorpUser } from './metadata.ts';

/** AuthenticatedUser of the caller: what this credential lets them do. */
export function readMe(context: GraphQLContext) {
  const { deps, caller } = context;
  const { actor } = caller;
  const urn = principalUrn(actor);
  const readProperties = async () => (await findCorpUser(deps, caller, urn)).info;
  return {
    corpUser: {
      ...presentCorpUser(urn),
      properties: () => answerInTurn(context, 'me.corpUser.properties', readProperties),
    },
    platformPrivileges: {
      generatePersonalAccessTokens: hasPermission(actor, 'tokens:create'),
      manageTokens: hasPermission(actor, 'tokens:manage'),
      manageServiceAccounts: hasPermission(actor, 'service_accounts:write'),
    },
  };
}

/** AppConfig: what the tenant allows the caller's role. */
export async function readAppConfig({ deps, caller: { actor } }: GraphQLContext) {
  const offered = listOffered(await readSettings(deps.db.read, actor.tenantId), actor.role);
  return {
    authConfig: {
      tokenAuthEnabled: deps.authenticates,
      allowNoExpiry: offered.includes('NO_EXPIRY'),
      allowedAccessTokenDurations: offered.map((name) => TOKEN_DURATIONS[name]).filter((iso) => iso !== null),
    },
  };
}

/** DebugAccessResult of oneself, or for who manages them of anybody; there are no groups here. */
export async function debugAccess({ deps, caller: { actor } }: GraphQLContext, userUrn: string) {
  const isServiceAccount = 'serviceUserId' in readPrincipalUrn(userUrn);
  const principal = await findPrincipalByUrn(deps.db.read, deps, actor, userUrn);
  if (principal?.id !== actor.id) requirePermission(actor, isServiceAccount ? 'service_users:read' : 'users:read');
  if (!principal) throw new PangolinError('not_found', 'There is no such user or service account.');
  const { privileges, grantIds } = await explainPrivileges(deps.db.read, principal);
  const roles = [`urn:li:dataHubRole:${principal.role}`];
  return {
    roles,
    groups: [],
    groupsWithRoles: [],
    rolesViaGroups: [],
    allRoles: roles,
    policies: grantIds.sort().map((id) => `urn:li:dataHubPolicy:${id}`),
    privileges: [...(principal.role === 'root' ? ALL_PRIVILEGES : privileges)].sort(),
  };
}
