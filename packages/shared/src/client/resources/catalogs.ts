import type { Catalog, CreateCatalog, UpdateCatalog } from '../../contract/index.ts';
import { type FromWire, fromWire, toWire } from '../camel-case.ts';
import type { ListOptions } from '../wire-client.ts';
import type { WireSource } from './wire-source.ts';

/** The tenant's catalogs; administrators change them (`forbidden`). Every method also throws the `network_…` codes and 401's. */
export interface CatalogsResource {
  /** Sends `GET /api/v1/catalogs`; one page, or every one with `all`. */
  list(options?: ListOptions): Promise<FromWire<Catalog>[]>;
  /** Sends `POST /api/v1/catalogs`. Throws `conflict` (the name is taken), `invalid_request`. */
  create(input: FromWire<CreateCatalog>): Promise<FromWire<Catalog>>;
  /** Sends `GET /api/v1/catalogs/{name}`. Throws `not_found`. */
  get(name: string): Promise<FromWire<Catalog>>;
  /** Renames a catalog. Sends `PUT /api/v1/catalogs/{name}`. Throws `not_found`, `conflict`. */
  update(name: string, input: FromWire<UpdateCatalog>): Promise<FromWire<Catalog>>;
  /** Sends `DELETE /api/v1/catalogs/{name}`. Throws `not_found`, `conflict`. */
  delete(name: string): Promise<void>;
}

export function catalogsResource(connect: WireSource): CatalogsResource {
  const catalogs = async (options?: { create: boolean }) => (await connect(options)).catalogs;
  return {
    list: async (options) => fromWire(await (await catalogs()).list(options)),
    create: async (input) => fromWire(await (await catalogs({ create: true })).create(toWire<CreateCatalog>(input))),
    get: async (name) => fromWire(await (await catalogs()).get(name)),
    update: async (name, input) => fromWire(await (await catalogs()).update(name, toWire<UpdateCatalog>(input))),
    delete: async (name) => (await catalogs()).delete(name),
  };
}
