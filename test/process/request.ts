import { type IncomingHttpHeaders, request as startRequest } from 'node:http';

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
}

export interface Question {
  method?: string;
  headers?: Record<string, string>;
  /** Sent form-encoded, as `curl -d` does. */
  form?: Record<string, string>;
  json?: object;
}

/** One request on a connection of its own, as curl makes it. */
export const request = (url: string, { method, headers = {}, form, json }: Question = {}): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const body = form ? new URLSearchParams(form).toString() : json && JSON.stringify(json);
    const asked = startRequest(
      url,
      {
        method: method ?? (body === undefined ? 'GET' : 'POST'),
        agent: false,
        headers: {
          ...(body !== undefined && {
            'content-type': form ? 'application/x-www-form-urlencoded' : 'application/json',
            'content-length': `${Buffer.byteLength(body)}`,
          }),
          ...headers,
        },
      },
      (answer) => {
        let text = '';
        answer.setEncoding('utf8');
        answer.on('data', (part: string) => {
          text += part;
        });
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text }));
        answer.on('error', reject);
      },
    );
    asked.on('error', reject);
    asked.end(body);
  });

export const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

/** Whether a server lets a token in: 200 is yes, 401 is no, anything else is an error. */
export const isAccepted = (origin: string, token: string): Promise<boolean> =>
  judge(`${origin}/api/v1/users/me`, bearer(token));

/** Whether a server lets an API key in. */
export const isKeyAccepted = (origin: string, key: string): Promise<boolean> =>
  judge(`${origin}/api/v1/catalogs`, { 'x-api-key': key });

async function judge(url: string, headers: Record<string, string>): Promise<boolean> {
  const { status, text } = await request(url, { headers });
  if (status !== 200 && status !== 401) throw new Error(`${url} answered ${status}: ${text}`);
  return status === 200;
}
