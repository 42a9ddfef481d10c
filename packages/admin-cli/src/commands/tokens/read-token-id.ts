import { readUuid } from '@pangolin/shared/cli';

/** What the URNs of tokens begin with in DataHub's API, where people copy them. */
const URN_PREFIX = 'urn:li:dataHubAccessToken:';

/** The id of a token, which a command line names by it or by its URN. */
export const readTokenId = (named: string): string =>
  readUuid(named.startsWith(URN_PREFIX) ? named.slice(URN_PREFIX.length) : named);
