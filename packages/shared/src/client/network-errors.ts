import { PangolinError } from '../errors.ts';

const UNTRUSTED = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'CERT_UNTRUSTED',
]);

const REASONS: Record<string, string> = {
  ECONNREFUSED: 'nothing listens there',
  ENOTFOUND: 'its name is not known',
  EAI_AGAIN: 'its name could not be looked up',
  ECONNRESET: 'the connection was closed',
  EPIPE: 'the connection was closed',
  UND_ERR_SOCKET: 'the connection was closed',
  EHOSTUNREACH: 'there is no way to that host',
  ENETUNREACH: 'there is no network',
};

/** Errors after which an idempotent request is worth another try. */
const PASSING = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'EAI_AGAIN', 'ENETDOWN', 'UND_ERR_SOCKET']);

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';

/** Whether the same request may succeed in a moment. */
export const isPassing = (error: unknown): boolean => PASSING.has(codeOf(error));

const isTls = (code: string) =>
  UNTRUSTED.has(code) || /^(?:ERR_TLS_|ERR_SSL_|CERT_|CRL_|UND_ERR_PRX_TLS|EPROTO$|HOSTNAME_MISMATCH)/.test(code);

function tlsError(origin: string, code: string, cause: unknown): PangolinError {
  if (UNTRUSTED.has(code)) {
    return new PangolinError('tls_failed', `The certificate of ${origin} is not signed by an authority known here`, {
      cause,
      hint: "If that is your organisation's own authority, name its certificate: --ca-file FILE or PANGOLIN_CA_FILE=FILE",
    });
  }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID' || code === 'HOSTNAME_MISMATCH') {
    return new PangolinError('tls_failed', `The certificate of ${origin} was made for another host name`, {
      cause,
      hint: 'Use the name the certificate was made for; --ca-file FILE helps only against an unknown authority',
    });
  }
  if (code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID') {
    return new PangolinError('tls_failed', `The certificate of ${origin} is not valid today (${code})`, {
      cause,
      hint: "Check this machine's clock, and whether the server's certificate was renewed",
    });
  }
  return new PangolinError('tls_failed', `No TLS connection to ${origin} could be made (${code})`, {
    cause,
    hint: 'Check that the server speaks https on that port; for a private authority give --ca-file FILE',
  });
}

/** Turns what the network layer threw into a PangolinError that names the origin and what to check, and no secret. */
export function networkError(origin: string, cause: unknown, proxy: string | null): PangolinError {
  if (cause instanceof PangolinError) return cause;
  const code = codeOf(cause);
  if (isTls(code)) return tlsError(origin, code, cause);
  const way = proxy === null ? '' : ` through the proxy ${proxy}`;
  if (/TIMEOUT|ETIMEDOUT/.test(code)) {
    return new PangolinError('network_timeout', `${origin} did not answer in time${way}`, {
      cause,
      hint: 'Check the address and the network, or try again',
    });
  }
  if (code.startsWith('HPE_') || (cause instanceof Error && cause.name === 'HTTPParserError')) {
    return new PangolinError('unexpected_answer', `${origin} does not answer in HTTP`, {
      cause,
      hint: 'Check the address, its port, and whether it needs https://',
    });
  }
  const reason = REASONS[code] ?? (proxy === null ? code || 'the connection failed' : 'the proxy refused');
  return new PangolinError('network_unreachable', `${origin} cannot be reached${way}: ${reason}`, {
    cause,
    hint:
      proxy === null
        ? 'Check the address (--url, PANGOLIN_URL), that the server runs, and the network'
        : 'Check HTTPS_PROXY, HTTP_PROXY and NO_PROXY, and the address (--url, PANGOLIN_URL)',
  });
}
