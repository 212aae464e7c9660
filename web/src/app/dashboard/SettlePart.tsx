// SPDX-License-Identifier: Apache-2.0
import { useEffect, useRef, useState } from "react";
import { asError, type TeeTeeError } from "../../base/error";
import { HostPayer, settleNow, type ChargeTotals } from "../../client/hostPayer";
import type { Connection } from "../network/connection";
import { useAccountAndSend } from "../wallet/account";
import { countText } from "../ui/amounts";

interface Props {
  connection: Connection;
  onChange: () => Promise<void>;
}

const lookAgainMs = 3_000;
const looksMax = 40;

function wordsOf({ unsettled, settling, settled, givenUp }: ChargeTotals): string {
  const pending = `${countText(unsettled)} unsettled, ${countText(settling)} on their way`;
  return `Pending: ${pending}. Settled so far: ${countText(settled)}. Given up: ${countText(givenUp)}.`;
}

/** For the host of the connected entry: what its clients owe, and settling it now. */
export function SettlePart({ connection, onChange }: Props) {
  const { address, signMessage } = useAccountAndSend();
  const [totals, setTotals] = useState<ChargeTotals>();
  const [error, setError] = useState<TeeTeeError>();
  const [isUnderWay, setUnderWay] = useState(false);
  const running = useRef<AbortController>(undefined);
  useEffect(() => () => running.current?.abort(), []);
  const settle = async () => {
    if (address === undefined) return;
    const controller = new AbortController();
    running.current = controller;
    setUnderWay(true);
    setError(undefined);
    try {
      const options = {
        wallet: address,
        chainId: connection.chain?.deployment.chainId ?? 0,
        sign: signMessage,
        domain: location.host,
      };
      const payer = new HostPayer(options);
      for (let looks = 0; looks < looksMax; looks++) {
        const now = await settleNow(connection.entry, payer, controller.signal);
        setTotals(now);
        if (now.unsettled === 0n && now.settling === 0n) break;
        await new Promise((done) => setTimeout(done, lookAgainMs));
        if (controller.signal.aborted) return;
      }
      await onChange();
    } catch (thrown) {
      if (!controller.signal.aborted) setError(asError(thrown));
    } finally {
      setUnderWay(false);
    }
  };
  return (
    <div className="card p-4" data-settle={totals === undefined ? "" : String(totals.unsettled)}>
      <p className="font-medium">What clients of your entry owe</p>
      <p className="mt-1 text-sm text-soft">
        The connected entry is yours. It settles by itself when that is worth its gas; you can have
        it settle at once. Your wallet signs in to the entry; no transaction of yours is sent.
      </p>
      <div className="mt-3 flex flex-wrap gap-2">
        <button
          type="button"
          disabled={isUnderWay}
          onClick={() => void settle()}
          className="btn btn-quiet btn-small"
        >
          Settle now
        </button>
        {isUnderWay ? (
          <button
            type="button"
            onClick={() => running.current?.abort()}
            className="btn btn-plain btn-small"
          >
            Stop waiting
          </button>
        ) : null}
      </div>
      <p role="status" className="mt-2 min-h-6 text-sm break-words">
        {isUnderWay && totals === undefined ? "Signing in to the entry…" : ""}
        {totals === undefined ? "" : wordsOf(totals)}
        {error === undefined ? null : <span className="text-failed">{error.detail}</span>}
      </p>
    </div>
  );
}
