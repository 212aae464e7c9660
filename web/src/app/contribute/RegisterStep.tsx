// SPDX-License-Identifier: Apache-2.0
import type { ReadyRegistration } from "../../client/nodeProbe";
import { whenText } from "../pools/amounts";
import { timeText } from "../ui/amounts";
import { ShortValue } from "../pools/ShortValue";
import { hrefOf } from "../router/route";
import { Icon } from "../ui/Icon";
import type { AccountAndSend } from "../wallet/account";
import { adviceOn } from "./advice";
import { ConnectButton } from "./DescribeStep";
import type { Registered, Registering } from "./useRegistering";

interface Props {
  account: AccountAndSend;
  /** Only of a node all of whose checks passed. */
  ready: ReadyRegistration | undefined;
  isSimulated: boolean;
  state: Registering;
  onStart: () => void;
}

/** The transaction, by the host's wallet, and what came of it. */
export function RegisterStep({ account, ready, isSimulated, state, onStart }: Props) {
  if (state.phase === "done") return <Done registered={state.registered} />;
  if (!ready) {
    return (
      <p className="text-sm text-soft">
        Your wallet signs one transaction, which registers the node, as soon as every check above
        has passed. It costs gas and nothing else.
      </p>
    );
  }
  const isBusy = state.phase !== "idle" && state.phase !== "failed";
  const isRenewal = ready.node !== undefined;
  return (
    <>
      <p className="text-sm text-soft">
        {isRenewal
          ? `Node ${ready.node} is registered already: this shows the contract its new evidence.`
          : "Every check has passed. Your wallet signs one transaction, which costs gas and nothing else."}
        {isSimulated ? <strong className="text-simulated"> Its TEE is SIMULATED.</strong> : null}
      </p>
      {account.address === undefined ? (
        <ConnectButton account={account} />
      ) : (
        <button
          type="button"
          onClick={onStart}
          disabled={isBusy}
          className="btn btn-solid min-w-48"
        >
          <Icon name="wallet" className="size-4" />
          {isRenewal ? "Renew the registration" : "Register the node"}
        </button>
      )}
      <p role="status" className="min-h-6 text-sm text-soft">
        {phaseText(state)}
      </p>
      {state.phase === "failed" ? <Failure state={state} /> : null}
    </>
  );
}

function phaseText(state: Registering): string {
  switch (state.phase) {
    case "trying":
      return "Trying it on the chain, without sending it.";
    case "signing":
      return "Your wallet asks you to sign.";
    case "mining":
      return `Sent as ${state.hash.slice(0, 12)}…; waiting for its block.`;
    default:
      return "";
  }
}

function Failure({ state }: { state: Extract<Registering, { phase: "failed" }> }) {
  const { error } = state;
  if (error.code === "cancelled") {
    return (
      <p role="alert" className="text-sm text-soft">
        You declined in the wallet. Nothing was sent.
      </p>
    );
  }
  const advice = adviceOn(error);
  return (
    <div role="alert" className="text-sm">
      <p className="break-words text-failed">It is not registered: {error.detail}</p>
      {advice === undefined ? null : <p className="mt-1 text-soft">{advice}</p>}
    </div>
  );
}

function Done({ registered }: { registered: Registered }) {
  const { node, expiry, isLive, wasRenewed, transaction } = registered;
  const now = Math.floor(Date.now() / 1000);
  return (
    <div role="status" className="rounded-xl bg-raised p-4">
      <p className="flex items-center gap-2 text-lg font-semibold">
        <Icon name="check" className="size-5 text-verified" />
        Node {node.toString()} is {wasRenewed ? "renewed" : "registered"}
      </p>
      <p className="mt-1 text-sm text-soft">
        The contract has it{isLive ? " as a live node" : ""} until {timeText(expiry)},{" "}
        {whenText(expiry, now)}. Renew it before, on this page or by{" "}
        <code className="font-mono">teetee host --deployed URL</code>. Entries send it prompts as
        soon as the block is settled.
      </p>
      <p className="mt-1 flex flex-wrap items-center gap-2 text-sm">
        Transaction <ShortValue value={transaction} what="the transaction's hash" />
      </p>
      <div className="mt-3 flex flex-wrap gap-3">
        <a href={hrefOf("dashboard", [], { node: `${node}` })} className="btn btn-solid">
          See it in the dashboard
        </a>
        <a href={hrefOf("chat")} className="btn btn-quiet">
          Chat for free
        </a>
      </div>
    </div>
  );
}
