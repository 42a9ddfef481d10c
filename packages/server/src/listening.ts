import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import type { Socket } from 'node:net';
import { PangolinError } from '@pangolin/shared/errors';

/** How long requests that were accepted may take to end when the server stops. */
const DRAIN_MS = 7_000;

const OLDEST_TLS = 'TLSv1.2';
const HANDSHAKE_TIMEOUT_MS = 10_000;
const TIMEOUTS = { requestTimeout: 60_000, headersTimeout: 20_000, keepAliveTimeout: 75_000 };

/** What a TLS server shows and holds, in PEM. */
interface Identity {
  cert: Buffer;
  key: Buffer;
}

/** An HTTP server, and the connections on which nothing was asked yet: Node counts them neither idle nor busy. */
interface Listener {
  server: Server | TlsServer;
  silent: Set<Socket>;
  /** Speaks for connections to come with another certificate; those that are open go on. */
  renew(identity: Identity): void;
}

/** A listener that is not listening yet; with an identity it speaks TLS. `refuse` answers what is no HTTP. */
export function createListener(
  answer: RequestListener,
  options: { identity: Identity | null; refuse(error: Error, socket: Socket): void },
): Listener {
  const { identity } = options;
  const tls = identity && createTlsServer({ ...TIMEOUTS, ...readTlsOptions(identity) }, answer);
  const server = tls ?? createServer(TIMEOUTS, answer);
  const silent = new Set<Socket>();
  const watch = (socket: Socket) => {
    silent.add(socket);
    socket.once('close', () => silent.delete(socket));
  };
  server.on('connection', watch);
  if (tls) {
    const handshaking = new Map<string, Socket>();
    tls.on('connection', (socket: Socket) => {
      const name = nameOf(socket);
      handshaking.set(name, socket);
      socket.once('close', () => handshaking.delete(name));
    });
    tls.on('secureConnection', (socket) => {
      const name = nameOf(socket);
      const raw = handshaking.get(name);
      if (raw) silent.delete(raw);
      handshaking.delete(name);
      watch(socket);
    });
  }
  server.on('request', ({ socket }) => silent.delete(socket));
  server.on('clientError', options.refuse);
  return { server, silent, renew: (renewed) => tls?.setSecureContext(readTlsOptions(renewed)) };
}

const readTlsOptions = ({ cert, key }: Identity) =>
  ({
    cert,
    key,
    minVersion: OLDEST_TLS,
    handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
  }) as const;

/** The other end of a connection, which a TLS socket has in common with the one below it. */
const nameOf = ({ remoteAddress, remotePort }: Socket): string => `${remoteAddress} ${remotePort}`;

/** One port on every address; a machine without IPv6 has one address less. */
export async function listenOnAll(
  hosts: readonly string[],
  wantedPort: number,
  create: () => Listener,
): Promise<Listener[]> {
  const listeners: Listener[] = [];
  for (const host of hosts) {
    const listener = create();
    try {
      await listen(listener.server, host, listeners.length === 0 ? wantedPort : portOf(listeners[0]?.server));
      listeners.push(listener);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (listeners.length > 0 && (code === 'EADDRNOTAVAIL' || code === 'EAFNOSUPPORT')) continue;
      for (const open of listeners) open.server.close();
      throw error;
    }
  }
  return listeners;
}

const listen = (server: Server, host: string, port: number): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, ipv6Only: host.includes(':') && host !== '::' }, () => {
      server.off('error', reject);
      resolve();
    });
  });

/** Why an address or port cannot be listened on, as PangolinError; anything else unchanged. */
export function readListenError(error: unknown, port: number): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'EADDRINUSE')
    return new PangolinError('unavailable', `Port ${port} is in use.`, {
      cause: error,
      hint: 'Choose another: pangolin-admin serve --port 8081',
    });
  if (code === 'EACCES')
    return new PangolinError('unavailable', `Port ${port} needs privileges.`, {
      cause: error,
      hint: 'Choose one above 1023: pangolin-admin serve --port 8080',
    });
  if (code === 'EADDRNOTAVAIL')
    return new PangolinError('invalid_argument', 'This machine does not have the address --host names.', {
      cause: error,
    });
  return error;
}

/** Finishes what was accepted; connections that are kept alive are closed as they fall idle. */
export function drain({ server, silent }: Listener): Promise<void> {
  return new Promise((resolve) => {
    const idle = setInterval(() => server.closeIdleConnections(), 50);
    const late = setTimeout(() => server.closeAllConnections(), DRAIN_MS);
    server.close(() => {
      clearInterval(idle);
      clearTimeout(late);
      resolve();
    });
    server.closeIdleConnections();
    for (const socket of silent) socket.destroy();
  });
}

/** 0 where nothing listens. */
export const portOf = (server: Server | undefined): number => {
  const address = server?.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
};

/** As in `127.0.0.1:8080` and `[::1]:8080`. */
export function addressOf(server: Server): string {
  const address = server.address();
  return typeof address === 'object' && address !== null
    ? `${bracket(address.address)}:${address.port}`
    : String(address);
}

/** IPv6 as it is written in URLs. */
export const bracket = (host: string): string => (host.includes(':') ? `[${host}]` : host);
