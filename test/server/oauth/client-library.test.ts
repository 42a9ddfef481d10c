import * as oauth from 'oauth4webapi';
import { expect, test } from 'vitest';
import { createServiceUser, openTestServer } from '../harness.ts';
import { startTestServer } from '../start-test-server.ts';

const insecure = { [oauth.allowInsecureRequests]: true };

test.each([
  ['HTTP Basic', oauth.ClientSecretBasic],
  ['the body', oauth.ClientSecretPost],
] as const)(
  'a standard OAuth client finds everything in the metadata document, with its secret in %s',
  async (_, authenticate) => {
    const opened = await openTestServer();
    const etl = await createServiceUser(opened, { name: 'etl', scopes: ['catalog:read'] });
    const server = await startTestServer({ dataDir: opened.dataDir });
    const issuer = new URL(`http://localhost:${server.port}`);
    const discovered = await oauth.discoveryRequest(issuer, { ...insecure, algorithm: 'oauth2' });
    const as = await oauth.processDiscoveryResponse(issuer, discovered);
    const client = { client_id: etl.id };
    const authentication = authenticate(etl.api_key);

    const parameters = new URLSearchParams({ scope: 'catalog:read' });
    const granted = await oauth.clientCredentialsGrantRequest(as, client, authentication, parameters, insecure);
    const token = await oauth.processClientCredentialsResponse(as, client, granted);
    expect(token).toMatchObject({ token_type: 'bearer', expires_in: 3600, scope: 'catalog:read' });

    const introspect = async () => {
      const asked = await oauth.introspectionRequest(as, client, authentication, token.access_token, insecure);
      return oauth.processIntrospectionResponse(as, client, asked);
    };
    expect(await introspect()).toMatchObject({ active: true, client_id: etl.id, scope: 'catalog:read' });
    const me = new URL('/api/v1/users/me', issuer);
    const answer = await oauth.protectedResourceRequest(token.access_token, 'GET', me, undefined, null, insecure);
    expect(await answer.json()).toMatchObject({ id: etl.id });

    const revoked = await oauth.revocationRequest(as, client, authentication, token.access_token, insecure);
    await oauth.processRevocationResponse(revoked);
    expect(await introspect()).toEqual({ active: false });
  },
);

test('a standard OAuth client understands a refusal', async () => {
  const opened = await openTestServer();
  const etl = await createServiceUser(opened, { name: 'etl' });
  const server = await startTestServer({ dataDir: opened.dataDir });
  const issuer = new URL(`http://127.0.0.1:${server.port}`);
  const as = await oauth.processDiscoveryResponse(
    issuer,
    await oauth.discoveryRequest(issuer, { ...insecure, algorithm: 'oauth2' }),
  );
  const client = { client_id: etl.id };
  const wrong = oauth.ClientSecretBasic('pgl_wrong');
  const answer = await oauth.clientCredentialsGrantRequest(as, client, wrong, new URLSearchParams(), insecure);
  await expect(oauth.processClientCredentialsResponse(as, client, answer)).rejects.toMatchObject({ status: 401 });
});

test('the issuer of the metadata is the public URL when there is one', async () => {
  const server = await startTestServer({ publicUrl: 'https://catalog.example.org/ignored' });
  const { text } = await server.exchange({ path: '/.well-known/oauth-authorization-server' });
  expect(JSON.parse(text)).toMatchObject({
    issuer: 'https://catalog.example.org',
    token_endpoint: 'https://catalog.example.org/oauth2/token',
    jwks_uri: 'https://catalog.example.org/.well-known/jwks.json',
  });
});
