// SPDX-License-Identifier: Apache-2.0
import { useEffect, useState } from "react";
import { asError, type TeeTeeError } from "../../base/error";
import type { Connection } from "../network/connection";
import { findAnchor, type AnchorFound } from "./anchor";
import { shorten, timeText } from "./format";
import { CheckMark } from "./CheckList";
import type { ReceiptView } from "./views";

const stateWords: Record<AnchorFound["state"], string> = {
  unsettled: "Charged, and not brought to the contract yet: entries do it in batches.",
  settling: "On its way to the contract.",
  settled: "The contract has it.",
  given_up: "The entry has given up settling it: nothing was paid for it.",
};

interface Props {
  connection: Connection | undefined;
  receipt: ReceiptView;
}

/** Whether the contract has the receipt; asked for on demand, of the entry that signed it. */
export function AnchorPart({ connection, receipt }: Props) {
  const [isAsked, setAsked] = useState(0);
  const [found, setFound] = useState<AnchorFound>();
  const [error, setError] = useState<TeeTeeError>();
  const isThisNetwork = receipt.network !== "" && connection?.chain !== undefined;
  useEffect(() => {
    if (isAsked === 0 || connection === undefined) return;
    const controller = new AbortController();
    setFound(undefined);
    setError(undefined);
    findAnchor(connection, receipt, controller.signal).then(setFound, (thrown: unknown) => {
      if (!controller.signal.aborted) setError(asError(thrown));
    });
    return () => controller.abort();
    // Asked once for each press, and not again when the connection is looked at.
  }, [isAsked]);
  const isPending = isAsked > 0 && found === undefined && error === undefined;
  return (
    <section aria-label="Anchor on chain" data-anchor={found?.state ?? error?.code ?? ""}>
      <h3 className="text-sm font-semibold">Anchor on chain</h3>
      <div className="mt-1 min-h-16 text-sm">
        {receipt.payment.kind === "free" ? (
          <p className="text-soft">
            The answer was free, so that nothing of it comes before the contract.
          </p>
        ) : isThisNetwork ? (
          <>
            <p role="status" className="flex gap-2 break-words">
              {found === undefined ? null : (
                <CheckMark state={found.anchoredAt === undefined ? "unmade" : "passed"} />
              )}
              {error === undefined ? null : <CheckMark state="failed" />}
              <span className={error === undefined ? "" : "text-failed"}>
                {isPending ? "Asking the entry and the contract…" : ""}
                {found === undefined ? "" : stateWords[found.state]}
                {found?.anchoredAt === undefined
                  ? ""
                  : ` Since ${timeText(found.anchoredAt)}, under root ${shorten(found.receiptsRoot ?? "")} of node ${found.entryNode}; the page has followed the proof and asked the contract itself.`}
                {error?.detail}
                {isAsked === 0
                  ? "Not asked yet. The entry tells the way, the contract decides."
                  : ""}
              </span>
            </p>
            <button
              type="button"
              disabled={isPending}
              onClick={() => setAsked(isAsked + 1)}
              className="btn btn-quiet btn-small mt-2"
            >
              {isAsked === 0 ? "Look it up" : "Look again"}
            </button>
          </>
        ) : (
          <p className="text-soft">
            Connect to the network of this receipt to see whether its contract has it.
          </p>
        )}
      </div>
    </section>
  );
}
