// SPDX-License-Identifier: Apache-2.0
import type { PoolView, SlotView } from "../pools/poolView";

/** With the fewest live nodes, of equals the one with the lowest layers, as `teetee host` chooses. */
export function worstServed(slots: readonly SlotView[]): SlotView | undefined {
  return slots.reduce<SlotView | undefined>(
    (worst, slot) => (worst === undefined || slot.live < worst.live ? slot : worst),
    undefined,
  );
}

/** Pools that take new nodes: those that lack most first, and of equals the connected entry's. */
export function poolsToHost(views: readonly PoolView[]): PoolView[] {
  const lack = (view: PoolView) => worstServed(view.slots)?.live ?? 0;
  return views
    .filter((view) => view.isOpen && view.pool !== undefined)
    .sort(
      (a, b) =>
        Number(b.isConnected) - Number(a.isConnected) ||
        lack(a) - lack(b) ||
        Number((a.pool ?? 0n) - (b.pool ?? 0n)),
    );
}

export interface Choice {
  readonly view: PoolView;
  readonly slot: SlotView;
}

/** What the page's address asks for, or the worst served slot of the first pool. */
export function chosenOf(
  views: readonly PoolView[],
  query: { readonly pool: string | null; readonly slot: string | null },
): Choice | undefined {
  // A closed pool that is named is there for those who renew.
  const asked = views.find((view) => view.key === query.pool && view.pool !== undefined);
  const view = asked ?? poolsToHost(views)[0];
  if (!view) return undefined;
  const named = view.key === query.pool ? query.slot : null;
  const slot = view.slots.find(({ slot }) => `${slot}` === named) ?? worstServed(view.slots);
  return slot && { view, slot };
}
