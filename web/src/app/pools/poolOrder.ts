// SPDX-License-Identifier: Apache-2.0
import { titleOf, type PoolTrust, type PoolView } from "./poolView";

export const sortKeys = ["name", "price", "slots", "speed", "trust", "fee"] as const;
export type SortKey = (typeof sortKeys)[number];

export interface PoolOrder {
  readonly key: SortKey;
  readonly isDescending: boolean;
}

const trustRank: Record<PoolTrust, number> = {
  verified: 4,
  attested: 3,
  simulated: 2,
  unchecked: 1,
  refused: 0,
};

/** What is wanted first when a column is chosen: cheap, well served, fast, verified. */
export const descendingFirst: Record<SortKey, boolean> = {
  name: false,
  price: false,
  slots: true,
  speed: true,
  trust: true,
  fee: false,
};

/** Credits for a token of the prompt and one of the answer. */
function priceOf({ prices }: PoolView): bigint {
  return prices ? prices.prompt + prices.completion : 0n;
}

/** The replicas that every slot has: a route needs all of them. */
function leastReplicas({ slots }: PoolView): number {
  return slots.length === 0 ? 0 : Math.min(...slots.map((slot) => slot.live));
}

function shareFilled({ filled, slots }: PoolView): number {
  return slots.length === 0 ? 0 : filled / slots.length;
}

const comparisons: Record<SortKey, (a: PoolView, b: PoolView) => number> = {
  name: (a, b) => titleOf(a).localeCompare(titleOf(b), "en", { sensitivity: "base" }),
  price: (a, b) => Number(priceOf(a) - priceOf(b)),
  slots: (a, b) => shareFilled(a) - shareFilled(b) || leastReplicas(a) - leastReplicas(b),
  // What nobody has measured is below what stood still.
  speed: (a, b) => (a.throughput?.lately ?? -1) - (b.throughput?.lately ?? -1),
  trust: (a, b) => trustRank[a.trust] - trustRank[b.trust],
  fee: (a, b) => (a.terms?.feeBps ?? 0) - (b.terms?.feeBps ?? 0),
};

/** Of equals the pool of the lower number is first, in either direction. */
export function sortPools(views: readonly PoolView[], order: PoolOrder): PoolView[] {
  const compare = comparisons[order.key];
  const sign = order.isDescending ? -1 : 1;
  return [...views].sort((a, b) => sign * compare(a, b) || Number((a.pool ?? 0n) - (b.pool ?? 0n)));
}

/** The order after a press on a column's head: the other way where it is the same column. */
export function nextOrder(order: PoolOrder, key: SortKey): PoolOrder {
  return {
    key,
    isDescending: order.key === key ? !order.isDescending : descendingFirst[key],
  };
}

export interface PoolSearch {
  /** Words that all must be found in name, roots, addresses or number. */
  readonly words: string;
  readonly isOpenOnly: boolean;
}

export function searchPools(views: readonly PoolView[], search: PoolSearch): PoolView[] {
  const words = search.words.toLowerCase().split(/\s+/).filter(Boolean);
  return views.filter((view) => {
    if (search.isOpenOnly && !view.isOpen) return false;
    const text = [
      titleOf(view),
      view.modelRoot,
      view.pool === undefined ? "free" : `pool ${view.pool}`,
      view.terms?.creator ?? "",
    ];
    const all = text.join("\n").toLowerCase();
    return words.every((word) => all.includes(word));
  });
}
