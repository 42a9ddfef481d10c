import { connect, createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/** Stands between servers and their database, and can be told to fail. */
export interface DatabaseProxy {
  /** The database's URL, by way of the proxy. */
  url: string;
  /** Cuts every connection, and refuses new ones. */
  cut(): void;
  /** Holds everything back, in both directions; connections stay open, and new ones get no answer. */
  hold(): void;
  /** Lets everything through again. */
  mend(): void;
  /** Cuts a connection once the server's next statements with such words have reached the database, before the answer. */
  cutAfter(words: string): void;
  /** Cuts a connection instead of passing such words on. */
  cutBefore(words: string): void;
  close(): Promise<void>;
}

/** Opens a proxy to a database until the test ends. */
export async function openProxy(databaseUrl: string): Promise<DatabaseProxy> {
  const proxy = await startProxy(databaseUrl);
  onTestFinished(proxy.close);
  return proxy;
}

/** Opens a proxy to a database until it is closed. */
export async function startProxy(databaseUrl: string): Promise<DatabaseProxy> {
  const target = new URL(databaseUrl);
  let state: 'open' | 'cut' | 'held' = 'open';
  let trap: { words: string; passesOn: boolean } | undefined;
  const sockets = new Set<Socket>();
  const track = (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).once('close', () => sockets.delete(socket));
    if (state === 'held') socket.pause();
    return socket;
  };
  const server = createServer((client) => {
    if (state === 'cut') return void client.destroy();
    const database = track(connect({ port: Number(target.port), host: target.hostname, noDelay: true }));
    track(client.setNoDelay());
    let isTrapped = false;
    client.on('data', (chunk) => {
      if (trap && chunk.includes(trap.words)) {
        const { passesOn } = trap;
        trap = undefined;
        isTrapped = true;
        if (!passesOn) return void client.destroy();
      }
      database.write(chunk);
    });
    database.on('data', (chunk) => (isTrapped ? void client.destroy() : void client.write(chunk)));
    client.on('close', () => database.destroy());
    database.on('close', () => client.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const url = new URL(databaseUrl);
  url.port = String(typeof address === 'object' ? address?.port : '');
  return {
    url: url.href,
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
    cutAfter(words) {
      trap = { words, passesOn: true };
    },
    cutBefore(words) {
      trap = { words, passesOn: false };
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
