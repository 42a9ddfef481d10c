import type { Dispatcher } from 'undici';
import { type Channel, type ChannelOptions, createBodyCollector, headerReader, withinTime } from './channel.ts';
import type { TransportAnswer, TransportRequest } from './transport-types.ts';

export interface ProxiedChannelOptions extends ChannelOptions {
  /** The proxy's address. */
  proxy: string;
  /** Hosts that are reached without it, as NO_PROXY names them. */
  noProxy: string;
}

/** Talks to a server through a proxy, by undici's tunnels; only then is undici loaded. */
export async function openProxiedChannel(options: ProxiedChannelOptions): Promise<Channel> {
  const { origin, proxy, noProxy, authorities, connectTimeoutMs, answerTimeoutMs } = options;
  const { EnvHttpProxyAgent } = await import('undici');
  const connect = { ...(authorities === undefined ? {} : { ca: authorities }), timeout: connectTimeoutMs };
  const agent = new EnvHttpProxyAgent({
    httpProxy: proxy,
    httpsProxy: proxy,
    noProxy,
    connect,
    requestTls: connect,
    proxyTls: connect,
  });

  return {
    send(request) {
      let abort = (_error: Error): void => undefined;
      const answer = dispatch(agent, origin, request, (stop) => {
        abort = stop;
      });
      return withinTime(answer, answerTimeoutMs, (error) => abort(error));
    },
    close: () => agent.destroy(),
  };
}

function dispatch(
  agent: Dispatcher,
  origin: string,
  { method, path, headers, body }: TransportRequest,
  onStart: (abort: (error: Error) => void) => void,
): Promise<TransportAnswer> {
  return new Promise((resolve, reject) => {
    const collected = createBodyCollector(origin);
    let status = 0;
    let header = headerReader({});
    agent.dispatch(
      // A copy: undici's proxy agent writes a host into the headers it is given.
      { origin, method, path, headers: { ...headers }, body: body ?? null },
      {
        onRequestStart(controller) {
          onStart((error) => controller.abort(error));
        },
        onResponseStart(_controller, statusCode, received) {
          status = statusCode;
          header = headerReader(received);
        },
        onResponseData(controller, chunk) {
          try {
            collected.add(chunk);
          } catch (error) {
            reject(error);
            controller.abort(new Error('too long an answer'));
          }
        },
        onResponseEnd() {
          resolve({ status, header, text: collected.text() });
        },
        onResponseError(_controller, error) {
          reject(error);
        },
      },
    );
  });
}
