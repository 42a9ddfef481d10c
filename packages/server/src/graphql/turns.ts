import { toPangolinError } from '../http/errors.ts';
import type { GraphQLContext } from './context.ts';
import { presentError } from './errors.ts';

/**
 * Does a part of a request when those before it are done: several at once would keep every other request waiting for all
 * of them. What is done in a turn must not wait for another one.
 */
export function inTurn<Done>(context: Pick<GraphQLContext, 'turn'>, work: () => Done | Promise<Done>): Promise<Done> {
  const done = context.turn.then(work);
  // SQLite answers without leaving the event loop.
  context.turn = done.catch(() => {}).then(() => new Promise((turn) => setImmediate(turn)));
  return done;
}

/** Answers a field in its turn: its errors are DataHub's, and what was refused is noted under the field's name. */
export async function answerInTurn<Answer>(
  context: GraphQLContext,
  name: string,
  answer: () => Answer | Promise<Answer>,
): Promise<Answer> {
  try {
    return await inTurn(context, answer);
  } catch (thrown) {
    const error = toPangolinError(thrown, context.deps.log, context.caller.origin.requestId);
    context.refuse(name, error);
    throw presentError(error);
  }
}
