import type {
  CreatedUser,
  CreateUser,
  Me,
  PasswordWasReset,
  ResetPassword,
  UpdateUser,
  User,
} from '../../contract/index.ts';
import { type FromWire, fromWire, toWire } from '../camel-case.ts';
import type { ListOptions } from '../wire-client.ts';
import type { WireSource } from './wire-source.ts';

/** People; all but `me` for administrators only (`forbidden`). Every method also throws the `network_…` codes and 401's. */
export interface UsersResource {
  /** Who this client is, and with which credential. Sends `GET /api/v1/users/me`. */
  me(): Promise<FromWire<Me>>;
  /** Sends `POST /api/v1/users`; without a password one is generated and answered this once. Throws `conflict`, `invalid_request`. */
  create(input: FromWire<CreateUser>): Promise<FromWire<CreatedUser>>;
  /** Sends `GET /api/v1/users`; one page, or every one with `all`. */
  list(options?: ListOptions & { username?: string }): Promise<FromWire<User>[]>;
  /** Sends `GET /api/v1/users/{id}`. Throws `not_found`. */
  get(id: string): Promise<FromWire<User>>;
  /** Sends `PUT /api/v1/users/{id}`; deactivating stops every credential of theirs. Throws `not_found`, `conflict`. */
  update(id: string, input: FromWire<UpdateUser>): Promise<FromWire<User>>;
  /** Sends `DELETE /api/v1/users/{id}`. Throws `not_found`. */
  delete(id: string): Promise<void>;
  /** Sends `POST /api/v1/users/{id}/password`; stops every credential of theirs. Throws `not_found`, `invalid_request`. */
  resetPassword(id: string, input?: FromWire<ResetPassword>): Promise<FromWire<PasswordWasReset>>;
}

export function usersResource(connect: WireSource): UsersResource {
  const users = async (options?: { create: boolean }) => (await connect(options)).users;
  return {
    me: async () => fromWire(await (await users()).me()),
    create: async (input) => fromWire(await (await users({ create: true })).create(toWire<CreateUser>(input))),
    list: async (options) => fromWire(await (await users()).list(options)),
    get: async (id) => fromWire(await (await users()).get(id)),
    update: async (id, input) => fromWire(await (await users()).update(id, toWire<UpdateUser>(input))),
    delete: async (id) => (await users()).delete(id),
    resetPassword: async (id, input = {}) =>
      fromWire(await (await users()).resetPassword(id, toWire<ResetPassword>(input))),
  };
}
