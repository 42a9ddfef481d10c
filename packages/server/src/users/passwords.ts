import { PangolinError } from '@pangolin/shared/errors';

/** argon2id with 19 MiB, two passes, one lane: OWASP's first recommendation. */
const PARAMETERS = { memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;

/** Verified when there is no such user, so that an unknown name costs what a known one does. Of random bytes nobody kept. */
const NOBODY = '$argon2id$v=19$m=19456,t=2,p=1$/Npy0Wirpl30Tma5H4cmEg$o4Xdjfh4RGKvl9gtKy9KSVWueg/V4onYFdTnFCcZIAk';

const MAX_RUNNING = 2;
const MAX_WAITING = 32;
const MAX_WAITING_PER_ADDRESS = 8;

/** Password hashing, bounded: at most two at once, 32 waiting (8 of one address), then `unavailable` or `too_many_requests`. */
export interface Passwords {
  hash(password: string): Promise<string>;
  /** `hash: null` takes as long, and is never right. */
  verify(hash: string | null, password: string, address: string | null): Promise<boolean>;
}

export function createPasswords(): Passwords {
  const run = createTurnstile();
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

function createTurnstile() {
  let running = 0;
  const waiting: (() => void)[] = [];
  const perAddress = new Map<string, number>();

  return async function pass<T>(address: string | null, work: () => Promise<T>): Promise<T> {
    const inLine = address === null ? 0 : (perAddress.get(address) ?? 0);
    // One sender may fill its own part of the line, never everybody's.
    if (inLine >= MAX_WAITING_PER_ADDRESS) {
      throw new PangolinError('too_many_requests', 'Too many logins at once from this address.', {
        retryAfterSeconds: 1,
      });
    }
    if (running >= MAX_RUNNING && waiting.length >= MAX_WAITING) {
      throw new PangolinError('unavailable', 'Too many logins at once.', {
        hint: 'Try again in a moment.',
        retryAfterSeconds: 1,
      });
    }
    if (address !== null) perAddress.set(address, inLine + 1);
    try {
      if (running >= MAX_RUNNING) await new Promise<void>((turn) => waiting.push(turn));
      else running += 1;
      return await work();
    } finally {
      const next = waiting.shift();
      // The place is handed over, not given up: the count stays.
      if (next) next();
      else running -= 1;
      if (address !== null) leave(address);
    }
  };

  function leave(address: string): void {
    const left = (perAddress.get(address) ?? 1) - 1;
    if (left === 0) perAddress.delete(address);
    else perAddress.set(address, left);
  }
}
