// What the framework alone can do: a Hono app that answers the bytes it was given.
import { serve } from '@hono/node-server';
import { Hono } from 'hono';

process.once('message', ({ path, body }) => {
  const app = new Hono();
  const answer = (c) => c.body(body, 200, { 'content-type': 'application/json' });
  app.get(path, answer);
  app.post(path, async (c) => {
    await c.req.json();
    return answer(c);
  });
  serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, ({ port }) => process.send?.({ port }));
});
