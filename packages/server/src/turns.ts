/** Lets other requests have their turn: SQLite answers without leaving the event loop. */
export const giveWay = (): Promise<void> => new Promise((turn) => setImmediate(turn));

/** Lets what takes long take turns. */
export interface Turns {
  /**
   * Resolves in a turn of the event loop that is nobody else's: whoever asks for little is answered in between. Who asks for
   * much waits for themselves; others who wait have every other turn.
   */
  next(principalId: string): Promise<void>;
}

/** Opens a line for each principal; in each turn of the event loop one goes on, of each line in turn. */
export function createTurns(): Turns {
  const lines = new Map<string, (() => void)[]>();
  const goOn = () => {
    for (const [principalId, line] of lines) {
      // Behind everybody else's.
      lines.delete(principalId);
      line.shift()?.();
      if (line.length > 0) lines.set(principalId, line);
      break;
    }
    if (lines.size > 0) setImmediate(goOn);
  };
  return {
    next: (principalId) =>
      new Promise((turn) => {
        const line = lines.get(principalId);
        if (line) line.push(turn);
        else lines.set(principalId, [turn]);
        if (!line && lines.size === 1) setImmediate(goOn);
      }),
  };
}
