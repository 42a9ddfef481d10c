import type { Transport } from '../client/transport-types.ts';

/** A secret ready to be presented. */
export interface ObtainedSecret {
  kind: 'bearer' | 'api_key';
  secret: string;
  /** When another one must be obtained; null when nobody knows. */
  expiresAtMs: number | null;
  /** It was made for this client alone and is revoked when the client closes. */
  revokeOnClose?: boolean;
}

/** The server a secret is obtained from. */
export interface SecretServer {
  transport: Transport;
  origin: string;
  userAgent: string;
}

/** The headers that present a secret. */
export const headersOf = ({ kind, secret }: ObtainedSecret): Record<string, string> =>
  kind === 'bearer' ? { authorization: `Bearer ${secret}` } : { 'x-api-key': secret };
