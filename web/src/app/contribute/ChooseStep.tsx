// SPDX-License-Identifier: Apache-2.0
import { useId } from "react";
import { feeText } from "../pools/amounts";
import { PoolPrice } from "../pools/PoolPrice";
import { titleOf, type PoolView, type SlotView } from "../pools/poolView";
import { ChainMark, TrustMark } from "../pools/TrustMark";
import { poolsToHost, worstServed, type Choice } from "./slotChoice";

interface Props {
  views: readonly PoolView[];
  choice: Choice;
  onChoose: (pool: string, slot?: number) => void;
  weiPerCredit: bigint | undefined;
}

/** Which model and which of its slots: the worst served one is proposed. */
export function ChooseStep({ views, choice, onChoose, weiPerCredit }: Props) {
  const { view, slot } = choice;
  const proposed = worstServed(view.slots);
  const id = useId();
  const candidates = poolsToHost(views);
  const listed = candidates.includes(view) ? candidates : [view, ...candidates];
  return (
    <>
      <div className="grid gap-4 sm:grid-cols-2">
        <div>
          <label htmlFor={id} className="mb-1 block text-sm font-medium">
            Model
          </label>
          <select
            id={id}
            value={view.key}
            onChange={(event) => onChoose(event.target.value)}
            className="field"
          >
            {listed.map((one) => (
              <option key={one.key} value={one.key}>
                {titleOf(one)}, pool {one.key}, {one.filled} of {one.slots.length} slots filled
              </option>
            ))}
          </select>
          <p className="mt-2 flex flex-wrap items-center gap-3">
            <TrustMark trust={view.trust} />
            {view.check ? <ChainMark check={view.check} /> : null}
          </p>
        </div>
        <div>
          <p className="mb-1 text-sm font-medium">What users pay for 1,000 tokens, in credits</p>
          <PoolPrice prices={view.prices} weiPerCredit={weiPerCredit} />
          <p className="mt-1 text-sm text-faint">
            Less {feeText(view.terms?.feeBps ?? 0)} for the pool's creator, split by the layers that
            each node computed. Hosts of the pool use the model for free.
          </p>
        </div>
      </div>
      {view.isOpen ? null : (
        <p className="text-sm text-failed">
          This pool is closed: it takes no new nodes, and those that are there may renew.
        </p>
      )}
      <fieldset>
        <legend className="mb-1 text-sm font-medium">Slot</legend>
        <div className="grid max-h-72 gap-2 overflow-y-auto p-0.5 sm:grid-cols-2 xl:grid-cols-3">
          {view.slots.map((one) => (
            <SlotChoice
              key={one.slot}
              slot={one}
              isChosen={one.slot === slot.slot}
              isProposed={one === proposed}
              onChoose={() => onChoose(view.key, one.slot)}
            />
          ))}
        </div>
      </fieldset>
    </>
  );
}

interface SlotChoiceProps {
  slot: SlotView;
  isChosen: boolean;
  isProposed: boolean;
  onChoose: () => void;
}

function SlotChoice({ slot, isChosen, isProposed, onChoose }: SlotChoiceProps) {
  const { layers, live } = slot;
  const count = layers.end - layers.begin;
  return (
    <label className="flex cursor-pointer gap-3 rounded-xl border border-line p-3 has-checked:border-ink has-checked:bg-raised">
      <input
        type="radio"
        name="slot"
        checked={isChosen}
        onChange={onChoose}
        className="mt-1 size-4 accent-current"
      />
      <span className="text-sm">
        <span className="font-medium">Slot {slot.slot}</span>
        {slot.slot === 0 ? <span className="text-soft"> (an entry)</span> : null}
        <span className="block text-soft">
          layers {layers.begin}–{layers.end - 1}, {count} of them
        </span>
        <span className="block text-soft">
          {live === 0 ? "nobody serves it" : `${live} live ${live === 1 ? "node" : "nodes"}`}
        </span>
        {isProposed ? <span className="block font-medium">needs you most</span> : null}
      </span>
    </label>
  );
}
