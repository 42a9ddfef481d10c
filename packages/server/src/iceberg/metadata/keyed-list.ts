/** A list to be changed by the keys of its elements. What is not touched stays the very same list. */
export class KeyedList<K, T extends object> {
  readonly #original: readonly T[];
  readonly #keyOf: (element: T) => K;
  #byKey: Map<K, T> | undefined;
  #isChanged = false;

  constructor(original: readonly T[], keyOf: (element: T) => K) {
    this.#original = original;
    this.#keyOf = keyOf;
  }

  get #elements(): Map<K, T> {
    this.#byKey ??= new Map(this.#original.map((element) => [this.#keyOf(element), element]));
    return this.#byKey;
  }

  get size(): number {
    return this.#byKey?.size ?? this.#original.length;
  }

  get(key: K): T | undefined {
    return this.#elements.get(key);
  }

  has(key: K): boolean {
    return this.#elements.has(key);
  }

  /** Puts an element at the end, in place of one with the same key. */
  put(element: T): void {
    const key = this.#keyOf(element);
    this.#elements.delete(key);
    this.#elements.set(key, element);
    this.#isChanged = true;
  }

  /** Whether there was one. */
  remove(key: K): boolean {
    const wasThere = this.#elements.delete(key);
    this.#isChanged ||= wasThere;
    return wasThere;
  }

  keys(): Iterable<K> {
    return this.#elements.keys();
  }

  elements(): Iterable<T> {
    return this.#byKey?.values() ?? this.#original;
  }

  toList(): readonly T[] {
    return this.#isChanged ? [...this.elements()] : this.#original;
  }
}
