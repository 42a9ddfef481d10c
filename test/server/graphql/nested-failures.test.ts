import { expect, test } from 'vitest';
import { createLoggedIn, openTestServer } from '../harness.ts';
import { post } from './graphql.ts';

test.each([
  {
    what: 'a count',
    failing: '"count"',
    query: '{ listAccessTokens(input: {filters: [{field: "ownerUrn", value: "urn:li:corpuser:alice"}]}) { total } }',
    path: ['listAccessTokens', 'total'],
  },
  {
    what: 'the email of whoever asks',
    failing: '"users"',
    query: '{ me { corpUser { properties { email } } } }',
    path: ['me', 'corpUser', 'properties'],
  },
])('$what that cannot be read is logged under the id of its request', async ({ failing, query, path }) => {
  const server = await openTestServer();
  const { caller } = await createLoggedIn(server, 'alice');
  const { db } = server.deps;
  const read = db.read.withPlugin({
    transformQuery({ node }) {
      if (JSON.stringify(node).includes(failing)) throw new Error('cannot read');
      return node;
    },
    transformResult: async ({ result }) => result,
  });
  server.deps.db = { ...db, read };
  const { headers, json } = await post(caller, { query });
  expect(json).toMatchObject({ errors: [{ path, extensions: { type: 'SERVER_ERROR' } }] });
  const [failure] = server.logs.map((line) => JSON.parse(line)).filter(({ level }) => level === 'error');
  expect(failure).toMatchObject({
    request_id: headers.get('x-request-id') ?? 'none',
    err: { message: 'cannot read' },
  });
});
