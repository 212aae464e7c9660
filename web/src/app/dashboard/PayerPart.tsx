// SPDX-License-Identifier: Apache-2.0
import { useId, useState } from "react";
import {
  cancelRefundCall,
  endVoucherCall,
  reclaimQueryCall,
  reclaimVoucherCall,
  requestRefundCall,
  withdrawRefundCall,
} from "../../chain/calls";
import type { ConnectedChain } from "../network/connection";
import { hrefOf } from "../router/route";
import { ethText, whenText } from "./amounts";
import { countText, creditsText, timeText } from "../ui/amounts";
import { loadPayer, type AccountState, type PayerQuery, type PayerVoucher } from "./load";
import { ReadingBar } from "./ReadingBar";
import { TransactionButton } from "./TransactionButton";
import { useHistory } from "./useHistory";
import {
  isQueryReclaimable,
  queryGraceSeconds,
  refundPhase,
  settleGraceSeconds,
  voucherPhase,
  type RefundPhase,
  type VoucherPhase,
} from "./vouchers";

interface Props {
  account: AccountState;
  chain: ConnectedChain;
  now: number;
  isOwn: boolean;
  onChange: () => Promise<void>;
}

/** What a wallet has as a payer: credits, refunds, vouchers and queries. */
export function PayerPart(props: Props) {
  const { account, chain } = props;
  const { address, balance, block } = account;
  const [changes, setChanges] = useState(0);
  const state = useHistory(`${address} ${balance} ${changes}`, (call) =>
    loadPayer(chain, address, block, call),
  );
  const onChange = async () => {
    await props.onChange();
    setChanges((count) => count + 1);
  };
  const { history } = state;
  const isNothing = history?.vouchers.length === 0 && history.queries.length === 0;
  return (
    <div className="space-y-4">
      <div className="grid gap-4 sm:grid-cols-2">
        <div className="card p-4">
          <p className="text-sm text-soft">Credits</p>
          <p data-credits={String(balance)} className="text-2xl font-semibold tabular-nums">
            {creditsText(balance)}
          </p>
          <p className="text-sm text-soft">{ethText(balance * account.weiPerCredit)}</p>
          {balance === 0n ? (
            <p className="mt-2 text-sm text-soft">
              <a href={hrefOf("chat")} className="text-link underline">
                Buy credits in chat
              </a>{" "}
              to ask a model.
            </p>
          ) : null}
        </div>
        <RefundCard {...props} onChange={onChange} />
      </div>
      <ReadingBar state={state} what="vouchers" />
      {isNothing ? (
        <p className="text-sm text-soft">
          No voucher was opened and no query waits: chat opens a voucher when a session is paid for.
        </p>
      ) : null}
      <ul className="grid gap-4 md:grid-cols-2">
        {history?.vouchers.map((voucher) => (
          <VoucherCard key={voucher.id} voucher={voucher} {...props} onChange={onChange} />
        ))}
        {history?.queries.map((query) => (
          <QueryCard key={String(query.id)} query={query} {...props} onChange={onChange} />
        ))}
      </ul>
      {history?.hasMore ? (
        <p className="text-sm text-soft">
          Older ones are not shown; `teetee voucher list` has all.
        </p>
      ) : null}
    </div>
  );
}

function RefundCard({ account, chain, now, isOwn, onChange }: Props) {
  const { refund, balance, address, weiPerCredit } = account;
  const phase = refundPhase(refund, now);
  return (
    <div className="card p-4">
      <p className="text-sm text-soft">On their way back to ETH</p>
      <p data-refund={String(refund.amount)} className="text-2xl font-semibold tabular-nums">
        {creditsText(refund.amount)}
      </p>
      <p className="text-sm text-soft">
        {phase === "none"
          ? "Credits become ETH again a day after you ask for it."
          : `${ethText(refund.amount * weiPerCredit)}, ${
              phase === "ready"
                ? "ready to be taken"
                : `ready ${whenText(refund.readyAt, now)} (${timeText(refund.readyAt)})`
            }`}
      </p>
      {isOwn ? (
        <div className="mt-3 space-y-3">
          {phase === "none" ? null : (
            <div className="flex flex-wrap gap-2">
              <TransactionButton
                label="Take the ETH"
                isDisabled={phase !== "ready"}
                call={() => withdrawRefundCall(chain.deployment, address)}
                onDone={onChange}
              />
              <TransactionButton
                label="Keep the credits"
                call={() => cancelRefundCall(chain.deployment)}
                onDone={onChange}
              />
            </div>
          )}
          {balance === 0n ? null : (
            <RefundForm account={account} chain={chain} phase={phase} onChange={onChange} />
          )}
        </div>
      ) : null}
    </div>
  );
}

type RefundFormProps = Pick<Props, "account" | "chain" | "onChange"> & { phase: RefundPhase };

function RefundForm({ account, chain, phase, onChange }: RefundFormProps) {
  const { balance } = account;
  const id = useId();
  const [text, setText] = useState("");
  const isNumber = /^[1-9]\d{0,19}$/.test(text);
  const problem =
    text === "" || (isNumber && BigInt(text) <= balance)
      ? ""
      : `Enter a whole number of credits, ${countText(balance)} at most.`;
  return (
    <div>
      <label htmlFor={id} className="text-sm text-soft">
        Credits to give back{phase === "waiting" ? " (the day begins anew)" : ""}
      </label>
      <div className="flex flex-wrap items-start gap-2">
        <input
          id={id}
          inputMode="numeric"
          value={text}
          aria-invalid={problem !== ""}
          aria-describedby={`${id}-problem`}
          onChange={(event) => setText(event.target.value.replace(/[\s,]/g, ""))}
          className="field w-36"
        />
        <TransactionButton
          label="Ask for ETH"
          look="btn-quiet"
          isDisabled={text === "" || problem !== ""}
          call={() => requestRefundCall(chain.deployment, BigInt(text))}
          onDone={async () => {
            setText("");
            await onChange();
          }}
        />
      </div>
      <p id={`${id}-problem`} role="status" className="text-sm text-failed empty:hidden">
        {problem}
      </p>
    </div>
  );
}

const phaseWords: Record<VoucherPhase, string> = {
  open: "open",
  ending: "ended; entries may still claim",
  reclaimable: "to be taken back",
  empty: "used up",
};

function VoucherCard({ voucher, chain, now, isOwn, onChange }: Props & { voucher: PayerVoucher }) {
  const { id, remaining, ceiling, expiry, pool } = voucher;
  const phase = voucherPhase(voucher, now);
  return (
    <li data-voucher={id} data-phase={phase} className="card min-w-0 p-4 text-sm">
      <h3 className="font-semibold">
        Voucher <code title={id}>{id.slice(0, 10)}…</code>
      </h3>
      <p className="text-soft">{phaseWords[phase]}</p>
      <dl className="mt-2 grid grid-cols-[auto_1fr] gap-x-4 gap-y-1 tabular-nums">
        <dt className="text-soft">pool</dt>
        <dd>{String(pool)}</dd>
        <dt className="text-soft">left</dt>
        <dd>
          {countText(remaining)} of {creditsText(ceiling)}
        </dd>
        <dt className="text-soft">ends</dt>
        <dd>
          {timeText(expiry)}, {whenText(expiry, now)}
        </dd>
        {phase === "ending" ? (
          <>
            <dt className="text-soft">back</dt>
            <dd>from {timeText(expiry + settleGraceSeconds)} on</dd>
          </>
        ) : null}
      </dl>
      {isOwn && phase === "open" ? (
        <div className="mt-3">
          <TransactionButton
            label="End it now"
            call={() => endVoucherCall(chain.deployment, id)}
            onDone={onChange}
            confirm={
              <p>
                Nothing more can be paid from it. Entries keep a week to claim what was signed for;
                then you can take back what is left.
              </p>
            }
          />
        </div>
      ) : null}
      {isOwn && phase === "reclaimable" ? (
        <div className="mt-3">
          <TransactionButton
            label="Take back what is left"
            call={() => reclaimVoucherCall(chain.deployment, id)}
            onDone={onChange}
          />
        </div>
      ) : null}
    </li>
  );
}

function QueryCard({ query, chain, now, isOwn, onChange }: Props & { query: PayerQuery }) {
  const { id, locked, deadline } = query;
  const isReclaimable = isQueryReclaimable(deadline, now);
  return (
    <li data-query={String(id)} className="card min-w-0 p-4 text-sm">
      <h3 className="font-semibold">Query {String(id)}</h3>
      <p className="text-soft">paid for, and not settled yet</p>
      <dl className="mt-2 grid grid-cols-[auto_1fr] gap-x-4 gap-y-1 tabular-nums">
        <dt className="text-soft">locked</dt>
        <dd>{creditsText(locked)}</dd>
        <dt className="text-soft">to be served by</dt>
        <dd>{timeText(deadline)}</dd>
        <dt className="text-soft">back</dt>
        <dd>{isReclaimable ? "now" : `from ${timeText(deadline + queryGraceSeconds)} on`}</dd>
      </dl>
      {isOwn ? (
        <div className="mt-3">
          <TransactionButton
            label="Take it back"
            isDisabled={!isReclaimable}
            call={() => reclaimQueryCall(chain.deployment, id)}
            onDone={onChange}
          />
        </div>
      ) : null}
    </li>
  );
}
