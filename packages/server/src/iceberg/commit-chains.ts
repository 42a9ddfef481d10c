import type { MetadataFile } from './metadata-files.ts';
import type { ObjectRow } from './store.ts';

/** What a table or view is when a commit under way has taken effect. */
export interface Expected {
  row: ObjectRow;
  file: MetadataFile<unknown>;
}

/**
 * Commits under way, each made from what the one before it is going to leave: while one writes its file, the next is made.
 * Whether a pointer may be swapped is not decided here but by its compare-and-set, which fails when what a commit was made
 * from did not take effect after all.
 */
export interface CommitChains {
  /** What the last commit under way is going to leave. */
  find(key: string): Expected | undefined;
  /** Waits until so few are under way that another may be. */
  makeRoom(keys: readonly string[]): Promise<void>;
  /** Waits until none is under way. */
  settle(keys: readonly string[]): Promise<void>;
  /** Puts a commit behind those on the same keys. */
  join(expected: ReadonlyMap<string, Expected>): Place;
}

/** The place of one commit. */
interface Place {
  /** Resolves when all before it have asked the database for their swaps, which it makes in that order. */
  turn: Promise<void>;
  /** Gives the turn to the next. */
  pass(): void;
  /** After a failure nothing more is made from what was expected. */
  end(isCommitted: boolean): void;
}

interface Link {
  expected: ReadonlyMap<string, Expected>;
  passed: Promise<void>;
  ended: Promise<void>;
}

/** Each holds the metadata of its table. */
const MAX_UNDER_WAY = 16;

/** The commits of one process. */
export function createCommitChains(): CommitChains {
  const chains = new Map<string, Link[]>();

  const leave = (key: string, link: Link, isCommitted: boolean) => {
    const rest = isCommitted ? chains.get(key)?.filter((one) => one !== link) : [];
    if (rest && rest.length > 0) chains.set(key, rest);
    else chains.delete(key);
  };

  async function shorten(keys: readonly string[], length: number): Promise<void> {
    for (const key of keys) {
      for (let chain = chains.get(key); chain && chain.length > length; chain = chains.get(key)) await chain[0]?.ended;
    }
  }

  return {
    find: (key) => chains.get(key)?.at(-1)?.expected.get(key),
    makeRoom: (keys) => shorten(keys, MAX_UNDER_WAY - 1),
    settle: (keys) => shorten(keys, 0),
    join(expected) {
      const keys = [...expected.keys()];
      const before = keys.flatMap((key) => chains.get(key)?.at(-1)?.passed ?? []);
      const [passed, pass] = createSignal();
      const [ended, end] = createSignal();
      const link = { expected, passed, ended };
      for (const key of keys) chains.set(key, [...(chains.get(key) ?? []), link]);
      return {
        turn: Promise.all(before).then(() => {}),
        pass,
        end(isCommitted) {
          for (const key of keys) leave(key, link, isCommitted);
          pass();
          end();
        },
      };
    },
  };
}

function createSignal(): [Promise<void>, () => void] {
  let give = () => {};
  const given = new Promise<void>((resolve) => {
    give = resolve;
  });
  return [given, give];
}
