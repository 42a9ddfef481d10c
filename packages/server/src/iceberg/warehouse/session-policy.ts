import { type Location, readLocation } from './location.ts';
import type { VendRequest } from './warehouse.ts';

export interface SessionPolicyOptions {
  /** As in `arn:aws-cn:…`. */
  partition?: string;
  /** Whether S3 may use keys of AWS's KMS for the session; another's STS may refuse what it does not know. */
  hasKms?: boolean;
}

export interface SessionPolicy {
  /** JSON, in ASCII. */
  text: string;
  /** Whether the session may list what there is: locations that are long leave no room to say them twice. */
  mayList: boolean;
}

/** What STS takes. */
const MAX_CHARACTERS = 2_048;

const READ = ['s3:GetObject'];
const WRITE = [...READ, 's3:PutObject', 's3:DeleteObject', 's3:AbortMultipartUpload', 's3:ListMultipartUploadParts'];
const READ_KEYS = ['kms:Decrypt'];
const WRITE_KEYS = [...READ_KEYS, 'kms:GenerateDataKey*'];

/**
 * The IAM policy of a session that reaches what lies under some locations of one bucket, and nothing else. A session may do
 * what both this and its role's own policies allow. Locations that are too long for everything cost the session the right
 * to list, and never reach further; null: they do not fit at all.
 */
export function createSessionPolicy(
  locations: readonly string[],
  access: VendRequest['access'],
  { partition = 'aws', hasKms = false }: SessionPolicyOptions = {},
): SessionPolicy | null {
  const places = locations.map((location) => readLocation(location));
  const bucket = `arn:${partition}:s3:::${places[0]?.bucket ?? ''}`;
  const under = places.map(({ path }) => `${escapeWildcards(path)}/*`);
  const isWrite = access === 'write';
  const use = { Effect: 'Allow', Action: isWrite ? WRITE : READ, Resource: under.map((path) => bucket + path) };
  const list = {
    Effect: 'Allow',
    Action: ['s3:ListBucket'],
    Resource: [bucket],
    Condition: { StringLike: { 's3:prefix': under.map((path) => path.slice(1)) } },
  };
  const locate = { Effect: 'Allow', Action: ['s3:GetBucketLocation'], Resource: [bucket] };
  const decrypt = {
    Effect: 'Allow',
    Action: isWrite ? WRITE_KEYS : READ_KEYS,
    // Which key a bucket has nobody told us; through S3 it serves only for what the session may use anyway.
    Resource: '*',
    Condition: { StringLike: { 'kms:ViaService': hostsOfS3(partition) } },
  };
  const keys = hasKms ? [decrypt] : [];
  for (const rest of [[list, locate], [list], []]) {
    const text = writePolicy([use, ...rest, ...keys]);
    if (text.length <= MAX_CHARACTERS) return { text, mayList: rest.includes(list) };
  }
  return null;
}

/** STS takes no characters beyond Latin-1. */
const writePolicy = (Statement: object[]): string =>
  JSON.stringify({ Version: '2012-10-17', Statement }).replace(
    /[^ -~]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );

const hostsOfS3 = (partition: string): string[] => [
  's3.*.amazonaws.com',
  ...(partition === 'aws-cn' ? ['s3.*.amazonaws.com.cn'] : []),
];

/** `*` and `?` stand for anything in a policy, and `${…}` for what IAM knows of the caller. */
const escapeWildcards = (path: Location['path']): string =>
  path.replace(/\*|\?|\$(?=\{)/g, (wildcard) => `\${${wildcard}}`);
