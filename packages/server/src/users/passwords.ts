import { PangolinError } from '@pangolin/shared/errors';

/** argon2id with 19 MiB, two passes, one lane: OWASP's first recommendation. */
const PARAMETERS = { memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;

/** Verified when there is no such user, so that an unknown name costs what a known one does. Of random bytes nobody kept. */
const NOBODY = '$argon2id$v=19$m=19456,t=2,p=1$/Npy0Wirpl30Tma5H4cmEg$o4Xdjfh4RGKvl9gtKy9KSVWueg/V4onYFdTnFCcZIAk';

const MAX_RUNNING = 2;
const MAX_WAITING = 32;
/** One sender's logins stand in a line of their own, four of which may stand in everybody's. */
const MAX_RUNNING_PER_ADDRESS = 4;
const MAX_WAITING_PER_ADDRESS = 64;

/** Password hashing, bounded: at most two at once, 32 waiting (4 of one address, whose others wait behind them), then `unavailable` or `too_many_requests`. */
export interface Passwords {
  hash(password: string): Promise<string>;
  /** `hash: null` takes as long, and is never right. */
  verify(hash: string | null, password: string, address: string | null): Promise<boolean>;
}

export function createPasswords(): Passwords {
  const run = createTurnstiles();
  return {
    hash: (password) =>
      run(null, async () => {
        const argon2 = await import('@node-rs/argon2');
        return argon2.hash(password, PARAMETERS);
      }),
    verify: (hash, password, address) =>
      run(address, async () => {
        const argon2 = await import('@node-rs/argon2');
        const isRight = await argon2.verify(hash ?? NOBODY, password);
        return isRight && hash !== null;
      }),
  };
}

type Turnstile = <T>(work: () => Promise<T>) => Promise<T>;

/** Lets some through at a time; the rest waits in line, up to a length. */
function createTurnstile(limits: { running: number; waiting: number; refuse(): PangolinError }) {
  let running = 0;
  const waiting: (() => void)[] = [];
  const pass: Turnstile = async (work) => {
    if (running >= limits.running) {
      if (waiting.length >= limits.waiting) throw limits.refuse();
      await new Promise<void>((turn) => waiting.push(turn));
    } else running += 1;
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      // The place is handed over, not given up: the count stays.
      if (next) next();
      else running -= 1;
    }
  };
  return { pass, isEmpty: () => running === 0 };
}

/** A turnstile for everybody, behind one for each address: a sender slows down its own logins first. */
function createTurnstiles() {
  const everybody = createTurnstile({
    running: MAX_RUNNING,
    waiting: MAX_WAITING,
    refuse: () =>
      new PangolinError('unavailable', 'Too many logins at once.', {
        hint: 'Try again in a moment.',
        retryAfterSeconds: 1,
      }),
  });
  const byAddress = new Map<string, ReturnType<typeof createTurnstile>>();

  return async function pass<T>(address: string | null, work: () => Promise<T>): Promise<T> {
    if (address === null) return everybody.pass(work);
    const own =
      byAddress.get(address) ??
      createTurnstile({
        running: MAX_RUNNING_PER_ADDRESS,
        waiting: MAX_WAITING_PER_ADDRESS,
        refuse: () =>
          new PangolinError('too_many_requests', 'Too many logins at once from this address.', {
            retryAfterSeconds: 1,
          }),
      });
    byAddress.set(address, own);
    try {
      return await own.pass(() => everybody.pass(work));
    } finally {
      if (own.isEmpty()) byAddress.delete(address);
    }
  };
}
