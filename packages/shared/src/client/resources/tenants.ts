import type { CreatedTenant, CreateTenant, Tenant, UpdateTenant } from '../../contract/index.ts';
import { type FromWire, fromWire, toWire } from '../camel-case.ts';
import type { ListOptions } from '../wire-client.ts';
import type { WireSource } from './wire-source.ts';

/** Tenants; root only (`forbidden`). Every method also throws the `network_…` codes and 401's. */
export interface TenantsResource {
  /** Sends `GET /api/v1/tenants`; one page, or every one with `all`. */
  list(options?: ListOptions & { name?: string }): Promise<FromWire<Tenant>[]>;
  /** Creates a tenant with a catalog, `defaultCatalog`. Sends `POST /api/v1/tenants`. Throws `conflict` (the name is taken). */
  create(input: FromWire<CreateTenant>): Promise<FromWire<CreatedTenant>>;
  /** Sends `GET /api/v1/tenants/{id}`. Throws `not_found`. */
  get(id: string): Promise<FromWire<Tenant>>;
  /** Sends `PUT /api/v1/tenants/{id}`. Throws `not_found`, `conflict`. */
  update(id: string, input: FromWire<UpdateTenant>): Promise<FromWire<Tenant>>;
  /**
   * Deletes a tenant with every credential in it. Sends `DELETE /api/v1/tenants/{id}`. Throws `not_found`, and `conflict`
   * while it has tables, for the default tenant, and for one's own.
   */
  delete(id: string): Promise<void>;
}

export function tenantsResource(connect: WireSource): TenantsResource {
  const tenants = async (options?: { create: boolean }) => (await connect(options)).tenants;
  return {
    list: async (options) => fromWire(await (await tenants()).list(options)),
    create: async (input) => fromWire(await (await tenants({ create: true })).create(toWire<CreateTenant>(input))),
    get: async (id) => fromWire(await (await tenants()).get(id)),
    update: async (id, input) => fromWire(await (await tenants()).update(id, toWire<UpdateTenant>(input))),
    delete: async (id) => (await tenants()).delete(id),
  };
}
