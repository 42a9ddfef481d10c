import { join } from 'node:path';
import { type Box, openBox } from '../process/box.ts';
import { readId } from '../process/credentials.ts';
import { type Server, startServer } from '../process/start-server.ts';

/** What the Python side is started with. */
export interface Settings {
  /** What `load_catalog` takes. */
  properties: Record<string, string>;
  /** The folder of the catalog's tables. */
  warehouse: string;
}

/** A server with a file warehouse, and what a tenant user needs to work with its catalog `default`. */
export interface Lakehouse {
  box: Box;
  server: Server;
  /** `http://127.0.0.1:<port>/v1/default` */
  uri: string;
  token: string;
  settings: Settings;
  /** The properties for another token. */
  as(token: string): Record<string, string>;
  close(): Promise<void>;
}

/** Commands and the server share a data directory in a home of its own. */
export async function openLakehouse(): Promise<Lakehouse> {
  const box = await openBox();
  try {
    const server = await startServer(box);
    const uri = `${server.origin}/v1/default`;
    const token = await mintToken(box);
    const as = (other: string) => ({ type: 'rest', uri, token: other });
    const warehouse = join(box.dataDir, 'warehouse', 'default');
    const settings = { properties: as(token), warehouse };
    return { box, server, uri, token, settings, as, close: () => box.remove() };
  } catch (error) {
    await box.remove();
    throw error;
  }
}

/** What `pangolin-user get-token` prints. */
export async function mintToken(box: Box, argv: string[] = []): Promise<string> {
  const { stdout, stderr, code } = await box.user(['get-token', ...argv]);
  if (code !== 0) throw new Error(`get-token ended with ${code}: ${stderr}`);
  return stdout.trim();
}

/** What `pangolin-admin create-service-user` prints. */
export async function createServiceUser(
  box: Box,
  name: string,
  argv: string[] = [],
): Promise<{ id: string; key: string }> {
  const { stdout, stderr, code } = await box.admin(['create-service-user', '--name', name, ...argv]);
  if (code !== 0) throw new Error(`create-service-user ended with ${code}: ${stderr}`);
  return { id: readId(stderr), key: stdout.trim() };
}
