import { PangolinError } from '@pangolin/shared/errors';
import { GraphQLError } from 'graphql';

/** What DataHub's clients look for, by HTTP status. */
const TYPES = {
  BAD_REQUEST: 400,
  UNAUTHORIZED: 403,
  NOT_FOUND: 404,
  CONFLICT: 409,
  SERVER_ERROR: 500,
} as const;

/** As graphql-java names where an error arose: while fetching, or before. */
type Classification = 'DataFetchingException' | 'InvalidSyntax' | 'ValidationError';

const MAX_MESSAGE_LENGTH = 1_000;

const UNAUTHORIZED = 'Unauthorized to perform this action. Please contact your DataHub administrator.';

/**
 * An error as DataHub answers it, with what to do next: clients show the message alone. What was refused is not told apart
 * from what is not there for others.
 */
export function presentError(error: PangolinError): GraphQLError {
  const type = typeOf(error.status);
  const advice = error.hint === undefined ? error.message : `${error.message} ${error.hint}`;
  const message = type === 'UNAUTHORIZED' ? UNAUTHORIZED : advice;
  return new GraphQLError(message, { extensions: createExtensions(type, 'DataFetchingException') });
}

/** A document that cannot be run, with where and why. */
export const presentInvalid = (error: GraphQLError, classification: Classification): GraphQLError =>
  new GraphQLError(shorten(error.message), {
    nodes: error.nodes ?? null,
    source: error.source ?? null,
    positions: error.positions ?? null,
    path: error.path ?? null,
    extensions: createExtensions('BAD_REQUEST', classification),
  });

/** What was sent stands in a message, whole. */
const shorten = (message: string): string =>
  message.length <= MAX_MESSAGE_LENGTH ? message : `${message.slice(0, MAX_MESSAGE_LENGTH)}…`;

/** What a resolver throws when the request asks for what cannot be. */
export const badRequest = (message: string): PangolinError => new PangolinError('invalid_request', message);

const createExtensions = (type: keyof typeof TYPES, classification: Classification) => ({
  code: TYPES[type],
  type,
  classification,
});

function typeOf(status: number): keyof typeof TYPES {
  if (status === 401 || status === 403) return 'UNAUTHORIZED';
  if (status === 404) return 'NOT_FOUND';
  if (status === 409) return 'CONFLICT';
  return status < 500 ? 'BAD_REQUEST' : 'SERVER_ERROR';
}
