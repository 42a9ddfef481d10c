import type { Endpoint } from '@pangolin/shared/contract/endpoint';

const PROBLEM = {
  type: 'object',
  description: 'RFC 9457 problem details',
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string' },
    code: { type: 'string', description: 'stable' },
    error: { type: 'string' },
    hint: { type: 'string' },
    request_id: { type: 'string' },
    errors: {
      type: 'array',
      items: {
        type: 'object',
        properties: { field: { type: 'string' }, message: { type: 'string' } },
        required: ['field', 'message'],
      },
    },
  },
  required: ['type', 'title', 'status', 'detail', 'code', 'error', 'request_id'],
};

const OAUTH_ERROR = {
  type: 'object',
  description: 'RFC 6749 section 5.2',
  properties: { error: { type: 'string' }, error_description: { type: 'string' } },
  required: ['error'],
};

const HEADERS = {
  'X-Request-Id': {
    description: "The caller's own X-Request-Id if it matches the pattern, else a new one; the server's log has it",
    required: true,
    schema: { type: 'string', pattern: '^[A-Za-z0-9._-]{1,64}$' },
  },
  'Pangolin-Token-Expires': {
    description: 'When the presented credential ends, if that is within 14 days',
    schema: { type: 'string', format: 'date-time' },
  },
  Link: { description: 'RFC 8288; rel="next" where the list goes on', schema: { type: 'string' } },
  'X-Total-Count': { description: 'If asked for by count=true', schema: { type: 'integer', minimum: 0 } },
  'WWW-Authenticate': { description: 'RFC 6750 section 3', schema: { type: 'string' } },
  'Retry-After': { description: 'In seconds', schema: { type: 'integer', minimum: 1 } },
};

type HeaderName = keyof typeof HEADERS;

/** How requests are refused, by status. */
const REFUSALS: Record<number, { name: string; description: string; headers?: HeaderName[] }> = {
  400: { name: 'Invalid', description: 'The request is not valid' },
  401: {
    name: 'Unauthenticated',
    description: 'No credential, or one that is not accepted; `code` has the reason',
    headers: ['WWW-Authenticate'],
  },
  403: { name: 'Forbidden', description: 'Not allowed', headers: ['WWW-Authenticate'] },
  404: { name: 'NotFound', description: 'There is no such thing here' },
  408: { name: 'TimedOut', description: 'The request did not arrive in time' },
  409: { name: 'Conflict', description: 'Something else is in the way' },
  413: { name: 'TooLarge', description: 'The body is too large' },
  415: { name: 'UnsupportedMediaType', description: 'The content type is not supported' },
  421: { name: 'WrongHost', description: 'This server does not answer for that host' },
  422: { name: 'RefusedByPolicy', description: 'Refused by policy; the answer names the limit' },
  429: { name: 'TooManyRequests', description: 'Too many failed attempts', headers: ['Retry-After'] },
  431: { name: 'HeadersTooLarge', description: 'The headers, or the URL, are too large' },
  503: { name: 'Unavailable', description: 'Not available right now', headers: ['Retry-After'] },
};

/** What is refused before anything is known of the path: always by problem details. */
const BELOW_HTTP = [400, 408, 431];

/** The parts of the document that answers refer to. */
export const RESPONSE_COMPONENTS = {
  schemas: { Problem: PROBLEM, OAuthError: OAUTH_ERROR },
  headers: HEADERS,
  responses: Object.fromEntries(
    Object.entries(REFUSALS).flatMap(([status, { name, description, headers = [] }]) => {
      const problem = { 'application/problem+json': ref('schemas', 'Problem') };
      const oauth = { 'application/json': ref('schemas', 'OAuthError') };
      const common = { description, headers: describeHeaders(['Pangolin-Token-Expires', ...headers]) };
      return [
        [name, { ...common, content: problem }],
        [
          `OAuth${name}`,
          { ...common, content: BELOW_HTTP.includes(Number(status)) ? { ...oauth, ...problem } : oauth },
        ],
      ];
    }),
  ),
};

/** Every status an endpoint answers a refusal with; 500, which is a bug, is not among them. */
function refusalsOf(endpoint: Endpoint): number[] {
  const { access, method, body, refusals = [] } = endpoint;
  const takesBody = body ? [413, 415] : [];
  const needsCredential = access === 'credential' ? [401, 403, 404, 429] : [];
  const changes = method === 'get' ? [] : [403];
  const all = [400, 408, 421, 431, 503, ...takesBody, ...needsCredential, ...changes];
  return [...new Set([...all, ...refusals])].sort((a, b) => a - b);
}

/** The `responses` of an operation; `answer` is the content of a success. */
export function describeResponses(endpoint: Endpoint, content: object | undefined): Record<string, object> {
  const { status, unchangedStatus, query, access } = endpoint;
  const isList = Object.hasOwn((query as { shape?: object } | undefined)?.shape ?? {}, 'cursor');
  const headers = describeHeaders([
    ...(access === 'credential' ? (['Pangolin-Token-Expires'] as const) : []),
    ...(isList ? (['Link', 'X-Total-Count'] as const) : []),
  ]);
  const done = { headers, ...(content && { content }) };
  const dialect = endpoint.bodyType === 'form' ? 'OAuth' : '';
  return {
    [status]: { description: 'Done', ...done },
    ...(unchangedStatus !== undefined && { [unchangedStatus]: { description: 'It was so already', ...done } }),
    ...Object.fromEntries(
      refusalsOf(endpoint).map((refusal) => [
        refusal,
        { $ref: `#/components/responses/${dialect}${REFUSALS[refusal]?.name}` },
      ]),
    ),
  };
}

function ref(kind: string, name: string): object {
  const reference = { $ref: `#/components/${kind}/${name}` };
  return kind === 'schemas' ? { schema: reference } : reference;
}

function describeHeaders(names: HeaderName[]): Record<string, object> {
  return Object.fromEntries((['X-Request-Id', ...names] as const).map((name) => [name, ref('headers', name)]));
}
