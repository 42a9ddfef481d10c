import * as z from 'zod/mini';
import { endpoint } from './endpoint.ts';
import { anyText, Page, text, time, uuid } from './fields.ts';

/** Path words of the Iceberg REST API, which no catalog may be called. */
export const RESERVED_CATALOG_NAMES = ['v1', 'config', 'oauth', 'namespaces', 'tables', 'views', 'transactions'];

const name = z.string().check(
  z.regex(
    /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/,
    'must be 1 to 128 letters, digits, dots, dashes or underscores, and not start with a dot or dash',
  ),
  z.refine(
    (value) => !RESERVED_CATALOG_NAMES.includes(value),
    `must not be one of ${RESERVED_CATALOG_NAMES.join(', ')}`,
  ),
);

export const Catalog = z.object({
  id: uuid,
  name: z.string(),
  catalog_type: z.literal('internal'),
  warehouse_location: z.nullable(z.string()),
  created_at: time,
});
export type Catalog = z.output<typeof Catalog>;

export const CreateCatalog = z.strictObject({
  name,
  catalog_type: z._default(z.literal('internal'), 'internal'),
  warehouse_location: z.optional(text),
  /** With the table `sample.sightings`. */
  with_sample_data: z._default(z.boolean(), false),
});
export type CreateCatalog = z.input<typeof CreateCatalog>;

export const UpdateCatalog = z.strictObject({ name: z.optional(name) });
export type UpdateCatalog = z.input<typeof UpdateCatalog>;

const ByName = z.strictObject({ name: anyText(1, 255) });
const tag = 'Catalogs';
const path = '/api/v1/catalogs';

export const catalogsApi = {
  list: endpoint({
    method: 'get',
    path,
    summary: 'List catalogs',
    tag,
    access: 'credential',
    query: Page,
    status: 200,
    answer: z.array(Catalog),
  }),
  create: endpoint({
    method: 'post',
    path,
    summary: 'Create a catalog',
    tag,
    access: 'credential',
    body: CreateCatalog,
    status: 201,
    refusals: [409],
    answer: Catalog,
  }),
  get: endpoint({
    method: 'get',
    path: `${path}/{name}`,
    summary: 'Show a catalog',
    tag,
    access: 'credential',
    params: ByName,
    status: 200,
    answer: Catalog,
  }),
  update: endpoint({
    method: 'put',
    path: `${path}/{name}`,
    summary: 'Rename a catalog',
    tag,
    access: 'credential',
    params: ByName,
    body: UpdateCatalog,
    status: 200,
    refusals: [409],
    answer: Catalog,
  }),
  delete: endpoint({
    method: 'delete',
    path: `${path}/{name}`,
    summary: 'Delete a catalog',
    tag,
    access: 'credential',
    params: ByName,
    status: 204,
    refusals: [409],
    answer: null,
  }),
};
