import type {
  CreateToken,
  IssuedToken,
  PrunedTokens,
  PruneTokens,
  TenantTokenPage,
  Token,
  TokenPage,
} from '../../contract/index.ts';
import { type FromWire, fromWire, toWire } from '../camel-case.ts';
import type { ListOptions } from '../wire-client.ts';
import type { WireSource } from './wire-source.ts';

/** The caller's tokens, and those of others for administrators. Every method also throws the `network_…` codes and 401's. */
export interface TokensResource {
  /**
   * Mints a token; its secret is in `token`, this once. Sends `POST /api/v1/tokens`.
   * Throws `policy_refused` (lifetime, number of tokens), `forbidden` (a role or scope above the caller's), `invalid_request`.
   */
  create(input?: FromWire<CreateToken>): Promise<FromWire<IssuedToken>>;
  /** The caller's own tokens. Sends `GET /api/v1/users/me/tokens`; one page, or every one with `all`. */
  list(options?: FromWire<ListOptions<TokenPage>>): Promise<FromWire<Token>[]>;
  /**
   * Everybody's personal tokens in the tenant, or those of one user or service user. Sends `GET /api/v1/tokens`; one page, or
   * every one with `all`. Throws `forbidden`, `not_found`.
   */
  listOfTenant(options?: FromWire<ListOptions<TenantTokenPage>>): Promise<FromWire<Token>[]>;
  /** A principal's tokens. Sends `GET /api/v1/users/{id}/tokens`. Throws `forbidden`, `not_found`. */
  listOfUser(userId: string, options?: FromWire<ListOptions<TokenPage>>): Promise<FromWire<Token>[]>;
  /** Sends `GET /api/v1/tokens/{id}`. Throws `not_found`, also for somebody else's. */
  get(id: string): Promise<FromWire<Token>>;
  /** The token this client presents. Sends `GET /api/v1/tokens/self`. Throws `not_found` where it presents none. */
  getSelf(): Promise<FromWire<Token>>;
  /** Revokes a token and everything obtained with it. Sends `POST /api/v1/auth/revoke/{id}`. Throws `not_found`. */
  revoke(id: string, reason?: string): Promise<void>;
  /** Revokes the token this client presents. Sends `POST /api/v1/auth/revoke`. */
  revokeSelf(reason?: string): Promise<void>;
  /** Revokes everything issued to a principal until now. Sends `POST /api/v1/users/{id}/tokens/revoke`. Throws `forbidden`, `not_found`. */
  revokeOfUser(userId: string, reason?: string): Promise<void>;
  /** Sends `DELETE /api/v1/tokens/{id}`. Throws `not_found`. */
  delete(id: string): Promise<void>;
  /**
   * Revokes the tenant's tokens that nobody used for `unusedForDays`, or `unusedSince`, and what was obtained with them; a
   * token that was never used counts from its creation. With `dryRun` only tells which. Sends `POST /api/v1/tokens/prune`
   * until it is done. Throws `forbidden`, `invalid_request`.
   */
  prune(input: Omit<FromWire<PruneTokens>, 'cursor'>): Promise<FromWire<PrunedTokens>>;
  /** Replaces the token this client presents, which stops at once. Sends `POST /api/v1/tokens/rotate`. */
  rotate(): Promise<FromWire<IssuedToken>>;
}

export function tokensResource(connect: WireSource): TokensResource {
  const tokens = async (options?: { create: boolean }) => (await connect(options)).tokens;
  return {
    create: async (input = {}) => fromWire(await (await tokens({ create: true })).create(toWire<CreateToken>(input))),
    list: async (options = {}) => fromWire(await (await tokens()).list(toWire<ListOptions<TokenPage>>(options))),
    listOfTenant: async (options = {}) =>
      fromWire(await (await tokens()).listOfTenant(toWire<ListOptions<TenantTokenPage>>(options))),
    listOfUser: async (userId, options = {}) =>
      fromWire(await (await tokens()).listOfUser(userId, toWire<ListOptions<TokenPage>>(options))),
    get: async (id) => fromWire(await (await tokens()).get(id)),
    getSelf: async () => fromWire(await (await tokens()).getSelf()),
    async revoke(id, reason) {
      await (await tokens()).revoke(id, reason);
    },
    async revokeSelf(reason) {
      await (await tokens()).revokeSelf(reason);
    },
    async revokeOfUser(userId, reason) {
      await (await tokens()).revokeOfUser(userId, reason);
    },
    delete: async (id) => (await tokens()).delete(id),
    prune: async (input) => fromWire(await (await tokens()).prune(toWire<PruneTokens>(input))),
    rotate: async () => fromWire(await (await tokens()).rotate()),
  };
}
