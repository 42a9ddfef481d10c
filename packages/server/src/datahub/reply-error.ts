import type { PangolinError } from '@pangolin/shared/errors';
import { replyProblem } from '../http/errors.ts';
import type { Replying } from '../http/reply.ts';

/** Problem details with what DataHub's clients look for as well, and print: `message` and `exceptionClass`. */
export const replyDataHubError = (c: Replying, error: PangolinError, headers: Record<string, string> = {}): Response =>
  replyProblem(c, error, headers, {
    exceptionClass: 'com.linkedin.restli.server.RestLiServiceException',
    message: error.hint === undefined ? error.message : `${error.message} ${error.hint}`,
  });
