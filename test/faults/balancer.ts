import { connect, createServer, type Socket } from 'node:net';

/** A plain TCP balancer: it knows nothing of what it carries, and sends each connection to the next server that answers. */
export interface Balancer {
  origin: string;
  close(): Promise<void>;
}

export async function startBalancer(origins: () => string[]): Promise<Balancer> {
  let turn = 0;
  const sockets = new Set<Socket>();
  const track = (socket: Socket) => {
    sockets.add(socket);
    return socket.on('error', () => {}).once('close', () => sockets.delete(socket));
  };

  /** Tries each server once. */
  function forward(client: Socket, left: number): void {
    turn += 1;
    const { port, hostname } = new URL(origins()[turn % 2] ?? '');
    const server = track(connect({ port: Number(port), host: hostname, noDelay: true }));
    server.once('error', () => {
      if (server.connecting && left > 0) forward(client, left - 1);
      else client.destroy();
    });
    server.once('connect', () => {
      client.pipe(server).pipe(client);
      server.once('close', () => client.destroy());
      client.once('close', () => server.destroy());
    });
  }

  const listener = createServer((client) => forward(track(client), 1));
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const address = listener.address();
  return {
    origin: `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`,
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => listener.close(resolve));
    },
  };
}
