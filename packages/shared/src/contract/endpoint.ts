import type * as z from 'zod/mini';

type Schema = z.ZodMiniType;

/** One HTTP operation: everything its route, its caller and the OpenAPI document need to agree on. */
export interface Endpoint {
  method: 'get' | 'post' | 'put' | 'delete';
  /** As OpenAPI writes it: `/api/v1/tokens/{id}`. */
  path: string;
  summary: string;
  tag: string;
  /** `credential`: a bearer token or API key is required. */
  access: 'public' | 'credential';
  params?: Schema;
  query?: Schema;
  body?: Schema;
  /** The body may be left out. */
  bodyOptional?: boolean;
  /** `json` unless said otherwise. */
  bodyType?: 'json' | 'form';
  /** Of a public endpoint: by what it may be told who asks; a client's name and secret, by HTTP Basic, or a credential. */
  authentication?: readonly ('client' | 'credential')[];
  /** The success status and its body; null when there is none. */
  status: number;
  /** Where asking again changes nothing: the status of such an answer, with the same body. */
  unchangedStatus?: number;
  /** How it may refuse, besides what every endpoint with such access, parameters and body may answer: HTTP statuses. */
  refusals?: readonly number[];
  answer: Schema | null;
  /** `application/json` unless said otherwise. */
  answerType?: string;
}

/** Declares an endpoint, keeping its exact type. */
export const endpoint = <const E extends Endpoint>(definition: E): E => definition;
