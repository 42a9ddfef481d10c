import { type Location, readLocation } from './location.ts';
import type { VendRequest } from './warehouse.ts';

const READ = ['s3:GetObject'];
const WRITE = [...READ, 's3:PutObject', 's3:DeleteObject', 's3:AbortMultipartUpload', 's3:ListMultipartUploadParts'];

/**
 * The IAM policy of a session that reaches what lies under some locations of one bucket, and nothing else; a JSON text.
 * A session may do what both this and its role's own policies allow. `partition` as in `arn:aws-cn:…`.
 */
export function createSessionPolicy(
  locations: readonly string[],
  access: VendRequest['access'],
  partition = 'aws',
): string {
  const places = locations.map((location) => readLocation(location));
  const bucket = `arn:${partition}:s3:::${places[0]?.bucket ?? ''}`;
  const under = places.map(({ path }) => `${escapeWildcards(path)}/*`);
  const Statement = [
    {
      Effect: 'Allow',
      Action: access === 'write' ? WRITE : READ,
      Resource: under.map((path) => bucket + path),
    },
    {
      Effect: 'Allow',
      Action: ['s3:ListBucket'],
      Resource: [bucket],
      Condition: { StringLike: { 's3:prefix': under.map((path) => path.slice(1)) } },
    },
    { Effect: 'Allow', Action: ['s3:GetBucketLocation'], Resource: [bucket] },
  ];
  return JSON.stringify({ Version: '2012-10-17', Statement });
}

/** `*` and `?` stand for anything in a policy, and `${…}` for what IAM knows of the caller. */
const escapeWildcards = (path: Location['path']): string =>
  path.replace(/\*|\?|\$(?=\{)/g, (wildcard) => `\${${wildcard}}`);
