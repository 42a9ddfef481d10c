/** What a server that listens knows of itself; a command that carries the server inside has none of it. */
export interface Serving {
  /** It takes no more requests: readiness is over. */
  stopping: boolean;
  /** When the TLS certificate ends, in milliseconds since 1970; null: no TLS. */
  certificateEndsAtMs: number | null;
  /** CIDR blocks of those who may read the metrics; none: loopback. */
  metricsAllow: readonly string[];
}
