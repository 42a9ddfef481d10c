/** Lets other requests have their turn: SQLite answers without leaving the event loop. */
export const giveWay = (): Promise<void> => new Promise((turn) => setImmediate(turn));

/** Lets what takes long take turns. */
export interface Turns {
  /** Resolves in a turn of the event loop that is nobody else's: whoever asks for little is answered in between. */
  next(): Promise<void>;
}

/** Opens a line in which one goes on in each turn of the event loop. */
export function createTurns(): Turns {
  const waiting: (() => void)[] = [];
  const goOn = () => {
    waiting.shift()?.();
    if (waiting.length > 0) setImmediate(goOn);
  };
  return {
    next: () =>
      new Promise((turn) => {
        waiting.push(turn);
        if (waiting.length === 1) setImmediate(goOn);
      }),
  };
}
