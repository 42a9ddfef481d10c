import type { CreateGrant, Grant, GrantPage } from '../../contract/index.ts';
import { type FromWire, fromWire, toWire } from '../camel-case.ts';
import type { ListOptions } from '../wire-client.ts';
import type { WireSource } from './wire-source.ts';

/** Who may do what in the tenant; administrators only (`forbidden`). Every method also throws the `network_…` codes and 401's. */
export interface PoliciesResource {
  /**
   * What is granted, of one privilege or to one grantee if named. Sends `GET /api/v1/policies`; one page, or every one with
   * `all`. Throws `not_found` for a grantee there is not.
   */
  list(options?: FromWire<ListOptions<GrantPage>>): Promise<FromWire<Grant>[]>;
  /**
   * Grants a privilege to one of a role, a user or a service user; granting it again answers the grant there is. Sends
   * `POST /api/v1/policies`. Throws `not_found`, `forbidden` (a privilege you do not hold), `invalid_request`.
   */
  grant(input: FromWire<CreateGrant>): Promise<FromWire<Grant>>;
  /** Takes a grant back; every credential loses the privilege at once. Sends `DELETE /api/v1/policies/{id}`. Throws `not_found`, `forbidden`. */
  revoke(id: string): Promise<void>;
}

export function policiesResource(connect: WireSource): PoliciesResource {
  const policies = async () => (await connect()).policies;
  return {
    list: async (options = {}) => fromWire(await (await policies()).list(toWire<ListOptions<GrantPage>>(options))),
    grant: async (input) => fromWire(await (await policies()).grant(toWire<CreateGrant>(input))),
    revoke: async (id) => (await policies()).revoke(id),
  };
}
