import { connect, createServer, type Socket } from 'node:net';

/** A TCP proxy between a server and its database, which can be made to fail. */
export interface DatabaseProxy {
  port: number;
  /** Cuts every connection, and every new one. */
  cut(): void;
  /** Holds everything back, in both directions; connections stay open. */
  hold(): void;
  /** Lets everything through again. */
  mend(): void;
  close(): Promise<void>;
}

export async function startProxy(targetPort: number): Promise<DatabaseProxy> {
  let state: 'open' | 'cut' | 'held' = 'open';
  const sockets = new Set<Socket>();
  const track = (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).once('close', () => sockets.delete(socket));
    if (state === 'held') socket.pause();
    return socket;
  };
  const server = createServer((client) => {
    if (state === 'cut') return void client.destroy();
    const database = track(connect({ port: targetPort, host: '127.0.0.1', noDelay: true }));
    track(client);
    for (const [from, to] of [
      [client, database],
      [database, client],
    ] as const) {
      from.on('data', (chunk) => to.write(chunk));
      from.on('close', () => to.destroy());
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    port: typeof address === 'object' && address ? address.port : 0,
    cut() {
      state = 'cut';
      for (const socket of sockets) socket.destroy();
    },
    hold() {
      state = 'held';
      for (const socket of sockets) socket.pause();
    },
    mend() {
      state = 'open';
      for (const socket of sockets) socket.resume();
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
