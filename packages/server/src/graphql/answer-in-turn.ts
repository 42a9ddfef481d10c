import { toPangolinError } from '../http/errors.ts';
import { giveWay } from '../turns.ts';
import type { GraphQLContext } from './context.ts';
import { presentError } from './errors.ts';

/**
 * Does a part of a request when those before it are done: several at once would keep every other request waiting for all
 * of them. What is done in a turn must not wait for another one.
 */
function inTurn<Done>(context: Pick<GraphQLContext, 'turn'>, work: () => Done | Promise<Done>): Promise<Done> {
  const done = context.turn.then(work);
  context.turn = done.catch(() => {}).then(giveWay);
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

/** So many items of a list are answered before other requests have their turn. */
const PART = 250;

/** What a list is answered with: of a long one a part at a time, since every field of every item takes its time. */
export const mapInParts = <Item, Shown>(
  items: readonly Item[],
  show: (item: Item) => Shown,
): Shown[] | AsyncIterable<Shown> =>
  // Aliases ask for the same list several times: each goes through it from its beginning.
  items.length <= PART ? items.map(show) : { [Symbol.asyncIterator]: () => showInParts(items, show) };

async function* showInParts<Item, Shown>(items: readonly Item[], show: (item: Item) => Shown): AsyncGenerator<Shown> {
  for (const [index, item] of items.entries()) {
    if (index > 0 && index % PART === 0) await giveWay();
    yield show(item);
  }
}
