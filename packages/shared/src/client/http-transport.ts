import { PangolinError } from '../errors.ts';
import { readAuthorities } from './certificates.ts';
import type { Channel } from './channel.ts';
import { openDirectChannel } from './direct-channel.ts';
import { isPassing, networkError } from './network-errors.ts';
import { isLoopback } from './origins.ts';
import { openProxiedChannel } from './proxied-channel.ts';
import type { Transport, TransportAnswer, TransportRequest } from './transport-types.ts';

export interface HttpTransportOptions {
  /** `https://host:port`, as readOrigin answers it. */
  origin: string;
  /** PEM file of authorities that are trusted besides the system's. */
  caFile?: string | undefined;
  /** Lets credentials travel over plain http to other machines. */
  insecureHttp?: boolean | undefined;
  /** For HTTP_PROXY, HTTPS_PROXY, NO_PROXY and NODE_EXTRA_CA_CERTS. */
  env: Readonly<Record<string, string | undefined>>;
  connectTimeoutMs?: number;
  answerTimeoutMs?: number;
}

const RETRY_DELAYS_MS = [100, 400];
const RETRY_STATUSES = new Set([502, 503, 504]);

/**
 * Carries requests to a server over HTTP/1.1. Redirects are answers, not followed. GET, PUT and DELETE are tried again
 * twice when the connection fails or a gateway says 502, 503 or 504; POST never is.
 * `send` throws `network_unreachable`, `network_timeout`, `tls_failed`, `insecure_transport`, `unexpected_answer`, and
 * `invalid_argument` for an unreadable certificate file.
 */
export function createHttpTransport(options: HttpTransportOptions): Transport {
  const { origin } = options;
  const { protocol, hostname } = new URL(origin);
  const proxy = proxyFor(protocol, hostname, options.env);
  const mayCarrySecrets = protocol === 'https:' || isLoopback(hostname) || options.insecureHttp === true;
  let channel: Promise<Channel> | undefined;

  async function sendWithRetries(request: TransportRequest): Promise<TransportAnswer> {
    channel ??= openChannel(options, proxy);
    const { send } = await channel;
    const delays = request.method === 'POST' ? [] : RETRY_DELAYS_MS;
    for (let tries = 0; ; tries += 1) {
      const delayMs = delays[tries];
      try {
        const answer = await send(request);
        if (tries > 0 && request.method === 'DELETE' && answer.status === 404)
          return { ...answer, status: 204, text: '' };
        if (delayMs === undefined || !RETRY_STATUSES.has(answer.status) || answer.header('retry-after') !== null) {
          return answer;
        }
      } catch (cause) {
        if (delayMs === undefined || !isPassing(cause)) throw networkError(origin, cause, proxy && new URL(proxy).host);
      }
      await new Promise((resolve) => setTimeout(resolve, delayMs));
    }
  }

  return {
    origin,
    async send(request) {
      if (!mayCarrySecrets && carriesSecret(request)) {
        throw new PangolinError('insecure_transport', `A credential would travel to ${origin} unencrypted`, {
          hint: 'Use https://, or --insecure-http if nobody else can listen on the way',
        });
      }
      return sendWithRetries(request);
    },
    async close() {
      const open = await channel?.catch(() => undefined);
      channel = undefined;
      await open?.close();
    },
  };
}

const carriesSecret = ({ headers, body }: TransportRequest) =>
  body !== undefined || headers.authorization !== undefined || headers['x-api-key'] !== undefined;

/** The proxy the environment names for this server, or null; loopback never uses one. */
function proxyFor(protocol: string, hostname: string, env: HttpTransportOptions['env']): string | null {
  if (isLoopback(hostname)) return null;
  const proxy = protocol === 'https:' ? env.https_proxy || env.HTTPS_PROXY : env.http_proxy || env.HTTP_PROXY;
  if (!proxy) return null;
  const address = proxy.includes('://') ? proxy : `http://${proxy}`;
  if (URL.canParse(address)) return address;
  throw new PangolinError('invalid_argument', 'The proxy named in HTTPS_PROXY or HTTP_PROXY is not an address', {
    hint: 'Set it to http://host:port, or leave it out with NO_PROXY',
  });
}

async function openChannel(options: HttpTransportOptions, proxy: string | null): Promise<Channel> {
  const { origin, caFile, env, connectTimeoutMs = 10_000, answerTimeoutMs = 30_000 } = options;
  const authorities = caFile === undefined ? undefined : await readAuthorities(caFile, env.NODE_EXTRA_CA_CERTS);
  const common = { origin, authorities, connectTimeoutMs, answerTimeoutMs };
  if (proxy === null) return openDirectChannel(common);
  return openProxiedChannel({ ...common, proxy, noProxy: env.no_proxy || env.NO_PROXY || '' });
}
