import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createServiceUser, type Lakehouse, mintToken, openLakehouse } from './lakehouse.ts';
import { openPython, runPython } from './python.ts';

/** The two examples of the documentation; what differs from it is the port, the token and the key. */
const withToken = (url: string, token: string) => `
from pyiceberg.catalog import load_catalog
catalog = load_catalog("my_catalog", **{"uri": "${url}/v1/my_catalog", "token": "${token}"})
table = catalog.load_table("my_namespace.my_table")
df = table.scan().to_arrow()
`;

const withCredential = (url: string, id: string, key: string) => `
from pyiceberg.catalog import load_catalog
catalog = load_catalog("pangolin", **{
    "uri": "${url}/v1/default/",
    "credential": "${id}:${key}",
    "oauth2-server-uri": "${url}/v1/default/v1/oauth/tokens",
    "scope": "catalog", "type": "rest"})
`;

const PRINT = 'print(sorted(df["id"].to_pylist()))';
const LOAD = 'df = catalog.load_table("my_namespace.my_table").scan().to_arrow()';

let lakehouse: Lakehouse;
beforeAll(async () => {
  lakehouse = await openLakehouse();
  const { box, server, settings } = lakehouse;
  const created = await box.admin(['create-catalog', 'my_catalog']);
  expect(created).toMatchObject({ code: 0 });
  const python = openPython('session.py', box.home, settings);
  for (const catalog of ['my_catalog', 'default']) {
    await python.call('connect', { ...settings.properties, uri: `${server.origin}/v1/${catalog}` });
    await python.call('create', { name: 'my_namespace.my_table', numbers: catalog === 'default' ? [4, 5] : [1, 2, 3] });
  }
  await python.close();
});
afterAll(() => lakehouse?.close());

const run = (program: string, env: Record<string, string> = {}) => runPython(lakehouse.box.home, program, env);

describe('the examples of the documentation, as they stand', () => {
  test('a token of get-token opens the table and reads it', async () => {
    const { server, token } = lakehouse;
    const { stdout, stderr, code } = await run(`${withToken(server.url, token)}\n${PRINT}`);
    expect({ stdout, code }, stderr).toEqual({ stdout: '[1, 2, 3]\n', code: 0 });
  });

  test('a token that is minted while the server runs, with --description and --expires-in, works the same', async () => {
    const token = await mintToken(lakehouse.box, ['--description', 'PyIceberg automation', '--expires-in', '90']);
    const { stdout, stderr, code } = await run(`${withToken(lakehouse.server.url, token)}\n${PRINT}`);
    expect({ stdout, code }, stderr).toEqual({ stdout: '[1, 2, 3]\n', code: 0 });
  });

  test('the id and the key of create-service-user open the catalog', async () => {
    const { id, key } = await createServiceUser(lakehouse.box, 'etl');
    const program = `${withCredential(lakehouse.server.url, id, key)}\n${LOAD}\n${PRINT}`;
    const { stdout, stderr, code } = await run(program);
    expect({ stdout, code }, stderr).toEqual({ stdout: '[4, 5]\n', code: 0 });
  });

  test('without oauth2-server-uri PyIceberg finds the token endpoint by itself', async () => {
    const { id, key } = await createServiceUser(lakehouse.box, 'finder');
    const program = withCredential(lakehouse.server.url, id, key).replace(/ *"oauth2-server-uri".*\n/, '');
    expect(program).not.toContain('oauth2');
    const { stdout, stderr, code } = await run(`${program}\n${LOAD}\n${PRINT}`);
    expect({ stdout, code }, stderr).toEqual({ stdout: '[4, 5]\n', code: 0 });
  });

  test('PyIceberg’s newer way of OAuth, with HTTP Basic, opens the catalog too', async () => {
    const { id, key } = await createServiceUser(lakehouse.box, 'basic');
    const { url } = lakehouse.server;
    const { stdout, stderr, code } = await run(`
from pyiceberg.catalog import load_catalog
catalog = load_catalog("pangolin", **{"type": "rest", "uri": "${url}/v1/default", "auth": {"type": "oauth2", "oauth2": {
    "client_id": "${id}", "client_secret": "${key}", "token_url": "${url}/v1/oauth/tokens", "scope": "catalog"}}})
${LOAD}
${PRINT}`);
    expect({ stdout, code }, stderr).toEqual({ stdout: '[4, 5]\n', code: 0 });
  });

  test('the settings come from PyIceberg’s environment variables as well', async () => {
    const { server, token } = lakehouse;
    const program = `from pyiceberg.catalog import load_catalog\ncatalog = load_catalog("lake")\n${LOAD}\n${PRINT}`;
    const env = { PYICEBERG_CATALOG__LAKE__URI: `${server.url}/v1/default`, PYICEBERG_CATALOG__LAKE__TOKEN: token };
    const { stdout, stderr, code } = await run(program, env);
    expect({ stdout, code }, stderr).toEqual({ stdout: '[4, 5]\n', code: 0 });
  });

  test('a made-up token is refused as unauthorized', async () => {
    const { stdout, stderr, code } = await run(withToken(lakehouse.server.url, 'eyJhbGciOiJub25lIn0.e30.'));
    expect({ stdout, code }).toEqual({ stdout: '', code: 1 });
    expect(stderr).toContain('UnauthorizedError');
  });

  test('a wrong key is refused by name: invalid_client', async () => {
    const { id, key } = await createServiceUser(lakehouse.box, 'mistyped');
    const wrong = `${key.slice(0, -2)}${key.endsWith('00') ? '11' : '00'}`;
    const { stdout, stderr, code } = await run(withCredential(lakehouse.server.url, id, wrong));
    expect({ stdout, code }).toEqual({ stdout: '', code: 1 });
    expect(stderr).toMatch(/OAuthError: invalid_client/);
  });
});
