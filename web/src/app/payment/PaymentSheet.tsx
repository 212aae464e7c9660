// SPDX-License-Identifier: Apache-2.0
import { useId, type ReactNode } from "react";
import { Sheet } from "../ui/Sheet";
import { formatEth } from "./amounts";
import { sendWords } from "./BuySheet";
import { openWords } from "./openWords";
import { usePayment, type OpenPhase } from "./payment";
import { SaidLine } from "./SaidLine";
import { reclaimAfterSeconds, type Session } from "./sessions";
import type { PaymentMode } from "./step";
import { useAct } from "./useAct";
import { countText, creditsText } from "../ui/amounts";
import { shortAddress } from "../wallet/wallet";
import { queryGraceSeconds, type PaidQuery } from "../../client/paidQueries";

interface Props {
  isOpen: boolean;
  onClose: () => void;
  onBuy: () => void;
  onOpenSession: () => void;
}

/** What there is, what of it is set aside, and how answers are paid for. */
export default function PaymentSheet({ isOpen, onClose, onBuy, onOpenSession }: Props) {
  return (
    <Sheet title="Payment" isOpen={isOpen} onClose={onClose}>
      <div className="min-h-0 flex-1 space-y-6 overflow-y-auto p-1">
        <Balance onBuy={onBuy} />
        <ModeChoice />
        <SessionPart onOpenSession={onOpenSession} />
        <OpeningSessions />
        <PaidQuestions />
        <EndedSessions />
      </div>
    </Sheet>
  );
}

function Row({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="flex justify-between gap-4">
      <dt className="text-soft">{name}</dt>
      <dd className="text-right tabular-nums">{children}</dd>
    </div>
  );
}

function Balance({ onBuy }: { onBuy: () => void }) {
  const { balance, eth, weiPerCredit, prices, problem } = usePayment();
  return (
    <section aria-label="Balance" className="space-y-3">
      <dl className="space-y-1 text-sm">
        <Row name="Credits">
          {balance === undefined ? "…" : countText(balance)}
          {balance !== undefined && weiPerCredit !== undefined ? (
            <span className="block text-xs text-faint">{formatEth(balance * weiPerCredit)}</span>
          ) : null}
        </Row>
        <Row name="In the wallet">{eth === undefined ? "…" : formatEth(eth)}</Row>
        <Row name="A token of your prompt">{prices ? creditsText(prices.prompt) : "…"}</Row>
        <Row name="A token of the answer">{prices ? creditsText(prices.completion) : "…"}</Row>
      </dl>
      {problem ? (
        <p role="alert" className="text-sm text-failed">
          The chain cannot be read now: {problem.detail}. What is shown may be old.
        </p>
      ) : null}
      <button type="button" onClick={onBuy} className="btn btn-quiet btn-small">
        Buy credits
      </button>
    </section>
  );
}

const modeWords: Record<PaymentMode, { title: string; words: string }> = {
  session: {
    title: "By session",
    words: "You sign once; answers are paid for as they come, without gas.",
  },
  query: {
    title: "By question",
    words: "Your wallet sends a transaction for each; what it does not use comes back as credits.",
  },
  host: {
    title: "Free, as a host",
    words: "You sign in with the wallet of a live node in this pool.",
  },
};

function ModeChoice() {
  const { mode, setMode, isHost } = usePayment();
  const id = useId();
  const modes: PaymentMode[] =
    isHost === true || mode === "host" ? ["host", "session", "query"] : ["session", "query"];
  return (
    <fieldset>
      <legend className="mb-2 text-sm font-medium">How answers are paid for</legend>
      <div className="space-y-2">
        {modes.map((one) => (
          <label
            key={one}
            className="flex cursor-pointer gap-3 rounded-xl border border-line p-3 text-sm has-checked:border-ink"
          >
            <input
              type="radio"
              name={id}
              checked={mode === one}
              onChange={() => setMode(one)}
              className="mt-1 accent-current"
            />
            <span>
              <span className="block font-medium">{modeWords[one].title}</span>
              <span className="text-soft">{modeWords[one].words}</span>
            </span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}

function SessionPart({ onOpenSession }: { onOpenSession: () => void }) {
  const payment = usePayment();
  const { session, left = 0n, mode } = payment;
  const act = useAct();
  if (session === undefined) {
    return mode === "session" ? (
      <button type="button" onClick={onOpenSession} className="btn btn-solid">
        Open a session
      </button>
    ) : null;
  }
  return (
    <section aria-label="Session" className="card space-y-3 p-4 text-sm">
      <dl className="space-y-1">
        <Row name="Left in this session">{creditsText(left)}</Row>
        <Row name="Of">{countText(session.ceiling)}</Row>
        <Row name="Until">{new Date(session.expiry * 1000).toLocaleString()}</Row>
      </dl>
      <SaidLine act={act} />
      <div className="flex flex-wrap gap-2">
        <button
          type="button"
          disabled={act.isBusy}
          onClick={() =>
            void act.run((signal) =>
              payment.endSession({ onPhase: (phase) => act.say(sendWords[phase]), signal }),
            )
          }
          className="btn btn-quiet btn-small"
        >
          End session
        </button>
      </div>
      <p className="text-xs text-faint">
        Ending takes a transaction. Entries then have a week to settle what they served; after that
        you reclaim what is left here.
      </p>
    </section>
  );
}

interface ListedProps<T> {
  title: string;
  items: readonly T[];
  keyOf: (item: T) => string;
  children: (item: T) => ReactNode;
}

/** Nothing at all where there is nothing to list. */
function Listed<T>({ title, items, keyOf, children }: ListedProps<T>) {
  if (items.length === 0) return null;
  return (
    <section aria-label={title} className="space-y-2">
      <h3 className="text-sm font-medium">{title}</h3>
      <ul className="space-y-2">
        {items.map((item) => (
          <li key={keyOf(item)}>{children(item)}</li>
        ))}
      </ul>
    </section>
  );
}

function OpeningSessions() {
  const { opening } = usePayment();
  return (
    <Listed
      title="Sessions that are not open yet"
      items={opening}
      keyOf={(session) => session.voucher}
    >
      {(session) => <OpeningSession session={session} />}
    </Listed>
  );
}

function OpeningSession({ session }: { session: Session }) {
  const payment = usePayment();
  const act = useAct();
  const say = (phase: OpenPhase) => act.say(openWords[phase]);
  const open = (byWallet: boolean) =>
    void act.run((signal) => payment.openSigned(session, byWallet, say, signal));
  return (
    <div className="rounded-xl border border-line p-3 text-sm">
      <p>
        {creditsText(session.ceiling)} at most, until{" "}
        {new Date(session.expiry * 1000).toLocaleString()}.
      </p>
      <p className="text-soft">
        You signed it, so it may be opened until then; the contract does not have it. Opening it
        again takes no new signature.
      </p>
      <div className="mt-2 flex flex-wrap gap-2">
        <Quiet isBusy={act.isBusy} onClick={() => open(false)}>
          Look and open again
        </Quiet>
        <Quiet isBusy={act.isBusy} onClick={() => open(true)}>
          Open by a transaction
        </Quiet>
      </div>
      {act.said === undefined ? null : <SaidLine act={act} />}
    </div>
  );
}

interface QuietProps {
  isBusy: boolean;
  onClick: () => void;
  children: ReactNode;
}

function Quiet({ isBusy, onClick, children }: QuietProps) {
  return (
    <button type="button" disabled={isBusy} onClick={onClick} className="btn btn-quiet btn-small">
      {children}
    </button>
  );
}

function PaidQuestions() {
  const { queries } = usePayment();
  return (
    <Listed
      title="Questions that are paid, and not answered"
      items={queries}
      keyOf={(paid) => `${paid.entry} ${paid.requestHash} ${paid.fromBlock}`}
    >
      {(paid) => <PaidQuestion paid={paid} />}
    </Listed>
  );
}

/** By what it is found: its number, or the transaction that is on its way. */
function nameOf({ query, transaction }: PaidQuery): string {
  if (query !== undefined) return `Question ${query}`;
  if (transaction !== undefined) return `Transaction ${shortAddress(transaction)}, on its way`;
  return "The wallet was asked; nothing is known to be sent";
}

const overWords = {
  paid: "Nobody served it: its credits can be reclaimed.",
  unknown:
    "Its time is over, and the chain does not say that it was paid. It is looked for until you remove it.",
};

function waitingWords({ query, transaction }: PaidQuery, from: number): string {
  if (query === undefined && transaction === undefined) {
    return "Ask the same again, and it is looked for before anything is paid.";
  }
  const when = new Date(from * 1000).toLocaleString();
  return `Ask the same again: the same entry is not paid again. What nobody serves can be reclaimed from ${when} on.`;
}

function PaidQuestion({ paid }: { paid: PaidQuery }) {
  const payment = usePayment();
  const act = useAct();
  const from = paid.deadline + queryGraceSeconds;
  const isEarly = (payment.chainTime ?? 0) <= from;
  return (
    <div className="rounded-xl border border-line p-3 text-sm">
      <p>
        {nameOf(paid)}: {creditsText(paid.locked)} at most.
      </p>
      <p className="text-soft">
        {isEarly
          ? waitingWords(paid, from)
          : overWords[paid.query === undefined ? "unknown" : "paid"]}
      </p>
      {isEarly ? null : paid.query === undefined ? (
        <div className="mt-2">
          <Quiet
            isBusy={act.isBusy}
            onClick={() => void act.run(async () => payment.forgetQuery(paid))}
          >
            Remove
          </Quiet>
        </div>
      ) : (
        <div className="mt-2">
          <Quiet
            isBusy={act.isBusy}
            onClick={() =>
              void act.run((signal) =>
                payment.reclaimQuery(paid, {
                  onPhase: (phase) => act.say(sendWords[phase]),
                  signal,
                }),
              )
            }
          >
            Reclaim
          </Quiet>
        </div>
      )}
      {act.said === undefined ? null : <SaidLine act={act} />}
    </div>
  );
}

function EndedSessions() {
  const { ended } = usePayment();
  return (
    <Listed title="Sessions that are over" items={ended} keyOf={(session) => session.voucher}>
      {(session) => <EndedSession session={session} />}
    </Listed>
  );
}

function EndedSession({ session }: { session: Session }) {
  const payment = usePayment();
  const act = useAct();
  const from = session.expiry + reclaimAfterSeconds;
  const { chainTime = 0 } = payment;
  const isEarly = chainTime <= from;
  return (
    <div className="rounded-xl border border-line p-3 text-sm">
      <p>
        {creditsText(session.ceiling)} at most, {session.expiry > chainTime ? "ends" : "ended"}{" "}
        {new Date(session.expiry * 1000).toLocaleString()}.
      </p>
      <p className="text-soft">
        {isEarly
          ? `What is left of it can be reclaimed from ${new Date(from * 1000).toLocaleString()} on.`
          : "What is left of it can be reclaimed."}
      </p>
      <button
        type="button"
        disabled={isEarly || act.isBusy}
        onClick={() =>
          void act.run((signal) =>
            payment.reclaim(session, { onPhase: (phase) => act.say(sendWords[phase]), signal }),
          )
        }
        className="btn btn-quiet btn-small mt-2"
      >
        Reclaim
      </button>
      {act.said === undefined ? null : <SaidLine act={act} />}
    </div>
  );
}
