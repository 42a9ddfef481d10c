import type { TableName } from './table-name.ts';

/** What a snippet shall do, and at which server. */
export interface SnippetRequest {
  /** Where the server is: `http://localhost:8080`. */
  origin: string;
  /** A token in PANGOLIN_TOKEN, or a service user's id and key in PANGOLIN_CLIENT_ID and PANGOLIN_CLIENT_SECRET. */
  auth: 'token' | 'credential';
  /** The table to load; null to list the namespaces and tables of the catalog `default`. */
  table: TableName | null;
}

/** Code to paste, without any secret, and what comes before it. */
export interface Snippet {
  code: string;
  /** What has to be there, in words. */
  needs: string;
  /** Shell lines to run first, but for the ones that set the secrets. */
  setup: string[];
}

export const catalogOf = ({ table }: SnippetRequest): string => table?.catalog ?? 'default';

/** The catalog's address as clients are given it; they append `/v1/…`. */
export const catalogUri = (request: SnippetRequest): string => `${request.origin}/v1/${catalogOf(request)}`;

/** Where a service user's key becomes a token. */
export const tokenEndpoint = (request: SnippetRequest): string => `${catalogUri(request)}/v1/oauth/tokens`;
