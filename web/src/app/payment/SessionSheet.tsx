// SPDX-License-Identifier: Apache-2.0
import { useId, useState } from "react";
import { Sheet } from "../ui/Sheet";
import { parseCredits } from "./amounts";
import { openWords } from "./openWords";
import { PaidTo, useIsPayeeKnown } from "./PaidTo";
import { usePayment, type OpenPhase } from "./payment";
import { FormButtons, SaidLine } from "./SaidLine";
import { useAct } from "./useAct";
import { countText, creditsText } from "../ui/amounts";

interface Props {
  isOpen: boolean;
  onClose: () => void;
}

const ceilingDefault = 20_000n;
/** 30 is the most that the contract lets a voucher live; a little less, as its clock may differ. */
const dayChoices = [1, 7, 29] as const;

export default function SessionSheet({ isOpen, onClose }: Props) {
  return (
    <Sheet title="Open a session" side="centre" isOpen={isOpen} onClose={onClose}>
      <SessionForm onDone={onClose} />
    </Sheet>
  );
}

/** The most usual amount, or all there is; not less than what the entry opens for nothing. */
function ceilingFirst(balance: bigint, openedFrom: bigint | undefined): bigint {
  const wanted =
    openedFrom !== undefined && openedFrom > ceilingDefault ? openedFrom : ceilingDefault;
  return balance < wanted ? balance : wanted;
}

/** Who sends it to the contract, or why it is too much. */
function ceilingWords(ceiling: bigint | undefined, balance: bigint, openedFrom?: bigint): string {
  if (ceiling !== undefined && ceiling > balance) {
    return `The wallet has ${creditsText(balance)}: choose less, or buy more first.`;
  }
  if (openedFrom === undefined) return "Your wallet sends it to the contract, for gas.";
  return ceiling !== undefined && ceiling >= openedFrom
    ? "The entry sends it to the contract, so it costs you no gas."
    : `Your wallet sends it, for gas. From ${creditsText(openedFrom)} on the entry would.`;
}

function SessionForm({ onDone }: { onDone: () => void }) {
  const payment = usePayment();
  const { balance = 0n, openedFrom } = payment;
  const [text, setText] = useState(() => countText(ceilingFirst(balance, openedFrom)));
  const [days, setDays] = useState<number>(7);
  const act = useAct();
  const ceiling = parseCredits(text);
  const isWrong = ceiling === undefined || ceiling > balance;
  const canOpen = useIsPayeeKnown() && !isWrong && !act.isBusy;
  const open = async () => {
    if (ceiling === undefined || !canOpen) return;
    const say = (phase: OpenPhase) => act.say(openWords[phase]);
    const isDone = await act.run((signal) => payment.openSession(ceiling, days, say, signal));
    if (isDone) onDone();
  };
  return (
    <form
      className="space-y-4"
      onSubmit={(event) => {
        event.preventDefault();
        void open();
      }}
    >
      <p className="text-soft">
        You sign once for the most that this browser may spend; then answers are paid for as they
        come, with no more questions from your wallet.
      </p>
      <fieldset disabled={act.isBusy} className="space-y-4">
        <CeilingField
          {...{ text, setText, isWrong }}
          words={ceilingWords(ceiling, balance, openedFrom)}
        />
        <DaysChoice days={days} onChange={setDays} />
      </fieldset>
      <PaidTo />
      <SaidLine act={act} />
      <FormButtons act={act} canSubmit={canOpen}>
        Sign and open
      </FormButtons>
      <p className="text-xs text-faint">
        The key that spends it stays in this browser until the session ends. What is not spent you
        get back: end the session at any time, and reclaim the rest a week later.
      </p>
    </form>
  );
}

interface CeilingProps {
  text: string;
  setText: (text: string) => void;
  words: string;
  isWrong: boolean;
}

function CeilingField({ text, setText, words, isWrong }: CeilingProps) {
  const id = useId();
  return (
    <div>
      <label htmlFor={id} className="mb-1 block text-sm font-medium">
        At most, credits
      </label>
      <input
        id={id}
        value={text}
        inputMode="numeric"
        autoComplete="off"
        aria-invalid={isWrong}
        aria-describedby={`${id}note`}
        onChange={(event) => setText(event.target.value)}
        className="field tabular-nums"
      />
      <p
        id={`${id}note`}
        className={`mt-1 min-h-10 text-sm ${isWrong ? "text-failed" : "text-soft"}`}
      >
        {words}
      </p>
    </div>
  );
}

function DaysChoice({ days, onChange }: { days: number; onChange: (days: number) => void }) {
  const name = useId();
  return (
    <div role="radiogroup" aria-label="Good for">
      <p className="mb-1 text-sm font-medium">Good for</p>
      <div className="flex gap-2">
        {dayChoices.map((choice) => (
          <label
            key={choice}
            className="btn btn-quiet btn-small has-checked:border-ink has-checked:bg-raised"
          >
            <input
              type="radio"
              name={name}
              checked={days === choice}
              onChange={() => onChange(choice)}
              className="accent-current"
            />
            {choice === 1 ? "a day" : `${choice} days`}
          </label>
        ))}
      </div>
    </div>
  );
}
