import { PangolinError } from '@pangolin/shared/errors';
import { limitedPart } from '../networks.ts';

/** argon2id with 19 MiB, two passes, one lane: OWASP's first recommendation. */
const PARAMETERS = { memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;

/** Verified when there is no such user, so that an unknown name costs what a known one does. Of random bytes nobody kept. */
const NOBODY = '$argon2id$v=19$m=19456,t=2,p=1$/Npy0Wirpl30Tma5H4cmEg$o4Xdjfh4RGKvl9gtKy9KSVWueg/V4onYFdTnFCcZIAk';

const MAX_RUNNING = 2;
const MAX_WAITING = 32;
/** One sender's logins stand in a line of their own, four of which may stand in everybody's. */
const MAX_RUNNING_PER_ADDRESS = 4;
const MAX_WAITING_PER_ADDRESS = 64;

/** Senders of right passwords that are remembered. */
const MAX_FAMILIAR = 10_000;

/**
 * Password hashing, bounded: at most two at once, 32 waiting (4 of one address, whose others wait behind them), then
 * `unavailable` or `too_many_requests`. Where the line is full, an address that stands in it less takes a place of one that
 * stands in it most. However many addresses fill it, whoever logged in before from theirs goes first, and so does a
 * password that somebody with a credential sets.
 */
export interface Passwords {
  hash(password: string): Promise<string>;
  /** `hash: null` takes as long, and is never right. */
  verify(hash: string | null, password: string, address: string | null): Promise<boolean>;
}

export function createPasswords(): Passwords {
  const familiar = createFamiliar();
  const run = createTurnstiles(familiar.has);
  return {
    hash: (password) =>
      run(null, async () => {
        const argon2 = await import('@node-rs/argon2');
        return argon2.hash(password, PARAMETERS);
      }),
    verify: (hash, password, address) =>
      run(address, async (sender) => {
        const argon2 = await import('@node-rs/argon2');
        const isRight = (await argon2.verify(hash ?? NOBODY, password)) && hash !== null;
        if (isRight && sender !== null) familiar.add(sender);
        return isRight;
      }),
  };
}

/** Who logged in lately; forgets the oldest first. */
function createFamiliar() {
  const senders = new Set<string>();
  return {
    has: (sender: string) => senders.has(sender),
    add(sender: string) {
      senders.delete(sender);
      const oldest = senders.size >= MAX_FAMILIAR ? senders.values().next() : undefined;
      if (oldest && !oldest.done) senders.delete(oldest.value);
      senders.add(sender);
    },
  };
}

type Work<T> = (sender: string | null) => Promise<T>;

interface Waiting {
  address: string | null;
  goesFirst: boolean;
  enter(): void;
  leave(reason: PangolinError): void;
}

const tooManyAtOnce = () =>
  new PangolinError('too_many_requests', 'Too many logins at once from this address.', { retryAfterSeconds: 1 });

/** Lets some through at a time; the rest waits in line, up to a length. */
function createTurnstile(limits: { running: number; waiting: number; refuse(): PangolinError }) {
  let running = 0;
  const waiting: Waiting[] = [];

  /** Makes room in a full line for whoever stands in it less than others: the last of those who stand in it most goes. */
  function makeRoom(address: string | null, goesFirst: boolean): boolean {
    if (waiting.at(-1)?.goesFirst === false && goesFirst) {
      waiting.pop()?.leave(limits.refuse());
      return true;
    }
    const places = new Map<string | null, number>();
    // Those who go first are no others' to send away.
    for (const one of waiting)
      if (goesFirst || !one.goesFirst) places.set(one.address, (places.get(one.address) ?? 0) + 1);
    const most = [...places].reduce((a, b) => (b[1] > a[1] ? b : a), [address, 0] as const);
    if (most[1] < (places.get(address) ?? 0) + 2) return false;
    const last = waiting.findLastIndex((one) => one.address === most[0]);
    waiting.splice(last, 1)[0]?.leave(tooManyAtOnce());
    return true;
  }

  async function pass<T>(address: string | null, goesFirst: boolean, work: () => Promise<T>): Promise<T> {
    if (running >= limits.running) {
      if (waiting.length >= limits.waiting && !makeRoom(address, goesFirst)) throw limits.refuse();
      await new Promise<void>((enter, leave) => {
        const others = goesFirst ? waiting.findIndex((one) => !one.goesFirst) : -1;
        waiting.splice(others < 0 ? waiting.length : others, 0, { address, goesFirst, enter, leave });
      });
    } else running += 1;
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      // The place is handed over, not given up: the count stays.
      if (next) next.enter();
      else running -= 1;
    }
  }

  return { pass, isEmpty: () => running === 0 };
}

/** A turnstile for everybody, behind one for each address: a sender slows down its own logins first. */
function createTurnstiles(isFamiliar: (sender: string) => boolean) {
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

  return async function pass<T>(address: string | null, work: Work<T>): Promise<T> {
    if (address === null) return everybody.pass(null, true, () => work(null));
    const sender = limitedPart(address);
    const own =
      byAddress.get(sender) ??
      createTurnstile({
        running: MAX_RUNNING_PER_ADDRESS,
        waiting: MAX_WAITING_PER_ADDRESS,
        refuse: tooManyAtOnce,
      });
    byAddress.set(sender, own);
    try {
      return await own.pass(null, false, () => everybody.pass(sender, isFamiliar(sender), () => work(sender)));
    } finally {
      if (own.isEmpty()) byAddress.delete(sender);
    }
  };
}
