// SPDX-License-Identifier: Apache-2.0
import { withdrawCall } from "../../chain/calls";
import type { ConnectedChain } from "../network/connection";
import { ethText } from "./amounts";
import { countText, creditsText, timeText } from "../ui/amounts";
import { BarChart } from "./BarChart";
import { loadEarnings, type AccountState, type EarningsHistory } from "./load";
import { ReadingBar } from "./ReadingBar";
import { perDay } from "./series";
import { TransactionButton } from "./TransactionButton";
import { useGasCost } from "./useGasCost";
import { useHistory } from "./useHistory";

interface Props {
  account: AccountState;
  chain: ConnectedChain;
  now: number;
  isOwn: boolean;
  onChange: () => Promise<void>;
}

const listedMax = 10;

function dayText(seconds: number): string {
  return new Date(seconds * 1000).toISOString().slice(0, 10);
}

function settlementsText(earned: EarningsHistory["earned"]): string {
  const count = new Set(earned.map((one) => one.transaction)).size;
  return `${countText(count)} ${count === 1 ? "settlement" : "settlements"}`;
}

/** What may be withdrawn, what was earned day by day, and what was taken out. */
export function EarningsPart({ account, chain, now, isOwn, onChange }: Props) {
  const { address, earnings, weiPerCredit, block } = account;
  // Whenever the sum has changed there are new events.
  const key = `${address} ${earnings}`;
  const state = useHistory(key, (call) => loadEarnings(chain, address, block, call));
  const { history } = state;
  const sumOf = (list: EarningsHistory["earned"]) =>
    list.reduce((sum, one) => sum + one.amount, 0n);
  const total = history && sumOf(history.earned);
  const fees = sumOf(history?.earned.filter((one) => one.node === undefined) ?? []);
  return (
    <div className="space-y-4">
      <div className="grid gap-4 sm:grid-cols-2">
        <WithdrawCard {...{ account, chain, isOwn, onChange }} />
        <div className="card p-4">
          <p className="text-sm text-soft">Earned so far</p>
          <p data-earned={String(total ?? "")} className="text-2xl font-semibold tabular-nums">
            {total === undefined ? "…" : creditsText(total)}
          </p>
          <p className="text-sm text-soft">
            {total === undefined ? "\u00a0" : ethText(total * weiPerCredit)}
            {fees > 0n ? `, ${creditsText(fees)} of it as fees of pools` : ""}
          </p>
        </div>
      </div>
      <ReadingBar state={state} what="earnings" />
      {history === undefined ? (
        <div className="h-64" />
      ) : (
        <div className="grid items-start gap-4 lg:grid-cols-2">
          <BarChart
            title="Earnings a day"
            points={perDay(history.earned, now)}
            unit="credits"
            valueText={(value) => creditsText(BigInt(Math.round(value)))}
            timeText={dayText}
            summary={`${creditsText(total ?? 0n)} in ${settlementsText(history.earned)}`}
          />
          <div className="min-w-0">
            <LastEvents history={history} />
            {history.isInterpolated ? (
              <p className="mt-2 text-sm text-soft">
                There are so many settlements that the times of some were taken from blocks near
                them.
              </p>
            ) : null}
          </div>
        </div>
      )}
    </div>
  );
}

function WithdrawCard({ account, chain, isOwn, onChange }: Omit<Props, "now">) {
  const { address, earnings, weiPerCredit } = account;
  const gasKey = isOwn && earnings > 0n ? `${address} ${earnings}` : "";
  const gas = useGasCost(chain, address, gasKey, () => withdrawCall(chain.deployment));
  return (
    <div className="card p-4">
      <p className="text-sm text-soft">To withdraw</p>
      <p data-earnings={String(earnings)} className="text-2xl font-semibold tabular-nums">
        {creditsText(earnings)}
      </p>
      <p className="text-sm text-soft">{ethText(earnings * weiPerCredit)}</p>
      {isOwn ? (
        <div className="mt-3">
          <TransactionButton
            label="Withdraw"
            look="btn-solid"
            isDisabled={earnings === 0n}
            call={() => withdrawCall(chain.deployment)}
            onDone={onChange}
          />
          <p className="mt-1 min-h-6 text-sm text-soft">
            {earnings === 0n
              ? "Nothing yet: earnings come with the next settlement of an entry."
              : gas === undefined
                ? ""
                : `Gas for it is about ${ethText(gas, 2)}${gas > earnings * weiPerCredit ? ": more than you would get" : ""}.`}
          </p>
        </div>
      ) : null}
    </div>
  );
}

function LastEvents({ history }: { history: EarningsHistory }) {
  const rows = [
    ...history.earned.map((one) => ({
      ...one,
      what: one.node === undefined ? `fee of pool ${one.pool}` : `node ${one.node} earned`,
      sign: "+",
    })),
    ...history.withdrawn.map((one) => ({ ...one, what: "withdrawn", sign: "−" })),
  ].sort((a, b) => b.time - a.time);
  if (rows.length === 0) return null;
  return (
    <div className="overflow-x-auto" role="region" aria-label="Last earnings" tabIndex={0}>
      <table className="w-full text-left text-sm tabular-nums">
        <caption className="pb-1 text-left font-medium">
          Last {Math.min(listedMax, rows.length)}
        </caption>
        <thead>
          <tr className="text-soft">
            <th scope="col" className="py-1 pr-4 font-medium">
              when
            </th>
            <th scope="col" className="py-1 pr-4 font-medium">
              what
            </th>
            <th scope="col" className="py-1 pr-4 text-right font-medium">
              credits
            </th>
            <th scope="col" className="py-1 font-medium">
              transaction
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.slice(0, listedMax).map((row, i) => (
            <tr key={`${i} ${row.transaction}`} className="border-t border-line">
              <td className="py-1 pr-4 whitespace-nowrap">{timeText(row.time)}</td>
              <td className="py-1 pr-4">{row.what}</td>
              <td className="py-1 pr-4 text-right">
                {row.sign}
                {countText(row.amount)}
              </td>
              <td className="py-1 font-mono text-xs" title={row.transaction}>
                {row.transaction.slice(0, 14)}…
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
