// SPDX-License-Identifier: Apache-2.0
import { useState, type ReactNode } from "react";
import type { Hex } from "viem";
import { asError, type TeeTeeError } from "../../base/error";
import { tryCall, type ContractCall } from "../../chain/calls";
import { ConfirmSheet } from "../ui/Sheet";
import { useAccountAndSend } from "../wallet/account";
import { useConnection } from "../network/NetworkProvider";

type Phase = "idle" | "trying" | "signing" | "mining" | "done" | "failed";

const words: Record<Phase, string> = {
  idle: "",
  trying: "Asking the contract whether it takes this…",
  signing: "Your wallet asks you to sign.",
  mining: "Sent. Waiting for its block…",
  done: "Done.",
  failed: "",
};

interface Props {
  /** A verb, and of what. */
  label: string;
  call: () => ContractCall;
  /** After its block. */
  onDone: () => Promise<void> | void;
  isDisabled?: boolean;
  look?: string;
  /** Asked before something that cannot be undone. */
  confirm?: ReactNode;
}

/** A transaction: tried first, so that what the contract refuses costs nothing; told step by step. */
export function TransactionButton({ label, call, onDone, isDisabled, look, confirm }: Props) {
  const { address, send } = useAccountAndSend();
  const { connection } = useConnection();
  const [phase, setPhase] = useState<Phase>("idle");
  const [hash, setHash] = useState<Hex>();
  const [error, setError] = useState<TeeTeeError>();
  const [isAsking, setAsking] = useState(false);
  const isUnderWay = phase === "trying" || phase === "signing" || phase === "mining";
  const chain = connection?.chain;
  const run = async () => {
    if (address === undefined || chain === undefined) return;
    setError(undefined);
    setHash(undefined);
    setPhase("trying");
    try {
      const made = call();
      await tryCall(chain.reader.client, made, address);
      await send(made, {
        onPhase: (next, sent) => {
          setPhase(next);
          if (sent !== undefined) setHash(sent);
        },
      });
      setPhase("done");
      await onDone();
    } catch (thrown) {
      setError(asError(thrown));
      setPhase("failed");
    }
  };
  return (
    <div className="min-w-0">
      <button
        type="button"
        disabled={isDisabled === true || isUnderWay || chain === undefined}
        onClick={() => (confirm === undefined ? void run() : setAsking(true))}
        className={`btn ${look ?? "btn-quiet btn-small"}`}
      >
        {label}
      </button>
      <p role="status" data-phase={phase} className="mt-1 text-sm break-words empty:hidden">
        {words[phase]}
        {hash === undefined ? "" : ` Transaction ${hash.slice(0, 12)}…`}
        {error === undefined ? null : (
          <span className="text-failed">
            {error.code === "cancelled" ? "Nothing was sent: " : ""}
            {error.detail}
          </span>
        )}
      </p>
      {confirm === undefined ? null : (
        <ConfirmSheet
          title={`${label}?`}
          action={label}
          isOpen={isAsking}
          onClose={() => setAsking(false)}
          onConfirm={() => void run()}
        >
          {confirm}
        </ConfirmSheet>
      )}
    </div>
  );
}
