import type {
  CreateServiceUser,
  IssuedApiKey,
  RotateKey,
  ServiceUser,
  UpdateServiceUser,
} from '../../contract/index.ts';
import { type FromWire, fromWire, toWire } from '../camel-case.ts';
import type { ListOptions } from '../wire-client.ts';
import type { WireSource } from './wire-source.ts';

/** Principals for programs; administrators only (`forbidden`). Every method also throws the `network_…` codes and 401's. */
export interface ServiceUsersResource {
  /**
   * Creates a service user; its key is in `apiKey`, this once. Sends `POST /api/v1/service-users`.
   * Throws `conflict` (the name is taken), `forbidden`, `invalid_request`.
   */
  create(input: FromWire<CreateServiceUser>): Promise<FromWire<IssuedApiKey>>;
  /**
   * Sends `GET /api/v1/service-users`; one page, or every one with `all`. With `unusedForDays` those that nobody used for
   * so long, or since they were created.
   */
  list(options?: ListOptions & { name?: string; unusedForDays?: number }): Promise<FromWire<ServiceUser>[]>;
  /** Sends `GET /api/v1/service-users/{id}`. Throws `not_found`. */
  get(id: string): Promise<FromWire<ServiceUser>>;
  /** Sends `PUT /api/v1/service-users/{id}`; deactivating stops its keys and all obtained with them. Throws `not_found`, `conflict`. */
  update(id: string, input: FromWire<UpdateServiceUser>): Promise<FromWire<ServiceUser>>;
  /** Sends `DELETE /api/v1/service-users/{id}`. Throws `not_found`. */
  delete(id: string): Promise<void>;
  /**
   * Makes a new key, in `apiKey` this once; the old one stops at once, or after `graceHours`. Sends
   * `POST /api/v1/service-users/{id}/rotate` with the id of the current key. Throws `conflict` when somebody else rotated it.
   */
  rotate(id: string, input?: FromWire<RotateKey>): Promise<FromWire<IssuedApiKey>>;
}

export function serviceUsersResource(connect: WireSource): ServiceUsersResource {
  const serviceUsers = async (options?: { create: boolean }) => (await connect(options)).serviceUsers;
  return {
    create: async (input) =>
      fromWire(await (await serviceUsers({ create: true })).create(toWire<CreateServiceUser>(input))),
    list: async (options = {}) =>
      fromWire(await (await serviceUsers()).list(toWire<{ unused_for_days?: number }>(options))),
    get: async (id) => fromWire(await (await serviceUsers()).get(id)),
    update: async (id, input) => fromWire(await (await serviceUsers()).update(id, toWire<UpdateServiceUser>(input))),
    delete: async (id) => (await serviceUsers()).delete(id),
    rotate: async (id, input = {}) => fromWire(await (await serviceUsers()).rotate(id, toWire<RotateKey>(input))),
  };
}
