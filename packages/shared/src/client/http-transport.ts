import type { Dispatcher } from 'undici';
import { PangolinError } from '../errors.ts';
import { readAuthorities } from './certificates.ts';
import { isPassing, networkError } from './network-errors.ts';
import { isLoopback } from './origins.ts';
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

const MAX_ANSWER_BYTES = 32 * 1024 * 1024;
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
  let dispatcher: Promise<Dispatcher> | undefined;

  async function sendWithRetries(request: TransportRequest): Promise<TransportAnswer> {
    dispatcher ??= openDispatcher(options, proxy);
    const via = await dispatcher;
    const delays = request.method === 'POST' ? [] : RETRY_DELAYS_MS;
    for (let tries = 0; ; tries += 1) {
      const delayMs = delays[tries];
      try {
        const answer = await dispatchOnce(via, request, options);
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
      const open = await dispatcher?.catch(() => undefined);
      dispatcher = undefined;
      await open?.destroy();
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

async function openDispatcher(options: HttpTransportOptions, proxy: string | null): Promise<Dispatcher> {
  const { caFile, env, connectTimeoutMs = 10_000 } = options;
  const tls = caFile === undefined ? {} : { ca: await readAuthorities(caFile, env.NODE_EXTRA_CA_CERTS) };
  const connect = { ...tls, timeout: connectTimeoutMs };
  if (proxy === null) {
    const { default: Agent } = await import('undici/lib/dispatcher/agent.js');
    return new Agent({ connect });
  }
  // The proxy agent needs methods that only undici's front door installs.
  const { EnvHttpProxyAgent } = await import('undici');
  return new EnvHttpProxyAgent({
    httpProxy: proxy,
    httpsProxy: proxy,
    noProxy: env.no_proxy || env.NO_PROXY || '',
    connect,
    requestTls: connect,
    proxyTls: connect,
  });
}

function dispatchOnce(
  via: Dispatcher,
  { method, path, headers, body }: TransportRequest,
  { origin, answerTimeoutMs = 30_000 }: HttpTransportOptions,
): Promise<TransportAnswer> {
  return new Promise((resolve, reject) => {
    let controller: Dispatcher.DispatchController | undefined;
    let status = 0;
    let received: Record<string, string | string[] | undefined> = {};
    let sizeBytes = 0;
    const chunks: Buffer[] = [];
    const fail = (error: Error) => {
      clearTimeout(timer);
      reject(error);
      controller?.abort(error);
    };
    const timer = setTimeout(
      () => fail(Object.assign(new Error('no whole answer in time'), { code: 'UND_ERR_BODY_TIMEOUT' })),
      answerTimeoutMs,
    );
    via.dispatch(
      // A copy: undici's proxy agent writes a host into the headers it is given.
      { origin, method, path, headers: { ...headers }, body: body ?? null },
      {
        onRequestStart(started) {
          controller = started;
        },
        onResponseStart(_controller, statusCode, answerHeaders) {
          status = statusCode;
          received = answerHeaders;
        },
        onResponseData(_controller, chunk) {
          sizeBytes += chunk.length;
          chunks.push(chunk);
          if (sizeBytes > MAX_ANSWER_BYTES) {
            fail(new PangolinError('unexpected_answer', `${origin} answered more than 32 MiB`));
          }
        },
        onResponseEnd() {
          clearTimeout(timer);
          const header = (name: string) => [received[name] ?? []].flat()[0] ?? null;
          resolve({ status, header, text: Buffer.concat(chunks).toString('utf8') });
        },
        onResponseError(_controller, error) {
          clearTimeout(timer);
          reject(error);
        },
      },
    );
  });
}
