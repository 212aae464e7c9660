// SPDX-License-Identifier: Apache-2.0
import { lazy, Suspense, useState, type ReactNode } from "react";
import { Icon, type IconName } from "../ui/Icon";
import { shortAddress, useWallet } from "../wallet/wallet";
import { creditsText } from "../ui/amounts";
import { usePayment } from "./payment";
import { SaidLine } from "./SaidLine";
import type { Step } from "./step";
import { useAct, type Act } from "./useAct";

const BuySheet = lazy(() => import("./BuySheet"));
const SessionSheet = lazy(() => import("./SessionSheet"));
const PaymentSheet = lazy(() => import("./PaymentSheet"));

type Opened = "buy" | "session" | "payment" | undefined;

/** The dialogs of payment, one at a time. */
function Dialogs({ opened, open }: { opened: Opened; open: (next: Opened) => void }) {
  const close = () => open(undefined);
  return (
    <Suspense>
      {opened === "buy" ? <BuySheet isOpen onClose={close} /> : null}
      {opened === "session" ? <SessionSheet isOpen onClose={close} /> : null}
      {opened === "payment" ? (
        <PaymentSheet
          isOpen
          onClose={close}
          onBuy={() => open("buy")}
          onOpenSession={() => open("session")}
        />
      ) : null}
    </Suspense>
  );
}

/** What has to be done before the next question, with the one button that does it. */
export function PaymentStep() {
  const { step, isHost, mode, setMode } = usePayment();
  const [opened, open] = useState<Opened>();
  const card = <StepCard step={step} open={open} />;
  const offersFree = isHost === true && mode !== "host" && step !== "ready";
  return (
    <>
      {card}
      {offersFree ? (
        <p className="mb-2 px-3 text-sm text-soft">
          This wallet hosts a node of the pool.{" "}
          <button type="button" onClick={() => setMode("host")} className="text-link underline">
            Chat free of charge
          </button>
        </p>
      ) : null}
      <Dialogs opened={opened} open={open} />
    </>
  );
}

interface CardProps {
  icon: IconName;
  title: string;
  children: ReactNode;
  action?: ReactNode;
  /** Which of the four steps it is. */
  at?: number;
  act?: Act;
}

const stepNames = ["Connect a wallet", "Buy credits", "Open a session", "Ask"] as const;

function Card({ icon, title, children, action, at, act }: CardProps) {
  return (
    <section aria-label="Next step" className="card mb-3 p-4">
      <div className="flex flex-wrap items-center gap-x-4 gap-y-3">
        <span className="grid size-10 shrink-0 place-items-center rounded-full bg-raised text-soft">
          <Icon name={icon} />
        </span>
        <div className="min-w-48 flex-1">
          <h2 className="font-semibold">{title}</h2>
          <div className="text-sm text-soft">{children}</div>
        </div>
        {action}
      </div>
      {act?.said === undefined ? null : <SaidLine act={act} />}
      {at === undefined ? null : (
        <ol className="mt-3 flex flex-wrap gap-x-4 gap-y-1 text-xs text-faint">
          {stepNames.map((name, i) => (
            <li
              key={name}
              aria-current={i === at ? "step" : undefined}
              className="aria-[current]:font-semibold aria-[current]:text-ink"
            >
              {i < at ? "✓" : i + 1} {name}
            </li>
          ))}
        </ol>
      )}
    </section>
  );
}

function Solid({ onClick, children, isBusy = false }: SolidProps) {
  return (
    <button type="button" onClick={onClick} disabled={isBusy} className="btn btn-solid">
      {children}
    </button>
  );
}

interface SolidProps {
  onClick: () => void;
  children: ReactNode;
  isBusy?: boolean;
}

interface StepProps {
  step: Step;
  open: (next: Opened) => void;
}

function StepCard({ step, open }: StepProps) {
  switch (step) {
    case "ready":
    case "waiting":
      return null;
    case "noWallet":
    case "connect":
    case "switchChain":
      return <WalletCard step={step} />;
    case "getEth":
      return <EthCard />;
    default:
      return <MoneyCard step={step} open={open} />;
  }
}

function WalletCard({ step }: { step: "noWallet" | "connect" | "switchChain" }) {
  const wallet = useWallet();
  const act = useAct();
  if (step === "switchChain") {
    const button = (
      <Solid isBusy={act.isBusy} onClick={() => void act.run(wallet.switchChain)}>
        Switch network
      </Solid>
    );
    return (
      <Card icon="alert" title="The wallet is on another network" at={0} act={act} action={button}>
        This one is on {wallet.chainName}.
      </Card>
    );
  }
  const isThere = step === "connect";
  return (
    <Card
      icon="wallet"
      title={isThere ? "Connect your wallet" : "A wallet pays for answers"}
      at={0}
      action={<Solid onClick={wallet.open}>{isThere ? "Connect wallet" : "How to get one"}</Solid>}
    >
      {isThere
        ? "It pays for answers. The page learns its address, and nothing is spent without you."
        : "This browser has none yet. Any extension that works with Ethereum will do."}
    </Card>
  );
}

interface MoneyStep {
  icon: IconName;
  title: string;
  words: string;
  button: string;
  run: () => void;
  at?: number;
}

type MoneyStepName = Exclude<
  Step,
  "ready" | "waiting" | "noWallet" | "connect" | "switchChain" | "getEth"
>;

function useMoneySteps(open: (next: Opened) => void): Record<MoneyStepName, MoneyStep> {
  const { balance = 0n, refresh, setMode } = usePayment();
  return {
    chainAway: {
      icon: "alert",
      title: "The chain cannot be read now",
      words:
        "Its RPC endpoint does not answer, so nothing new can be paid. Another one can be named under Network, above.",
      button: "Try again",
      run: () => void refresh(),
    },
    buy: {
      icon: "wallet",
      title: "Buy credits",
      words: "Answers cost credits by the token. You have none yet.",
      button: "Buy credits",
      run: () => open("buy"),
      at: 1,
    },
    openSession: {
      icon: "shield",
      title: "Open a session",
      words: `Sign once for the most that this browser may spend of your ${creditsText(balance)}.`,
      button: "Open a session",
      run: () => open("session"),
      at: 2,
    },
    sessionOpening: {
      icon: "shield",
      title: "The session is not open yet",
      words: "It is signed, and kept: it can be opened with the same signature.",
      button: "See the session",
      run: () => open("payment"),
      at: 2,
    },
    sessionUsed: {
      icon: "shield",
      title: "The session is used up",
      words:
        balance > 0n
          ? `Open another one: you have ${creditsText(balance)}.`
          : "Buy credits, then open another one.",
      button: balance > 0n ? "Open another session" : "Buy credits",
      run: () => open(balance > 0n ? "session" : "buy"),
    },
    notHost: {
      icon: "alert",
      title: "This wallet has no live node in the pool",
      words: "Free use is for hosts of the pool.",
      button: "Pay by session",
      run: () => setMode("session"),
    },
  };
}

function MoneyCard({ step, open }: StepProps & { step: MoneyStepName }) {
  const { icon, title, words, button, run, at } = useMoneySteps(open)[step];
  return (
    <Card
      icon={icon}
      title={title}
      {...(at === undefined ? {} : { at })}
      action={<Solid onClick={run}>{button}</Solid>}
    >
      {words}
    </Card>
  );
}

/** ETH is needed, and the page sells none; on a chain of one's own machine it can be had for nothing. */
function EthCard() {
  const { isDevChain, fund } = usePayment();
  const { address = "" } = useWallet();
  const act = useAct();
  return isDevChain === true ? (
    <Card
      icon="wallet"
      title="This wallet has no ETH yet"
      at={1}
      act={act}
      action={
        <Solid isBusy={act.isBusy} onClick={() => void act.run(fund)}>
          Get test ETH
        </Solid>
      }
    >
      The chain is one of this machine, where ETH is worth nothing and can be had for the asking.
    </Card>
  ) : (
    <Card icon="wallet" title="This wallet has no ETH on this chain" at={1}>
      Credits are bought with ETH, and so is gas. Send some to {shortAddress(address)} on this
      chain; it is seen here within seconds.
    </Card>
  );
}

/** Under the composer: what is left, and where to see the rest. */
export function PaymentLine({ upTo }: { upTo: bigint | undefined }) {
  const { isFree, mode, left, session, balance, step } = usePayment();
  const { phase } = useWallet();
  const [opened, open] = useState<Opened>();
  if (isFree) return <span>Answers are free here.</span>;
  if (phase !== "connected" || step === "switchChain") return null;
  const parts: string[] = [];
  if (upTo !== undefined && upTo > 0n) parts.push(`this answer up to ${creditsText(upTo)}`);
  if (mode === "session" && session !== undefined && left !== undefined) {
    parts.push(`${creditsText(left)} left in this session`);
  } else if (mode === "host") {
    parts.push("free as a host");
  } else if (balance !== undefined) {
    parts.push(creditsText(balance));
  }
  return (
    <span className="ml-auto flex items-center gap-2 tabular-nums">
      <span>{parts.join(" · ")}</span>
      <button type="button" onClick={() => open("payment")} className="text-link underline">
        Payment
      </button>
      <Dialogs opened={opened} open={open} />
    </span>
  );
}
