// SPDX-License-Identifier: Apache-2.0
import { TeeTeeError } from "../../base/error";
import { formatPool, isSamePool, parsePool, type PoolOnChain } from "../../chain/deployment";
import { readStoredList, type TextStorage, writeStoredList } from "../../client/storedList";

/** The pool that an entry said it serves; "none" where it named no chain. */
export type SaidPool = PoolOnChain | "none";

const storageKey = "teetee.known";
/** Of the entries that were used last. */
const knownMax = 256;

type Known = readonly [url: string, said: string];

function knownOf(value: unknown): Known | undefined {
  if (!Array.isArray(value) || value.length !== 2) return undefined;
  const [url, said] = value as unknown[];
  return typeof url === "string" && typeof said === "string" ? [url, said] : undefined;
}

function textOf(said: SaidPool): string {
  return said === "none" ? said : formatPool(said);
}

export function isSameSaid(a: SaidPool, b: SaidPool): boolean {
  return a === "none" || b === "none" ? a === b : isSamePool(a, b);
}

/** In words, inside a sentence. */
export function wordsOfSaid(said: SaidPool): string {
  return said === "none"
    ? "no contract"
    : `pool ${said.pool} of contract ${said.deployment.contract} on chain ${said.deployment.chainId}`;
}

/** An entry names another pool than the user knows it by: it may be that it wants other money. */
export class NetworkChanged extends TeeTeeError {
  constructor(
    readonly url: string,
    readonly before: SaidPool,
    readonly now: SaidPool,
  ) {
    super(
      "statement_mismatch",
      `network: the entry names ${wordsOfSaid(now)}; when it was used before, it was ${wordsOfSaid(before)}`,
    );
    this.name = "NetworkChanged";
  }
}

/**
 * Which pool each entry named when it was first verified, as SSH clients know hosts. Whoever takes an
 * entry over later cannot send its users' money elsewhere unseen.
 */
export class KnownNetworks {
  constructor(private readonly storage: TextStorage) {}

  private load(): Known[] {
    return readStoredList(this.storage, storageKey, knownMax, knownOf);
  }

  of(url: string): SaidPool | undefined {
    const said = this.load().find(([known]) => known === url)?.[1];
    if (said === undefined || said === "none") return said;
    try {
      return parsePool(said);
    } catch {
      return undefined;
    }
  }

  keep(url: string, said: SaidPool): void {
    const others = this.load().filter(([known]) => known !== url);
    const all = [...others, [url, textOf(said)]].slice(-knownMax);
    writeStoredList(this.storage, storageKey, all);
  }

  /** Error: NetworkChanged, where it is known by another one. */
  ensureSame(url: string, said: SaidPool): void {
    const before = this.of(url);
    if (before !== undefined && !isSameSaid(before, said))
      throw new NetworkChanged(url, before, said);
  }
}
