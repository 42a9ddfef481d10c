import { randomUUID } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { ERRORS } from '@pangolin/shared/errors';
import type { Deps } from '../deps.ts';
import { normalizeAddress } from '../networks.ts';

/** What Node's parser refuses, by its code; anything else is 400. */
const REFUSALS: Record<string, { status: number; detail: string }> = {
  HPE_HEADER_OVERFLOW: { status: 431, detail: 'The headers are too large.' },
  HPE_CHUNK_EXTENSIONS_OVERFLOW: { status: 413, detail: 'The chunk extensions are too large.' },
  ERR_HTTP_REQUEST_TIMEOUT: { status: 408, detail: 'The request did not arrive in time.' },
};
const MALFORMED = { status: 400, detail: 'That is not a valid HTTP request.' };

/** Answers what is no HTTP and therefore never becomes a request, in the shape of every other refusal. */
export function createParserRefusal({ log, metrics }: Pick<Deps, 'log' | 'metrics'>) {
  return (error: NodeJS.ErrnoException, socket: Socket): void => {
    // What broke below HTTP, such as a TLS handshake, has nobody who would read an answer.
    const isHttp = /^(?:HPE_|ERR_HTTP_)/.test(error.code ?? '');
    if (!isHttp || !socket.writable || hasBegunAnswer(socket)) {
      socket.destroy();
      return;
    }
    const { status, detail } = REFUSALS[error.code ?? ''] ?? MALFORMED;
    const requestId = randomUUID();
    const body = JSON.stringify({
      type: 'urn:pangolin:error:invalid_request',
      title: ERRORS.invalid_request.title,
      status,
      detail,
      error: detail,
      code: 'invalid_request',
      request_id: requestId,
    });
    const head = [
      `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
      'connection: close',
      'cache-control: no-store',
      'content-type: application/problem+json',
      `content-length: ${Buffer.byteLength(body)}`,
      'x-content-type-options: nosniff',
      `x-request-id: ${requestId}`,
    ];
    socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy());
    metrics.answered({ requestId }, undefined, status, 0);
    const address = socket.remoteAddress === undefined ? null : normalizeAddress(socket.remoteAddress);
    log.warn({ request_id: requestId, status, code: 'invalid_request', reason: error.code, address }, 'refused');
  };
}

/** Node keeps the answer it is writing there, and looks at it for the same reason. */
const hasBegunAnswer = (socket: Socket & { _httpMessage?: { headersSent: boolean } | null }): boolean =>
  socket._httpMessage?.headersSent === true;
