import { AssumeRoleCommand } from '@aws-sdk/client-sts';
import { PangolinError } from '@pangolin/shared/errors';
import type { Log } from '../../deps.ts';
import { isWithin, requireWithin } from './location.ts';
import type { S3Clients } from './s3-clients.ts';
import { explainS3Error, nameOf } from './s3-errors.ts';
import { createSessionPolicy } from './session-policy.ts';
import type { VendedCredentials, VendRequest } from './warehouse.ts';

export interface VendingOptions {
  /** The role whose credentials are vended, by its ARN. */
  roleArn: string | null;
  /** Milliseconds since 1970. */
  now(): number;
  log: Log;
}

/** MinIO, moto and their like want a role and look at nothing of it. */
const PLACEHOLDER_ROLE = 'arn:aws:iam::000000000000:role/pangolin';

/** AWS gives no credentials for less, nor for more where the role is assumed by a role. */
const SHORTEST_SECONDS = 15 * 60;
const LONGEST_SECONDS = 60 * 60;
const STEP_SECONDS = 5 * 60;
const MAX_KEPT = 1_000;

interface Kept {
  credentials: Promise<VendedCredentials | null>;
  /** Infinite until the credentials are there. */
  freshUntilMs: number;
}

/** Vends short-lived credentials of a role, narrowed by a session policy. The server's own are never handed out. */
export function createVending(root: string, { s3, sts, endpoint, hasOwnSts }: S3Clients, options: VendingOptions) {
  const { now, log } = options;
  const kept = new Map<string, Kept>();
  const hasKms = endpoint === null && !hasOwnSts;
  const isPlaceholderTaken = endpoint !== null && hasOwnSts;
  const roleArn = options.roleArn ?? (isPlaceholderTaken ? PLACEHOLDER_ROLE : null);
  const bucket = /^s3:\/\/([^/]+)/.exec(root)?.[1] ?? '';
  let isToldOff = false;

  async function assumeRole(
    RoleArn: string,
    locations: string[],
    request: VendRequest,
    DurationSeconds: number,
  ): Promise<VendedCredentials | null> {
    const partition = RoleArn.split(':')[1] ?? 'aws';
    const policy = createSessionPolicy(locations, request.access, { partition, hasKms });
    if (policy === null) return tellTooLong(request);
    if (!policy.mayList)
      log.info({ location: request.locations[0] }, 'vended credentials cannot list: the paths are long');
    const RoleSessionName = sessionName(request.principal);
    const { Credentials } = await sts
      .send(new AssumeRoleCommand({ RoleArn, RoleSessionName, DurationSeconds, Policy: policy.text }))
      .catch((error) => {
        if (!nameOf(error).startsWith('PackedPolicyTooLarge')) throw error;
        return { Credentials: null };
      });
    if (Credentials === null) return tellTooLong(request);
    const { AccessKeyId, SecretAccessKey, SessionToken, Expiration } = Credentials ?? {};
    const own = await s3.config.credentials();
    if (!AccessKeyId || !SecretAccessKey || !SessionToken || !Expiration || AccessKeyId === own.accessKeyId) {
      throw new PangolinError('unavailable', `No short-lived credentials are to be had for s3://${bucket}`);
    }
    const region = await s3.config.region();
    const expiresAtMs = Expiration.getTime();
    return {
      prefixes: prefixesOf(locations, request.locations),
      config: {
        's3.access-key-id': AccessKeyId,
        's3.secret-access-key': SecretAccessKey,
        's3.session-token': SessionToken,
        's3.session-token-expires-at-ms': `${expiresAtMs}`,
        's3.region': region,
        'client.region': region,
        ...(endpoint === null ? {} : { 's3.endpoint': endpoint, 's3.path-style-access': 'true' }),
      },
      expiresAtMs,
    };
  }

  function tellTooLong({ locations }: VendRequest): null {
    log.warn(
      { location: locations[0] },
      "no credentials are vended: the table's paths are too long for a session policy",
    );
    return null;
  }

  function keep(key: string, credentials: Kept['credentials']): Kept['credentials'] {
    const entry: Kept = { credentials, freshUntilMs: Number.POSITIVE_INFINITY };
    const asked = now();
    kept.set(key, entry);
    for (const oldest of kept.keys()) {
      if (kept.size <= MAX_KEPT) break;
      kept.delete(oldest);
    }
    credentials.then(
      (vended) => {
        entry.freshUntilMs = vended === null ? asked + LONGEST_SECONDS * 1000 : freshUntil(asked, vended.expiresAtMs);
      },
      () => {
        if (kept.get(key) === entry) kept.delete(key);
      },
    );
    return credentials;
  }

  return {
    async vend(request: VendRequest): Promise<VendedCredentials | null> {
      const locations = outermost(request.locations.map((one) => requireWithin(root, one, 'The location')));
      if (locations.length === 0) throw new PangolinError('invalid_request', 'Credentials are vended for a location');
      if (roleArn === null) {
        if (!isToldOff) log.warn({ bucket }, 'no credentials are vended: set PANGOLIN_S3_ROLE_ARN to the role to vend');
        isToldOff = true;
        return null;
      }
      const seconds = lifetimeSeconds(request.endsAtMs, now());
      // Whoever has as long to go, or longer, may have what was vended before: it ends before them.
      const key = JSON.stringify([request.locations, request.access, request.principal, seconds]);
      const known = kept.get(key);
      if (known && now() < known.freshUntilMs) return known.credentials;
      kept.delete(key);
      return keep(
        key,
        assumeRole(roleArn, locations, request, seconds).catch((error) => {
          throw explainS3Error(error, bucket, 'STS');
        }),
      );
    },
  };
}

/** An hour, but no longer than the credential they were asked with lives; where that is nearly over, AWS's minimum. */
function lifetimeSeconds(endsAtMs: number | null, nowMs: number): number {
  if (endsAtMs === null) return LONGEST_SECONDS;
  const left = Math.floor((endsAtMs - nowMs) / 1000 / STEP_SECONDS) * STEP_SECONDS;
  return Math.min(LONGEST_SECONDS, Math.max(SHORTEST_SECONDS, left));
}

const HALF_AN_HOUR_MS = 30 * 60_000;

/** Who is handed credentials has half an hour to use them, or three quarters of their life where that is shorter. */
const freshUntil = (askedMs: number, expiresAtMs: number): number =>
  expiresAtMs - Math.min(HALF_AN_HOUR_MS, (expiresAtMs - askedMs) * 0.75);

/** Without those that lie within another: a session policy has 2,048 characters at most. */
const outermost = (locations: string[]): string[] =>
  [...new Set(locations)].filter((one) => !locations.some((other) => isWithin(other, one)));

/** With the slash, and also as the request spelled them, `s3a://` say: clients compare text. */
const prefixesOf = (locations: string[], asked: readonly string[]): string[] => [
  ...new Set([...locations, ...asked.filter((one) => !one.startsWith('s3://'))].map((one) => one.replace(/\/*$/, '/'))),
];

const sessionName = (principal: string): string =>
  principal
    .replace(/[^\w+=,.@-]/g, '_')
    .slice(0, 64)
    .padEnd(2, '_');
