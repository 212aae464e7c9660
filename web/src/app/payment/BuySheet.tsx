// SPDX-License-Identifier: Apache-2.0
import { useId, useState } from "react";
import { Sheet } from "../ui/Sheet";
import type { SendPhase } from "../wallet/wallet";
import { formatEth, parseCredits, parseEth } from "./amounts";
import { PaidTo, useIsPayeeKnown } from "./PaidTo";
import { usePayment } from "./payment";
import { FormButtons, SaidLine } from "./SaidLine";
import { useAct } from "./useAct";
import { countText, creditsText } from "../ui/amounts";

interface Props {
  isOpen: boolean;
  onClose: () => void;
}

type Unit = "credits" | "eth";

const presets = [20_000n, 100_000n, 1_000_000n] as const;

export const sendWords: Record<SendPhase, string> = {
  trying: "Asking the contract whether it would take it.",
  signing: "Confirm in your wallet.",
  mining: "Sent. Waiting for its block.",
};

export default function BuySheet({ isOpen, onClose }: Props) {
  return (
    <Sheet title="Buy credits" side="centre" isOpen={isOpen} onClose={onClose}>
      <BuyForm onDone={onClose} />
    </Sheet>
  );
}

/** Credits that a text says in a unit, rounded down to whole ones; undefined for no amount. */
function creditsOf(text: string, unit: Unit, weiPerCredit: bigint | undefined): bigint | undefined {
  if (unit === "credits") return parseCredits(text);
  const wei = parseEth(text);
  if (wei === undefined || !weiPerCredit) return undefined;
  return wei / weiPerCredit || undefined;
}

/** What a text comes to, and what is wrong with it. */
function useAmount(text: string, unit: Unit) {
  const { weiPerCredit, eth, prices } = usePayment();
  const credits = creditsOf(text, unit, weiPerCredit);
  const wei = credits && weiPerCredit ? credits * weiPerCredit : undefined;
  const tokens = credits && prices?.completion ? credits / prices.completion : undefined;
  const cost = wei === undefined ? ".." : formatEth(wei);
  const enough = tokens ? ` Enough for about ${countText(tokens)} tokens of answers.` : "";
  const lack =
    wei !== undefined && eth !== undefined && wei > eth
      ? `The wallet has ${formatEth(eth)}: buy less, or send ETH to it first.`
      : undefined;
  const words =
    credits === undefined
      ? "Say how much, as 100,000 credits or 0.001 ETH."
      : `${creditsText(credits)} for ${cost}, and gas for one transaction.${enough}`;
  return { credits, wei, lack, words };
}

function BuyForm({ onDone }: { onDone: () => void }) {
  const payment = usePayment();
  const [unit, setUnit] = useState<Unit>("credits");
  const [text, setText] = useState("100,000");
  const act = useAct();
  const { credits, wei, lack, words } = useAmount(text, unit);
  const isPayeeKnown = useIsPayeeKnown();
  const canBuy = isPayeeKnown && wei !== undefined && lack === undefined && !act.isBusy;
  const buy = async () => {
    if (!credits || !canBuy) return;
    const isDone = await act.run((signal) =>
      payment.buy(credits, { onPhase: (phase) => act.say(sendWords[phase]), signal }),
    );
    if (isDone) onDone();
  };
  return (
    <form
      className="space-y-4"
      onSubmit={(event) => {
        event.preventDefault();
        void buy();
      }}
    >
      <fieldset disabled={act.isBusy} className="space-y-4">
        <AmountField {...{ text, setText, unit, setUnit, words }} isWrong={credits === undefined} />
        <div className="flex flex-wrap gap-2" role="group" aria-label="Usual amounts">
          {presets.map((preset) => (
            <button
              key={preset}
              type="button"
              onClick={() => {
                setUnit("credits");
                setText(countText(preset));
              }}
              className="btn btn-quiet btn-small tabular-nums"
            >
              {countText(preset)}
            </button>
          ))}
        </div>
      </fieldset>
      {lack === undefined ? null : <p className="text-sm text-failed">{lack}</p>}
      <PaidTo />
      <SaidLine act={act} />
      <FormButtons act={act} canSubmit={canBuy}>
        {wei === undefined ? "Buy" : `Buy for ${formatEth(wei)}`}
      </FormButtons>
      <p className="text-xs text-faint">
        Credits stay yours in the contract. What you do not use you can have back in ETH, a day
        after you ask for it.
      </p>
    </form>
  );
}

interface AmountProps {
  text: string;
  setText: (text: string) => void;
  unit: Unit;
  setUnit: (unit: Unit) => void;
  words: string;
  isWrong: boolean;
}

function AmountField({ text, setText, unit, setUnit, words, isWrong }: AmountProps) {
  const id = useId();
  return (
    <div>
      <label htmlFor={id} className="mb-1 block text-sm font-medium">
        Amount
      </label>
      <div className="flex gap-2">
        <input
          id={id}
          value={text}
          inputMode="decimal"
          autoComplete="off"
          aria-invalid={isWrong}
          aria-describedby={`${id}note`}
          onChange={(event) => setText(event.target.value)}
          className="field tabular-nums"
        />
        <select
          aria-label="Unit"
          value={unit}
          onChange={(event) => setUnit(event.target.value as Unit)}
          className="field w-28"
        >
          <option value="credits">credits</option>
          <option value="eth">ETH</option>
        </select>
      </div>
      <p id={`${id}note`} className="mt-1 min-h-10 text-sm text-soft">
        {words}
      </p>
    </div>
  );
}
