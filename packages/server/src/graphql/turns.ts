import type { GraphQLContext } from './context.ts';

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
