import type { IcebergEndpoint } from './answer.ts';
import { NAMESPACE_ENDPOINTS } from './namespace-endpoints.ts';
import { TABLE_ENDPOINTS } from './table-endpoints.ts';
import { VIEW_ENDPOINTS } from './view-endpoints.ts';

const ALL = [...NAMESPACE_ENDPOINTS, ...TABLE_ENDPOINTS, ...VIEW_ENDPOINTS];

/** What is served: by path template, then by method. */
export const ENDPOINTS: ReadonlyMap<string, ReadonlyMap<string, IcebergEndpoint>> = new Map(
  [...new Set(ALL.map(({ path }) => path))].map((path) => [
    path,
    new Map(ALL.filter((one) => one.path === path).map((one) => [one.method as string, one])),
  ]),
);

/** The same as `/v1/config` advertises it: exactly what is served. */
export const ADVERTISED: readonly string[] = ALL.map(({ method, path }) => `${method} /v1/{prefix}/${path}`);
