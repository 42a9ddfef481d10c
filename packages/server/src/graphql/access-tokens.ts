import { label, text } from '@pangolin/shared/contract/fields';
import { PangolinError } from '@pangolin/shared/errors';
import type { GraphQLResolveInfo } from 'graphql';
import { type Caller, isUnauthenticated } from '../credentials/caller.ts';
import { readToken as readSignedToken } from '../credentials/read-token.ts';
import { findPrincipalByUrn, principalUrn, readPrincipalUrn } from '../datahub/principal-urns.ts';
import { hasPermission, requirePermission } from '../policies/permissions.ts';
import type { Principal } from '../principals/principals.ts';
import { readSettings } from '../settings/settings.ts';
import { formatTime, wholeSecond } from '../times.ts';
import { chooseRole, mintTokenFor } from '../tokens/mint.ts';
import { readStanding } from '../tokens/standing.ts';
import { revokeToken } from '../tokens/tokens.ts';
import { answerInTurn, mapInParts } from './answer-in-turn.ts';
import type { GraphQLContext } from './context.ts';
import { type AskedDuration, readDuration } from './durations.ts';
import { badRequest } from './errors.ts';
import { listPage } from './list-tokens.ts';
import { presentMetadata, presentRow, readTokenId } from './metadata.ts';
import { readPage } from './pages.ts';
import { readText } from './read-text.ts';
import { type AccessTokenFilter, findAccessToken } from './store.ts';
import { type FacetFilter, readFilters } from './token-filters.ts';
import { resolveUrns } from './urn-filters.ts';

interface GetAccessTokenInput extends AskedDuration {
  type: 'PERSONAL' | 'SERVICE_ACCOUNT';
  actorUrn: string;
}

interface CreateAccessTokenInput extends GetAccessTokenInput {
  name?: string;
  description?: string | null;
}

interface ListAccessTokenInput {
  start?: number | null;
  count?: number | null;
  filters?: readonly FacetFilter[] | null;
}

/** Mints a token for whom `actorUrn` names: `createAccessToken`, and `getAccessToken`, whose tokens have no name. */
export async function createAccessToken(context: GraphQLContext, input: CreateAccessTokenInput) {
  const { deps, caller } = context;
  const { tenantId } = caller.actor;
  const target = await findTarget(context, input);
  const name = readText(label, 'name', input.name);
  const description = readText(text, 'description', input.description);
  if (!target) throw noSuchPrincipal(input.actorUrn);
  const role = chooseRole(caller.actor, target, undefined);
  const ms = readDuration(input, await readSettings(deps.db.read, tenantId), role);
  const by = actingAs(caller, target);
  const minted = await mintTokenFor(deps, by, target, {
    name,
    description,
    expires_at: ms === null ? null : formatTime(wholeSecond(deps.now()) + ms),
  });
  context.minted.push(minted.id);
  context.change('issued personal');
  // Not read back: a token that was minted must be shown, whatever becomes of the database.
  const metadata = presentMetadata({
    ...minted,
    actorUrn: principalUrn(target),
    ownerUrn: principalUrn(by.actor),
    hasOwner: true,
    createdAtMs: Date.parse(minted.created_at),
    expiresAtMs: minted.expires_at === null ? null : Date.parse(minted.expires_at),
  });
  return { accessToken: minted.token, metadata };
}

/**
 * Ends what was minted when nothing of it is shown: a later field that may not be null takes all others with it (GraphQL
 * specification §6.4.4). Throws what keeps it from being ended, and says what is left.
 */
export async function endUnshown({ deps, caller, minted }: GraphQLContext, answer: string): Promise<void> {
  if (minted.length === 0 || (JSON.parse(answer) as { data?: unknown }).data) return;
  for (const [index, id] of minted.entries())
    await revokeToken(deps, caller, id, 'it could not be shown').catch((error) => {
      throw leftBehind(minted.slice(index), error);
    });
}

function leftBehind(ids: readonly string[], cause: unknown): unknown {
  if (!(cause instanceof PangolinError)) return cause;
  const { code, message, retryAfterSeconds } = cause;
  return new PangolinError(code, `${message} What was made could neither be shown nor ended: ${ids.join(', ')}.`, {
    cause,
    hint: 'Revoke it: revokeAccessToken',
    ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
  });
}

/** Where nobody is authenticated, the owner acts under the name that the token is asked for. */
const actingAs = (caller: Caller, target: Principal): Caller =>
  isUnauthenticated(caller.actor) && target.id === caller.actor.id
    ? { ...caller, actor: { ...caller.actor, name: target.name } }
    : caller;

/**
 * Whose token it shall be, if there is such a principal: what may not be asked for is refused whether there is or not.
 */
async function findTarget(
  { deps, caller }: GraphQLContext,
  input: GetAccessTokenInput,
): Promise<Principal | undefined> {
  const { actor } = caller;
  const { type, actorUrn } = input;
  const isServiceAccount = 'serviceUserId' in readPrincipalUrn(actorUrn);
  if (type === 'SERVICE_ACCOUNT' && !isServiceAccount)
    throw badRequest(
      'A token of type SERVICE_ACCOUNT is for urn:li:corpuser:service_<uuid>, the URN of a service account.',
    );
  const target = await findPrincipalByUrn(deps.db.read, deps, actor, actorUrn);
  if (type === 'SERVICE_ACCOUNT') requirePermission(actor, 'service_accounts:write');
  else if (!hasPermission(actor, 'tokens:manage'))
    requirePermission(actor, target?.id === actor.id ? 'tokens:create' : 'tokens:manage');
  return target;
}

/** All tokens for who manages them; else those that the caller minted, or that are the caller's own, as a filter says. */
export async function listTokens(context: GraphQLContext, input: ListAccessTokenInput, info: GraphQLResolveInfo) {
  const { deps, caller } = context;
  const { actor } = caller;
  const page = readPage(context.budget, input, 20, info);
  const asked = readFilters(context.budget, input.filters ?? []);
  const { isOwn, ...found } = await resolveUrns(deps.db.read, deps, actor, asked);
  if (!hasPermission(actor, 'tokens:manage')) requirePermission(actor, isOwn ? 'tokens:list' : 'tokens:manage');
  const standing = await readStanding(deps.db.read, deps, actor.tenantId);
  const filter: AccessTokenFilter = { tenantId: actor.tenantId, ...found };
  const { rows, countAll } = await listPage(deps.db.read, filter, standing, page);
  return {
    start: page.start,
    count: rows.length,
    total: () => answerInTurn(context, 'listAccessTokens.total', countAll),
    tokens: mapInParts(rows, presentRow),
  };
}

/** Ends a token; whether there is one is told to who manages all of them. */
export async function revokeAccessToken(context: GraphQLContext, tokenId: string): Promise<true> {
  const { deps, caller } = context;
  requirePermission(caller.actor, 'tokens:write');
  const row = await findVisible(context, tokenId);
  await revokeToken(deps, caller, row.id, undefined);
  context.change('revoked token');
  return true;
}

/** What is known of a token, by itself or by its id; nothing of one that was ended, as in lists. */
export async function readMetadata(context: GraphQLContext, token: string) {
  requirePermission(context.caller.actor, 'tokens:read');
  const row = await findVisible(context, token.includes('.') ? await readJti(context, token) : token);
  if (row.status === 'revoked') throw noSuchToken();
  return presentRow(row);
}

/** The id of a token that this installation signed, good or not; text without one is nobody's id. */
async function readJti({ deps }: GraphQLContext, token: string): Promise<string> {
  try {
    return (await readSignedToken(deps, token, { acceptExpired: true })).jti;
  } catch (error) {
    if (error instanceof PangolinError && error.status === 401) return '';
    throw error;
  }
}

/** A token that the caller owns, minted or manages. Nobody else is told whether there is one. */
async function findVisible({ deps, caller }: GraphQLContext, tokenId: string) {
  const { actor } = caller;
  const id = readTokenId(tokenId);
  const { tenantId } = actor;
  const standing = await readStanding(deps.db.read, deps, tenantId);
  const row = isStorable(id) ? await findAccessToken(deps.db.read, tenantId, id, standing) : undefined;
  if (row && (row.owner_id === actor.id || row.actor_id === actor.id)) return row;
  requirePermission(actor, 'tokens:manage');
  if (row) return row;
  throw noSuchToken();
}

/** What is no id of ours need not be looked for; databases do not take every character. */
const isStorable = (id: string): boolean => /^[\x21-\x7e]{1,200}$/.test(id);

const noSuchToken = () =>
  new PangolinError('not_found', 'There is no such access token.', { hint: 'See them: listAccessTokens' });

const noSuchPrincipal = (urn: string) =>
  new PangolinError('not_found', `There is no user or service account ${urn.slice(0, 300)}.`, {
    hint: 'See who there is: pangolin-admin list-users, or list-service-users',
  });
