import type { IncomingHttpHeaders } from 'node:http';
import type { Context } from 'hono';
import type { Origin } from '../credentials/caller.ts';
import { normalizeAddress } from '../networks.ts';
import { findClientAddress } from './client-address.ts';
import type { Bindings, Env } from './env.ts';

const MAX_CLIENT_LENGTH = 200;
const PRINTABLE = /^[\x20-\x7e]*$/;

/** A request header, by its lower-case name. Node's own map is read where there is one: it needs no Headers object. */
export function readHeader(c: Context<Env>, name: string): string | undefined {
  const { incoming } = c.env;
  if (!incoming) return c.req.raw.headers.get(name) ?? undefined;
  const value = incoming.headers[name];
  return Array.isArray(value) ? value.join(', ') : value;
}

/**
 * The address of the caller, IPv4 written as such; null in embedded mode. The one place that decides it: for the audit
 * log, last use, limits and allowed networks alike. X-Forwarded-For counts only from trusted proxies.
 */
export function readAddress({ env: { incoming, trustedProxies } }: { env: Bindings }): string | null {
  const peer = readPeer(incoming);
  if (peer === null || trustedProxies === undefined) return peer;
  const forwardedFor = incoming?.headers['x-forwarded-for'];
  return findClientAddress(peer, Array.isArray(forwardedFor) ? forwardedFor.join(',') : forwardedFor, trustedProxies);
}

/** The address at the other end of the connection, whoever it speaks for. */
export function readPeer(incoming: Bindings['incoming']): string | null {
  const address = incoming?.socket.remoteAddress;
  return address === undefined ? null : normalizeAddress(address);
}

/** What a proxy, a balancer or a tunnel adds to what it passes on. */
const FORWARDED =
  /^(?:x-forwarded(?:-.*)?|forwarded|via|cdn-loop|(?:x-real|x-client|x-cluster-client|cf-connecting|true-client|fly-client)-ip|x-envoy-.*|x-original-.*|x-amzn-trace-id|tailscale-.*)$/;

/** Whether a request came through a proxy that says so. */
export const isForwarded = (headers: IncomingHttpHeaders): boolean =>
  Object.keys(headers).some((name) => FORWARDED.test(name));

/** The caller's User-Agent, bounded and without control characters. */
export function readClient(c: Context<Env>): string | null {
  const agent = c.env.owner?.client ?? readHeader(c, 'user-agent');
  if (agent === undefined) return null;
  // Node refuses control characters in headers; what is left to refuse is rare.
  return agent.length <= MAX_CLIENT_LENGTH && PRINTABLE.test(agent)
    ? agent
    : agent.slice(0, MAX_CLIENT_LENGTH).replace(/[^\x20-\x7e]/g, '?');
}

export const readOrigin = (c: Context<Env>): Origin => ({
  address: readAddress(c),
  client: readClient(c),
  requestId: c.env.requestId,
});

/** Whether the request came over TLS to this server itself; what a proxy in front of it did is not known here. */
export const isOverTls = ({ env: { incoming } }: { env: Bindings }): boolean =>
  incoming !== undefined && 'encrypted' in incoming.socket;
