// SPDX-License-Identifier: Apache-2.0
import { useId, useState } from "react";
import { CheckList } from "./CheckList";
import { FieldTable } from "./FieldTable";
import { sizeText, timeText } from "./format";
import { HexView } from "./HexView";
import { Part } from "./ReceiptPanel";
import { Hardware } from "./StageChain";
import { countsOf, VerdictBanner } from "./VerdictBanner";
import type { QuoteView } from "./views";

interface Props {
  view: QuoteView;
  bytes: Uint8Array;
  onJudgeAt: (time: number | undefined) => void;
}

function titleOf({ verdict, hardware }: QuoteView): string {
  switch (verdict) {
    case "verified":
      return "Verified";
    case "attested":
      return "Attested";
    case "simulated":
      return "SIMULATED";
    case "failed":
      return "This quote does not hold";
    case "alone":
      return hardware?.status === undefined
        ? "The signatures hold"
        : `Genuine hardware: ${hardware.status}`;
  }
}

function sentenceOf(view: QuoteView): string {
  switch (view.verdict) {
    case "verified":
    case "attested":
      return `Every check passed, and ${view.network} accepts this node.`;
    case "simulated":
      return `Every check passed and ${view.network} accepts it, but the TEE is simulated: it protects nothing.`;
    case "failed":
      return `Checks: ${countsOf(view.checks)}. Trust nothing that rests on it.`;
    case "alone":
      return "Whether its code is the right one is for a policy to say: no network that is connected here accepts it.";
  }
}

/** Everything of a quote. */
export function QuotePanel({ view, bytes, onJudgeAt }: Props) {
  const [active, setActive] = useState<string>();
  const { hardware, measurement } = view;
  return (
    <div className="space-y-8">
      <VerdictBanner verdict={view.verdict} title={titleOf(view)}>
        <p>{sentenceOf(view)}</p>
        {view.unpinned !== "" && view.verdict !== "failed" && view.verdict !== "alone" ? (
          <p className="mt-1 text-sm">{view.unpinned}</p>
        ) : null}
      </VerdictBanner>
      <JudgedAt view={view} onJudgeAt={onJudgeAt} />
      <div className="grid gap-8 lg:grid-cols-2">
        <Part title={`Checks: ${countsOf(view.checks)}`}>
          <div className="text-sm">
            <CheckList checks={view.checks} label="Checks of the quote" />
          </div>
        </Part>
        <div className="space-y-8">
          <Part title="Hardware">
            <div className="text-sm" data-status={hardware?.status ?? ""}>
              <Hardware hardware={hardware} />
            </div>
          </Part>
          {measurement === undefined ? null : (
            <Part title="Code">
              <p className="text-sm text-soft">
                As contracts name it: one hash over all registers that name code.
              </p>
              <p className="mt-1 font-mono text-xs break-all">{measurement}</p>
            </Part>
          )}
          <EventLog view={view} />
        </div>
      </div>
      <Part title={`Fields and bytes, ${sizeText(bytes.length)}`}>
        <div className="grid gap-6 lg:grid-cols-2">
          <div className="min-w-0">
            {view.fields.length === 0 ? (
              <p className="text-sm text-failed">
                The bytes have another form than a quote: the first failed check says where.
              </p>
            ) : (
              <FieldTable fields={view.fields} active={active} onActivate={setActive} />
            )}
          </div>
          <div className="sticky top-14 z-10 order-first min-w-0 self-start bg-paper pb-2 lg:top-20 lg:order-none">
            <HexView bytes={bytes} fields={view.fields} active={active} onActivate={setActive} />
          </div>
        </div>
      </Part>
      {view.statementFields.length === 0 ? null : (
        <Part title="Statement">
          <FieldTable fields={view.statementFields} />
        </Part>
      )}
    </div>
  );
}

function EventLog({ view }: { view: QuoteView }) {
  if (view.events.length === 0 && view.app.length === 0) return null;
  return (
    <Part title="Event log">
      <FieldTable fields={view.app} />
      <div className="mt-3 overflow-x-auto" tabIndex={0} role="region" aria-label="Events">
        <table className="w-full text-left text-sm">
          <caption className="sr-only">What the guest measured into RTMR3, in order</caption>
          <thead>
            <tr className="border-b border-line text-soft">
              <th scope="col" className="py-1 pr-4 font-medium">
                Event
              </th>
              <th scope="col" className="py-1 font-medium">
                Payload
              </th>
            </tr>
          </thead>
          <tbody>
            {view.events.map(({ name, payload }, i) => (
              <tr key={i} className="border-b border-line align-top">
                <th scope="row" className="py-1 pr-4 font-normal">
                  {name}
                </th>
                <td className="py-1 font-mono text-xs break-all">{payload || "empty"}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Part>
  );
}

/** Evidence is judged as of a time: old evidence with the documents of its own days. */
function JudgedAt({ view, onJudgeAt }: Pick<Props, "view" | "onJudgeAt">) {
  const id = useId();
  const day = new Date(view.judgedAt * 1000).toISOString().slice(0, 16);
  return (
    <div className="flex flex-wrap items-center gap-x-4 gap-y-2 text-sm">
      <p>
        Judged as of <span className="font-medium">{timeText(view.judgedAt)}</span>
      </p>
      <label htmlFor={id} className="text-soft">
        another time (UTC)
      </label>
      <input
        id={id}
        type="datetime-local"
        defaultValue={day}
        key={day}
        onChange={(event) => {
          const time = Date.parse(`${event.target.value}:00Z`);
          if (Number.isFinite(time)) onJudgeAt(Math.floor(time / 1000));
        }}
        className="field w-auto"
      />
      <button
        type="button"
        onClick={() => onJudgeAt(nowSeconds())}
        className="btn btn-quiet btn-small"
      >
        Now
      </button>
    </div>
  );
}

function nowSeconds(): number {
  return Math.floor(Date.now() / 1000);
}
