import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import { mintToken } from '../interop/lakehouse.ts';
import { openPython, type Python } from '../interop/python.ts';
import { type Box, openBox } from '../process/box.ts';
import { type Answer, bearer, type Question, request } from '../process/request.ts';
import { type Server, startServer } from '../process/start-server.ts';
import { createBucket, emptyMoto, OWN_KEYS, openClient, openProxy, type RecordingProxy, type Region } from './moto.ts';

/** A spawned server whose catalog `lake` lies at `s3://lake/wh`; it alone has settings for the storage. */
export interface Lake {
  box: Box;
  /** Clients reach the server through it. */
  front: RecordingProxy;
  /** The server, and clients it has told of it, reach S3 and STS through it. */
  storage: RecordingProxy;
  /** Of a tenant admin. */
  token: string;
  server(): Server;
  /** One more server over the same data. */
  startAnother(): Promise<Server>;
  /** Ends the server and starts it again; `environment` is added to what it had at first. */
  restart(environment?: Record<string, string>): Promise<void>;
  /** What PyIceberg's `load_catalog` takes. */
  as(token: string, catalog?: string): Record<string, string>;
  /** With python/lake.py. */
  openPython(): Python;
  /** A request below `/v1/lake/v1/`, with the token and a wish for vended credentials. */
  send(path: string, question?: Question): Promise<Answer>;
  /** Every request to STS so far, oldest first. */
  sessions(): { policy: string; actions: string[] }[];
  /** What is in the bucket below a prefix. */
  keys(prefix?: string): Promise<string[]>;
  close(): Promise<void>;
}

const DELEGATE = { 'x-iceberg-access-delegation': 'vended-credentials' };
export const SCHEMA = { type: 'struct', fields: [{ id: 1, name: 'id', type: 'long', required: false }] };

/** Opens it over an empty moto. */
export async function openLake(region: Region = 'eu-central-1'): Promise<Lake> {
  await emptyMoto();
  await createBucket('lake', region);
  const box = await openBox();
  const storage = await openProxy();
  const start = (environment: Record<string, string> = {}) =>
    startServer(box, [], {
      env: {
        AWS_ENDPOINT_URL: storage.url,
        AWS_REGION: region,
        AWS_ACCESS_KEY_ID: OWN_KEYS.accessKeyId,
        AWS_SECRET_ACCESS_KEY: OWN_KEYS.secretAccessKey,
        AWS_EC2_METADATA_DISABLED: 'true',
        ...environment,
      },
    });
  let server = await start();
  const front = await openProxy(() => server.origin);
  const token = await mintToken(box, ['--role', 'tenant-admin']);
  const { code, stderr } = await box.admin(['create-catalog', 'lake', '--warehouse', 's3://lake/wh']);
  if (code !== 0) throw new Error(`create-catalog ended with ${code}: ${stderr}`);
  const as: Lake['as'] = (of, catalog = 'lake') => ({ type: 'rest', uri: `${front.url}/v1/${catalog}`, token: of });
  return {
    box,
    front,
    storage,
    token,
    as,
    server: () => server,
    startAnother: () => start(),
    async restart(environment) {
      await server.stop();
      server = await start(environment);
    },
    openPython: () => openPython('../../s3/python/lake.py', box.home, { properties: as(token), warehouse: '' }),
    send: (path, { headers, ...question } = {}) =>
      request(`${front.url}/v1/lake/v1/${path}`, {
        ...question,
        headers: { ...bearer(token), ...DELEGATE, ...headers },
      }),
    sessions: () =>
      storage.seen
        .filter(({ url }) => url === '/')
        .map(({ body }) => {
          const policy = new URLSearchParams(body).get('Policy') ?? '';
          const { Statement }: { Statement: { Action: string[] }[] } = JSON.parse(policy);
          return { policy, actions: Statement.flatMap(({ Action }) => Action) };
        }),
    async keys(Prefix = '') {
      const client = openClient(OWN_KEYS, region);
      const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: 'lake', Prefix }));
      return Contents.map(({ Key = '' }) => Key);
    },
    async close() {
      await box.remove();
      front.close();
      storage.close();
    },
  };
}
