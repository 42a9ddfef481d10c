import { request } from 'node:http';

/** An answer, or null where none came: refused, cut off, or later than anybody waits. */
export type Outcome = { status: number; json: Record<string, unknown> } | null;

const PATIENCE_MS = 8_000;

/** One request on a connection of its own, so that a server that was killed costs no other request. */
export const ask = (origin: string, path: string, secret: string | null, init: Init = {}): Promise<Outcome> =>
  new Promise((resolve) => {
    const body = init.form ? new URLSearchParams(init.form).toString() : init.json && JSON.stringify(init.json);
    const asked = request(
      origin + path,
      {
        method: init.method ?? (body === undefined ? 'GET' : 'POST'),
        agent: false,
        timeout: init.patienceMs ?? PATIENCE_MS,
        headers: {
          ...(secret !== null &&
            (secret.startsWith('pgl_') ? { 'x-api-key': secret } : { authorization: `Bearer ${secret}` })),
          ...(body !== undefined && {
            'content-type': init.form ? 'application/x-www-form-urlencoded' : 'application/json',
            'content-length': String(Buffer.byteLength(body)),
          }),
        },
      },
      (answer) => {
        let text = '';
        answer.setEncoding('utf8');
        answer.on('data', (part: string) => {
          text += part;
        });
        answer.on('error', () => resolve(null));
        answer.on('end', () => resolve(answer.complete ? read(answer.statusCode ?? 0, text) : null));
      },
    );
    asked.on('timeout', () => asked.destroy());
    asked.on('error', () => resolve(null));
    asked.on('close', () => resolve(null));
    asked.end(body);
  });

interface Init {
  method?: string;
  json?: object;
  form?: Record<string, string>;
  patienceMs?: number;
}

function read(status: number, text: string): Outcome {
  try {
    return { status, json: text === '' ? {} : JSON.parse(text) };
  } catch {
    return { status, json: { text } };
  }
}
