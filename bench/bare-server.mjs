// What the framework alone can do: a Hono app that answers the bytes it was given.
import { serve } from '@hono/node-server';
import { Hono } from 'hono';

const body = process.argv[2] ?? '{}';
const app = new Hono();
app.get('/api/v1/users/me', (c) => c.body(body, 200, { 'content-type': 'application/json' }));
serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, ({ port }) => process.send?.({ port }));
