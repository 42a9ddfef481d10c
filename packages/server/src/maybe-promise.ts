/** A value, or a promise of one: what is known already costs no turn of the event loop. */
export type MaybePromise<T> = T | Promise<T>;

/** Goes on with a value at once, or with a promise when it is there. */
export const andThen = <T, U>(value: MaybePromise<T>, next: (value: T) => MaybePromise<U>): MaybePromise<U> =>
  value instanceof Promise ? value.then(next) : next(value);
