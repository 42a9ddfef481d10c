import type { ErrorCode, PangolinError } from '@pangolin/shared/errors';
import { errorHeaders } from './errors.ts';
import { type Replying, replyEmpty, replyJson } from './reply.ts';

/** Iceberg's names of what went wrong (REST spec, ErrorModel.type); what is not here goes by its status. */
const TYPES: Partial<Record<ErrorCode, string>> = {
  namespace_not_found: 'NoSuchNamespaceException',
  table_not_found: 'NoSuchTableException',
  view_not_found: 'NoSuchViewException',
  warehouse_not_found: 'NoSuchWarehouseException',
  namespace_not_empty: 'NamespaceNotEmptyException',
  commit_failed: 'CommitFailedException',
  view_invalid: 'IllegalArgumentException',
  contradictory_request: 'UnprocessableEntityException',
  commit_state_unknown: 'CommitStateUnknownException',
};

const TYPES_BY_STATUS: Record<number, string> = {
  400: 'BadRequestException',
  401: 'NotAuthorizedException',
  403: 'ForbiddenException',
  404: 'NotFoundException',
  409: 'AlreadyExistsException',
  422: 'UnprocessableEntityException',
  429: 'TooManyRequestsException',
  503: 'ServiceUnavailableException',
};

/** The body of an error answer. Clients show the message alone, so what to do next is part of it for 401 and 403. */
function presentIcebergError(error: PangolinError) {
  const { status, code, message, hint } = error;
  const type = TYPES[code] ?? TYPES_BY_STATUS[status] ?? (status < 500 ? 'BadRequestException' : 'InternalServerError');
  const isAboutAccess = status === 401 || status === 403;
  return { error: { message: isAboutAccess && hint ? `${message} ${hint}` : message, type, code: status } };
}

/** Answers an error as Iceberg's clients read it (REST spec, IcebergErrorResponse); the answer to HEAD has no body. */
export function replyIcebergError(c: Replying & { req?: { method: string } }, error: PangolinError): Response {
  c.env.refusal = error;
  const headers = errorHeaders(error);
  if (c.req?.method === 'HEAD') return replyEmpty(c, error.status, headers);
  return replyJson(c, presentIcebergError(error), error.status, headers);
}
