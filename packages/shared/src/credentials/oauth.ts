import type { TokenAnswer } from '../contract/index.ts';
import { PangolinError } from '../errors.ts';
import type { ObtainedSecret, SecretServer } from './obtained-secret.ts';
import { isSecretText } from './secret-text.ts';

/** What an OAuth 2.0 token endpoint refused with (RFC 6749 §5.2). */
export interface OAuthRefusal {
  status: number;
  error: string;
  description: string;
}

/**
 * Sends a token request (RFC 6749 §4.4, RFC 8693) to /oauth2/token. `refuse` turns the server's refusal into an error.
 * Throws that, a `network_…` code, `unavailable` or `unexpected_answer`.
 */
export async function requestAccessToken(
  { transport, origin, userAgent }: SecretServer,
  form: Record<string, string>,
  nowMs: number,
  refuse: (refusal: OAuthRefusal) => PangolinError,
): Promise<ObtainedSecret> {
  const answer = await transport.send({
    method: 'POST',
    path: '/oauth2/token',
    headers: {
      'user-agent': userAgent,
      accept: 'application/json',
      'content-type': 'application/x-www-form-urlencoded',
    },
    body: new URLSearchParams(form).toString(),
  });
  const body = parseObject(answer.text);
  if (answer.status === 200 && typeof body?.access_token === 'string') {
    if (!isSecretText(body.access_token)) {
      throw new PangolinError(
        'unexpected_answer',
        `${origin} answered with an access token that no header could carry`,
      );
    }
    const { expires_in } = body as Partial<TokenAnswer>;
    return {
      kind: 'bearer',
      secret: body.access_token,
      expiresAtMs: typeof expires_in === 'number' ? nowMs + expires_in * 1000 : null,
    };
  }
  if (answer.status >= 500 || answer.status === 429) {
    const retryAfter = Number(answer.header('retry-after') ?? Number.NaN);
    throw new PangolinError(
      answer.status === 429 ? 'too_many_requests' : 'unavailable',
      `${origin} answered the request for an access token with HTTP ${answer.status}`,
      Number.isFinite(retryAfter) ? { retryAfterSeconds: retryAfter } : {},
    );
  }
  if (answer.status >= 400 && typeof body?.error === 'string') {
    const { error, error_description } = body;
    const description = typeof error_description === 'string' ? error_description.slice(0, 500) : error;
    throw refuse({ status: answer.status, error, description });
  }
  throw new PangolinError('unexpected_answer', `${origin} has no OAuth 2.0 token endpoint (HTTP ${answer.status})`, {
    hint: 'Check the address, or use PANGOLIN_TOKEN or PANGOLIN_API_KEY with this server',
  });
}

function parseObject(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return value !== null && typeof value === 'object' ? { ...value } : null;
  } catch {
    return null;
  }
}
