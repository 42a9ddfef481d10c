import type { Caller } from '../credentials/caller.ts';
import type { Deps } from '../deps.ts';
import type { MaybePromise } from '../maybe-promise.ts';
import type { OpenCatalog } from './catalog.ts';
import type { Identifier, Levels } from './identifiers.ts';
import type { JsonObject } from './json.ts';

/** What a handler answers; the text is JSON, or null where there is no body. */
export interface Answer {
  status: 200 | 204 | 304;
  text: string | null;
  headers?: Record<string, string>;
}

/** A request whose caller, catalog and path are known. */
export interface IcebergRequest {
  deps: Deps;
  caller: Caller;
  catalog: OpenCatalog;
  /** The raw, still encoded path segments that the endpoint's template names. */
  namespace: string;
  object: string;
  /** What the client's own paths begin with, below the address it was given: `v1` or `v1/{catalog}`. */
  base: string;
  /** What a change is about, as far as it is known yet; a refusal is recorded with it. */
  about: Levels | Identifier | null;
  query: URLSearchParams;
  /** A request header, by its lower-case name. */
  header(name: string): string | undefined;
  /** The JSON object of the body. Throws `invalid_request`, `body_too_large` and `unsupported_media_type`. */
  readBody(): Promise<JsonObject>;
}

/** One operation of the Iceberg REST API: served, and advertised by `/v1/config`. */
export interface IcebergEndpoint {
  method: 'GET' | 'POST' | 'HEAD' | 'DELETE';
  /** Below `/v1/{prefix}/`. */
  path: string;
  /** For what changes something: the audit event that a refusal is recorded as. */
  action?: `${'namespace' | 'table' | 'view'}.${string}`;
  /** The largest body, in bytes; 1 MiB unless said otherwise. */
  maxBodyBytes?: number;
  handle(request: IcebergRequest): MaybePromise<Answer>;
}

/** For answers without numbers: metadata, whose integers have 64 bits, is text already. */
export const answerJson = (value: unknown, headers?: Record<string, string>): Answer =>
  answerText(JSON.stringify(value), headers);

export const answerText = (text: string, headers?: Record<string, string>): Answer => ({
  status: 200,
  text,
  ...(headers && { headers }),
});

export const NO_CONTENT: Answer = { status: 204, text: null };
