// SPDX-License-Identifier: Apache-2.0
import type { SlotView } from "./poolView";

/** Beyond so many, a bar for each slot would be too thin to be seen. */
const barsMax = 24;

function sentenceOf(slots: readonly SlotView[], filled: number): string {
  const each = slots.map(({ slot, live }) => `slot ${slot}: ${live}`).join(", ");
  return `${filled} of ${slots.length} slots have a live node. Live nodes of ${each}`;
}

/** A bar for each slot, filled where a live node serves it, with the number of its replicas. */
export function SlotBars({ slots, filled }: { slots: readonly SlotView[]; filled: number }) {
  return (
    <div className="min-w-28">
      <span className="sr-only">{sentenceOf(slots, filled)}</span>
      <div aria-hidden="true">
        {slots.length > barsMax ? null : (
          <div className="flex max-w-48 gap-1">
            {slots.map(({ slot, live }) => (
              <span key={slot} className="flex min-w-2 flex-1 flex-col items-center gap-0.5">
                <span
                  className={`h-2 w-full rounded-full border ${
                    live > 0 ? "border-ink bg-ink" : "border-line-strong bg-transparent"
                  }`}
                />
                <span className="text-xs leading-none text-soft tabular-nums">{live}</span>
              </span>
            ))}
          </div>
        )}
        <p className="mt-1 text-xs whitespace-nowrap text-faint">
          {filled} of {slots.length} filled
        </p>
      </div>
    </div>
  );
}
