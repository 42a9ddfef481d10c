import { PangolinError } from '@pangolin/shared/errors';

/** What the SDK's errors have in common, from wherever they come. */
interface SdkError {
  name?: string;
  code?: string;
  message?: string;
  $metadata?: { httpStatusCode?: number; attempts?: number };
}

const REJECTED_CREDENTIALS =
  /^(?:CredentialsProviderError|InvalidAccessKeyId|InvalidClientTokenId|SignatureDoesNotMatch|Expired|InvalidToken|Unrecognized|TokenRefreshRequired|AuthFailure)/;
const WRONG_REGION = /^(?:PermanentRedirect|AuthorizationHeaderMalformed|IllegalLocationConstraint|RegionDisabled)/;

type Service = 'S3' | 'STS';

const ALLOW: Record<Service, string> = {
  S3: 's3:GetObject, s3:PutObject, s3:DeleteObject and s3:ListBucket there',
  STS: 'sts:AssumeRole on the role of PANGOLIN_S3_ROLE_ARN',
};

/** The first that matches says what to do; `because` is about the machine that the server runs on. */
const REASONS: readonly { matches(error: SdkError, name: string): boolean; because(service: Service): string }[] = [
  {
    matches: ({ message }, name) => WRONG_REGION.test(name) || /region is missing/i.test(message ?? ''),
    because: () => 'set AWS_REGION to the region of the bucket',
  },
  {
    matches: (_, name) => REJECTED_CREDENTIALS.test(name),
    because: () =>
      'set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or another source of credentials the AWS SDK knows',
  },
  {
    matches: (_, name) => name === 'NoSuchBucket',
    because: () => 'there is no such bucket; make it, or set AWS_ENDPOINT_URL_S3 to where it is',
  },
  {
    matches: (error) => statusOf(error) === 403,
    because: (service) => `the server's credentials may not; allow them ${ALLOW[service]}`,
  },
  {
    matches: (error) => statusOf(error) === 501,
    because: () => 'the storage does not know conditional writes (If-None-Match)',
  },
  { matches: (error) => (statusOf(error) ?? 0) >= 500, because: () => 'try again later' },
  {
    matches: (error) => statusOf(error) === undefined,
    because: (service) => `it cannot be reached; set AWS_ENDPOINT_URL_${service} to where it is, unless it is at AWS`,
  },
];

export const statusOf = (error: unknown): number | undefined => (error as SdkError).$metadata?.httpStatusCode;

/** How often a request was sent before it failed for good. */
export const attemptsOf = (error: unknown): number => (error as SdkError).$metadata?.attempts ?? 1;

export const nameOf = (error: unknown): string => (error as SdkError).name ?? '';

/**
 * What went wrong at a storage, as `unavailable`, with the setting of the server that may be at fault. Of the storage's
 * own words only the error's code is repeated.
 */
export function explainS3Error(error: unknown, bucket: string, service: Service = 'S3'): PangolinError {
  if (error instanceof PangolinError) return error;
  const { code, name } = error as SdkError;
  const known = /^\w{1,60}$/.exec(name === 'Error' ? (code ?? '') : (name ?? ''))?.[0] ?? 'Error';
  const because = REASONS.find(({ matches }) => matches(error as SdkError, known))?.because(service);
  const failed = service === 'S3' ? `The storage of s3://${bucket} fails` : `No credentials for s3://${bucket}`;
  return new PangolinError('unavailable', `${failed} (${known})${because ? `: ${because}` : ''}`, { cause: error });
}
