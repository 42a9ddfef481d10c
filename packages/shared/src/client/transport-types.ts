/** One HTTP request as the client sees it; `path` starts with a slash and carries its query. */
export interface TransportRequest {
  method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  path: string;
  /** Lower-case names. */
  headers: Record<string, string>;
  body?: string;
}

export interface TransportAnswer {
  status: number;
  /** The header's value, or null; names in lower case. */
  header(name: string): string | null;
  text: string;
}

/** Carries requests to one server: over HTTP, or into a server in the same process. */
export interface Transport {
  /** `https://host:port` of the server; null for the embedded one. */
  readonly origin: string | null;
  /** Throws PangolinError `network_…`, `tls_failed` or `insecure_transport`; any HTTP status is an answer. */
  send(request: TransportRequest): Promise<TransportAnswer>;
  close(): Promise<void>;
}
