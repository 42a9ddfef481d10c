import { PangolinError } from '@pangolin/shared/errors';
import type { MaybePromise } from '../maybe-promise.ts';
import { monotonicMs } from '../times.ts';

/** A moment on both clocks of this process: one may stand still while it sleeps, the other may be set. */
export interface Moment {
  monotonicMs: number;
  wallMs: number;
}

/** What the database said of itself in one answer. */
export interface Observation {
  /** How many commits may have ended or narrowed a credential. */
  credentials: number;
  /** The database's clock, at some moment between asking and the answer; null: it was not asked. */
  nowMs: number | null;
}

/** How old what is known may be when it is used. A revocation holds everywhere within a second; this leaves it some air. */
const TRUSTED_MS = 900;

/** From this age on it is asked again in good time, while what is known still serves. */
const REFRESH_MS = 400;

/** Knows how fresh what is known of a shared database is, and what time it is there. */
export interface Freshness {
  /** Now, to be taken just before a query is sent. */
  moment(): Moment;
  /** Whether what was asked for at a moment may be used now. */
  isTrusted(asked: Moment): boolean;
  /** Takes note of an answer that was asked for at a moment. */
  observe(observation: Observation, asked: Moment): void;
  /** Takes note that this process has ended or narrowed a credential, whatever a question beside it was answered. */
  changed(): void;
  /** Forgets what is known: something may have happened that nobody saw. */
  forget(): void;
  /** See Database.credentialGeneration. */
  generation(): MaybePromise<number>;
  /** The database's clock, in whole milliseconds since 1970. */
  now(): number;
}

const NEVER: Moment = { monotonicMs: Number.NEGATIVE_INFINITY, wallMs: Number.NEGATIVE_INFINITY };

/** `ask` asks the database once; whoever needs an answer while one is under way waits for the same. */
export function createFreshness(
  ask: (moment: () => Moment) => Promise<{ observation: Observation; asked: Moment }>,
  wallMs: () => number,
): Freshness {
  let seen = 0;
  let generation = 1;
  let confirmed = NEVER;
  let clockOffsetMs: number | undefined;
  let asking: Promise<void> | undefined;

  const moment = (): Moment => ({ monotonicMs: monotonicMs(), wallMs: wallMs() });

  /** By the larger of both clocks: a process that was frozen, or a machine that slept, knows nothing fresh. */
  const ageOf = (then: Moment): number => Math.max(monotonicMs() - then.monotonicMs, wallMs() - then.wallMs);

  function observe({ credentials, nowMs }: Observation, asked: Moment): void {
    if (nowMs !== null) setClock(nowMs, asked);
    // An answer to an older question says nothing of what a newer one has told.
    if (asked.monotonicMs < confirmed.monotonicMs) return;
    if (credentials !== seen) {
      seen = credentials;
      generation += 1;
    }
    confirmed = asked;
  }

  /** The clock there shows between `nowMs` and that plus how long the answer took; within that, ours needs no setting. */
  function setClock(nowMs: number, asked: Moment): void {
    const answeredMs = monotonicMs();
    const earliest = nowMs - answeredMs;
    const latest = nowMs - asked.monotonicMs;
    if (clockOffsetMs === undefined) clockOffsetMs = (earliest + latest) / 2;
    else clockOffsetMs = Math.min(Math.max(clockOffsetMs, earliest), latest);
  }

  function confirm(): Promise<void> {
    asking ??= ask(moment)
      .then(({ observation, asked }) => observe(observation, asked))
      .finally(() => {
        asking = undefined;
      });
    return asking;
  }

  async function waitForGeneration(): Promise<number> {
    for (let attempts = 0; attempts < 3; attempts += 1) {
      await confirm();
      if (ageOf(confirmed) < TRUSTED_MS) return generation;
    }
    throw new PangolinError('unavailable', 'The database answers too slowly to say which credentials are still good.', {
      hint: 'Try again in a moment.',
      retryAfterSeconds: 1,
    });
  }

  return {
    moment,
    isTrusted: (asked) => ageOf(asked) < TRUSTED_MS,
    observe,
    changed() {
      generation += 1;
    },
    forget() {
      generation += 1;
      confirmed = NEVER;
    },
    generation() {
      const age = ageOf(confirmed);
      if (age >= TRUSTED_MS) return waitForGeneration();
      // Whoever needs it next is told if this fails.
      if (age > REFRESH_MS && asking === undefined) confirm().catch(() => undefined);
      return generation;
    },
    now: () => Math.floor(monotonicMs() + (clockOffsetMs ?? 0)),
  };
}
