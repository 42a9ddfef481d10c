import { anyText, label, text } from '@pangolin/shared/contract/fields';
import { PangolinError } from '@pangolin/shared/errors';
import type { GraphQLResolveInfo } from 'graphql';
import { principalUrn, readPrincipalUrn } from '../datahub/principal-urns.ts';
import { requirePermission } from '../policies/permissions.ts';
import { createServiceAccount, searchServiceUsers } from '../service-users/service-accounts.ts';
import { deleteServiceUser, readServiceUser } from '../service-users/service-users.ts';
import { answerInTurn, mapInParts } from './answer-in-turn.ts';
import type { GraphQLContext } from './context.ts';
import { badRequest } from './errors.ts';
import { readPage } from './pages.ts';
import { readText } from './read-text.ts';

type Row = Awaited<ReturnType<typeof readServiceUser>>;

/** Creates a service account; tokens for it are made with `createAccessToken`, type SERVICE_ACCOUNT. */
export async function createAccount(
  { deps, caller }: GraphQLContext,
  input: { displayName?: string | null; description?: string | null },
) {
  const name = readText(label, 'displayName', input.displayName);
  const description = readText(text, 'description', input.description);
  return presentAccount(await createServiceAccount(deps, caller, { name, description }));
}

/** Service accounts by name, those with `query` in their name or description. */
export async function listAccounts(
  context: GraphQLContext,
  input: { start?: number | null; count?: number | null; query?: string | null },
  info: GraphQLResolveInfo,
) {
  const page = readPage(context.budget, input, 10, info);
  const wanted = readText(anyText(0, 255), 'query', input.query);
  const { rows, countAll } = await searchServiceUsers(context.deps, context.caller, wanted, page);
  return {
    start: page.start,
    count: rows.length,
    total: () => answerInTurn(context, 'listServiceAccounts.total', countAll),
    serviceAccounts: mapInParts(rows, presentAccount),
  };
}

/** Null where there is none. */
export async function getAccount({ deps, caller }: GraphQLContext, urn: string) {
  const id = readAccountId(urn);
  requirePermission(caller.actor, 'service_users:read');
  const row = await readServiceUser(deps, caller, id).catch((error) => {
    if (error instanceof PangolinError && error.code === 'not_found') return null;
    throw error;
  });
  return row && presentAccount(row);
}

/** Ends a service account with all of its tokens and keys. Throws `not_found`. */
export async function deleteAccount(context: GraphQLContext, urn: string): Promise<true> {
  await deleteServiceUser(context.deps, context.caller, readAccountId(urn));
  context.change('revoked principal');
  return true;
}

function readAccountId(urn: string): string {
  const named = readPrincipalUrn(urn);
  if ('serviceUserId' in named) return named.serviceUserId;
  throw badRequest('The URN of a service account is urn:li:corpuser:service_<uuid>.');
}

/** ServiceAccount, which is a user to DataHub. Its `name` is the one in its URN; what people call it is `displayName`. */
const presentAccount = (row: Row) => ({
  urn: principalUrn({ kind: 'service_user', id: row.id, name: row.name }),
  type: 'CORP_USER',
  name: `service_${row.id}`,
  displayName: row.name,
  description: row.description,
  createdBy: row.created_by === null ? null : principalUrn({ kind: 'user', id: '', name: row.created_by }),
  createdAt: row.created_at,
  updatedAt: row.updated_at ?? row.created_at,
});
