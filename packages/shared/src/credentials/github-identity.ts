import { createHttpTransport } from '../client/http-transport.ts';
import { readOrigin } from '../client/origins.ts';
import { PangolinError } from '../errors.ts';
import { requestAccessToken } from './oauth.ts';
import type { ObtainedSecret, SecretServer } from './obtained-secret.ts';

export interface GitHubIdentity {
  /** ACTIONS_ID_TOKEN_REQUEST_URL */
  requestUrl: string;
  /** ACTIONS_ID_TOKEN_REQUEST_TOKEN */
  requestToken: string;
  env: Readonly<Record<string, string | undefined>>;
}

/**
 * Lets a GitHub Actions workflow be who it is: fetches its ID token for this server's origin and exchanges it for an
 * access token (RFC 8693). Throws `token_command_failed` when GitHub gives none, `credential_malformed` when the server
 * does not trust the workflow, and the `network_…` codes.
 */
export async function exchangeGitHubIdentity(
  server: SecretServer,
  identity: GitHubIdentity,
  nowMs: number,
): Promise<ObtainedSecret> {
  const idToken = await fetchIdToken(server, identity);
  return requestAccessToken(
    server,
    {
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      subject_token: idToken,
      subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
    },
    nowMs,
    ({ description }) =>
      new PangolinError(
        'credential_malformed',
        `${server.origin} does not trust the identity of this GitHub Actions workflow: ${description}`,
        {
          hint: 'Have its administrator trust this repository, or give the job a credential: PANGOLIN_TOKEN, PANGOLIN_API_KEY',
        },
      ),
  );
}

async function fetchIdToken({ origin, userAgent }: SecretServer, identity: GitHubIdentity): Promise<string> {
  const fail = (problem: string, cause?: unknown) =>
    new PangolinError('token_command_failed', `GitHub gave no identity token: ${problem}`, {
      cause,
      hint: 'The job needs the permission id-token: write',
    });
  if (!URL.canParse(identity.requestUrl)) throw fail('ACTIONS_ID_TOKEN_REQUEST_URL is not an address');
  const url = new URL(identity.requestUrl);
  url.searchParams.set('audience', origin);
  const transport = createHttpTransport({
    origin: readOrigin(url.origin, 'ACTIONS_ID_TOKEN_REQUEST_URL'),
    env: identity.env,
  });
  try {
    const answer = await transport.send({
      method: 'GET',
      path: url.pathname + url.search,
      headers: {
        authorization: `Bearer ${identity.requestToken}`,
        accept: 'application/json',
        'user-agent': userAgent,
      },
    });
    if (answer.status !== 200) throw fail(`HTTP ${answer.status}`);
    const token = readValue(answer.text);
    if (token === null) throw fail('its answer holds none');
    return token;
  } finally {
    await transport.close();
  }
}

function readValue(text: string): string | null {
  try {
    const value: unknown = JSON.parse(text)?.value;
    return typeof value === 'string' && value !== '' ? value : null;
  } catch {
    return null;
  }
}
