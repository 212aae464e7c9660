// SPDX-License-Identifier: Apache-2.0

/** What is known of the answer that is under way, beyond its text. */
export interface LiveAnswer {
  /** Tokens that have come. */
  tokens: number;
  /** Credits that the entry has charged or holds for it; undefined where it says nothing. */
  upTo?: bigint;
  /** What the user should know: another entry goes on, a wallet is asked. */
  note?: string;
}

/** The answers that are under way; the latest one is shown. */
export class LiveAnswers {
  readonly #answers = new Map<symbol, LiveAnswer>();
  readonly #listeners = new Set<() => void>();
  #latest: LiveAnswer | undefined;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly latest = (): LiveAnswer | undefined => this.#latest;

  set(key: symbol, change: Partial<LiveAnswer>): void {
    this.#answers.set(key, { ...(this.#answers.get(key) ?? { tokens: 0 }), ...change });
    this.#emit();
  }

  end(key: symbol): void {
    this.#answers.delete(key);
    this.#emit();
  }

  #emit(): void {
    this.#latest = [...this.#answers.values()].at(-1);
    for (const listener of this.#listeners) listener();
  }
}

export const liveAnswers = new LiveAnswers();
