/**
 * `valid`: it was shown, and nobody asked to end it. `ended`: its end was answered. `unsure`: its end was asked for, and the
 * answer got lost.
 */
type Standing = 'valid' | 'ended' | 'unsure';

/** A credential that was shown to somebody. */
export interface Shown {
  id: string;
  secret: string;
  kind: 'token' | 'key';
  /** The service user of a key. */
  serviceUserId?: string;
  /** What it was obtained with, and dies with. */
  parent: Shown | null;
  standing: Standing;
  endedAtMs: number;
}

/** Everything that a server has promised by an answer; what was not answered is not promised. */
export interface Promises {
  all: Shown[];
  /** Servers that broke a promise, in words. */
  broken: string[];
  counts: { operations: number; checks: number; unavailable: number };
  show(shown: Pick<Shown, 'id' | 'secret' | 'kind'> & Partial<Shown>): Shown;
}

export function createPromises(): Promises {
  const all: Shown[] = [];
  return {
    all,
    broken: [],
    counts: { operations: 0, checks: 0, unavailable: 0 },
    show(shown) {
      const entry: Shown = { parent: null, standing: 'valid', endedAtMs: Number.POSITIVE_INFINITY, ...shown };
      all.push(entry);
      return entry;
    },
  };
}

/** What holds of a credential and of all it came from. */
export function standingOf(shown: Shown): { standing: Standing; endedAtMs: number } {
  const own = { standing: shown.standing, endedAtMs: shown.endedAtMs };
  const above = shown.parent ? standingOf(shown.parent) : own;
  const ended = [own, above].filter(({ standing }) => standing === 'ended').map(({ endedAtMs }) => endedAtMs);
  if (ended.length > 0) return { standing: 'ended', endedAtMs: Math.min(...ended) };
  return [own, above].some(({ standing }) => standing === 'unsure') ? { ...own, standing: 'unsure' } : own;
}
