import { S3Client } from '@aws-sdk/client-s3';
import { STSClient } from '@aws-sdk/client-sts';

/** The clients of one server, and what they were told by the environment and the files that every AWS tool reads. */
export interface S3Clients {
  s3: S3Client;
  sts: STSClient;
  /** Where the storage is if it is not at AWS; null: at AWS. */
  endpoint: string | null;
  /** Whether credentials come from somewhere else than AWS, too. */
  hasOwnSts: boolean;
}

const requestHandler = {
  connectionTimeout: 5_000,
  requestTimeout: 30_000,
  throwOnRequestTimeout: true,
  // Between the parts of an answer.
  socketTimeout: 30_000,
};

/** Makes the clients; nothing is asked of the network. */
export async function openS3Clients(): Promise<S3Clients> {
  const atAws = new S3Client({ requestHandler });
  const sts = new STSClient({ requestHandler });
  const endpoint = (await atAws.config.serviceConfiguredEndpoint?.()) ?? null;
  const hasOwnSts = (await sts.config.serviceConfiguredEndpoint?.()) !== undefined;
  // The bucket's name before an endpoint's own would be a host that only AWS has.
  const s3 = endpoint === null ? atAws : new S3Client({ requestHandler, forcePathStyle: true });
  return { s3, sts, endpoint, hasOwnSts };
}
