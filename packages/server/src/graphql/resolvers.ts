import type { GraphQLResolveInfo } from 'graphql';
import { createAccessToken, listTokens, readMetadata, revokeAccessToken } from './access-tokens.ts';
import { answerInTurn } from './answer-in-turn.ts';
import type { GraphQLContext } from './context.ts';
import { Long } from './long.ts';
import { createAccount, deleteAccount, getAccount, listAccounts } from './service-accounts.ts';
import { debugAccess, readAppConfig, readMe } from './who.ts';

type Resolve<Args> = (
  parent: unknown,
  args: Args,
  context: GraphQLContext,
  info: GraphQLResolveInfo,
) => Promise<unknown>;

/** A field at the root. */
const field =
  <Args>(
    name: string,
    answer: (context: GraphQLContext, args: Args, info: GraphQLResolveInfo) => unknown,
  ): Resolve<Args> =>
  (_, args, context, info) =>
    answerInTurn(context, name, () => answer(context, args, info));

/** A field at the root that changes something. */
const change = <Args>(name: string, make: (context: GraphQLContext, args: Args) => unknown): Resolve<Args> =>
  field(name, (context, args) => {
    context.stepAside();
    return make(context, args);
  });

type Input<Of extends (context: GraphQLContext, input: never, info: never) => unknown> = { input: Parameters<Of>[1] };

const Query = {
  listAccessTokens: field<Input<typeof listTokens>>('listAccessTokens', (context, { input }, info) =>
    listTokens(context, input, info),
  ),
  getAccessToken: field<Input<typeof createAccessToken>>('getAccessToken', (context, { input }) =>
    createAccessToken(context, input),
  ),
  getAccessTokenMetadata: field<{ token: string }>('getAccessTokenMetadata', (context, { token }) =>
    readMetadata(context, token),
  ),
  debugAccess: field<{ userUrn: string }>('debugAccess', (context, { userUrn }) => debugAccess(context, userUrn)),
  listServiceAccounts: field<Input<typeof listAccounts>>('listServiceAccounts', (context, { input }, info) =>
    listAccounts(context, input, info),
  ),
  getServiceAccount: field<{ urn: string }>('getServiceAccount', (context, { urn }) => getAccount(context, urn)),
  me: field('me', readMe),
  appConfig: field('appConfig', readAppConfig),
};

const Mutation = {
  createAccessToken: change<Input<typeof createAccessToken>>('createAccessToken', (context, { input }) =>
    createAccessToken(context, input),
  ),
  revokeAccessToken: change<{ tokenId: string }>('revokeAccessToken', (context, { tokenId }) =>
    revokeAccessToken(context, tokenId),
  ),
  createServiceAccount: change<Input<typeof createAccount>>('createServiceAccount', (context, { input }) =>
    createAccount(context, input),
  ),
  deleteServiceAccount: change<{ urn: string }>('deleteServiceAccount', (context, { urn }) =>
    deleteAccount(context, urn),
  ),
};

/** What answers each field that is more than a property. */
export const RESOLVERS = { Long, Query, Mutation };

/** The names of all queries, and of all mutations. */
export const QUERIES: ReadonlySet<string> = new Set(Object.keys(Query));
export const MUTATIONS: ReadonlySet<string> = new Set(Object.keys(Mutation));
