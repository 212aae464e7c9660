// SPDX-License-Identifier: Apache-2.0
import type { ReactNode } from "react";
import { CopyButton } from "../ui/CopyButton";
import { Icon } from "../ui/Icon";
import { CheckMark } from "./CheckList";
import { FieldTable } from "./FieldTable";
import { shorten } from "./format";
import type { HardwareView, StageView, TraceView } from "./views";

interface Props {
  stages: readonly StageView[];
  promptTokens: number;
  completionTokens: number;
  /** Held against no network. */
  isAlone: boolean;
  /** Opens a stage's quote by itself. */
  onOpenQuote: (stage: StageView, quote: Uint8Array<ArrayBuffer>) => void;
}

/** Who computed what, one below the other, joined by the hashes of what was handed over. */
export function StageChain(props: Props) {
  const { stages, promptTokens, completionTokens, isAlone, onOpenQuote } = props;
  const last = stages.at(-1);
  return (
    <ol aria-label="Chain of stages">
      <li>
        <End>{promptTokens.toLocaleString("en")} tokens of the prompt</End>
      </li>
      {stages.map((stage, i) => (
        <li key={`${i} ${stage.layers[0]}`}>
          <HandOver trace={stage.input} joins={stage.joins} isPrompt={i === 0} />
          <Stage stage={stage} isAlone={isAlone} onOpenQuote={onOpenQuote} />
        </li>
      ))}
      <li>
        {last === undefined ? null : <HandOver trace={last.output} joins isAnswer />}
        <End>{completionTokens.toLocaleString("en")} tokens of the answer</End>
      </li>
    </ol>
  );
}

function End({ children }: { children: ReactNode }) {
  return (
    <p className="rounded-full border border-line bg-raised px-4 py-1.5 text-center text-sm">
      {children}
    </p>
  );
}

interface HandOverProps {
  trace: TraceView;
  joins: boolean;
  isPrompt?: boolean;
  isAnswer?: boolean;
}

function HandOver({ trace, joins, isPrompt = false, isAnswer = false }: HandOverProps) {
  const what = isPrompt
    ? "tokens went in"
    : isAnswer
      ? "tokens were sampled"
      : "rows were handed over";
  const count = trace.end - trace.begin;
  return (
    <div
      data-joins={joins}
      className={`mx-auto flex max-w-full flex-col items-center py-1 text-xs ${joins ? "text-soft" : "text-failed"}`}
    >
      <span aria-hidden="true" className={`h-4 w-px ${joins ? "bg-line-strong" : "bg-failed"}`} />
      <span className="flex max-w-full flex-wrap items-center justify-center gap-x-2">
        <Icon name={joins ? "arrowDown" : "close"} className="size-4" />
        <span>
          {count.toLocaleString("en")} {what}
          {joins ? "" : ": NOT those of the stage before"}
        </span>
        <code title={trace.digest}>{shorten(trace.digest)}</code>
        <CopyButton text={trace.digest} label="Copy the hash of what was handed over" />
      </span>
      <span aria-hidden="true" className={`h-4 w-px ${joins ? "bg-line-strong" : "bg-failed"}`} />
    </div>
  );
}

type StageProps = { stage: StageView } & Pick<Props, "isAlone" | "onOpenQuote">;

function Stage({ stage, isAlone, onOpenQuote }: StageProps) {
  const { layers, node, hardware, measurement, shardRoot, freshQuote } = stage;
  const isBroken = stage.evidence === "failed" || stage.signed === "failed";
  return (
    <article
      aria-label={`Layers ${layers[0]} to ${layers[1]}`}
      className={`card p-4 text-sm ${isBroken ? "border-failed" : ""}`}
    >
      <header className="flex flex-wrap items-baseline justify-between gap-x-4">
        <h3 className="font-semibold">
          Layers {layers[0]} to {layers[1]}
        </h3>
        <p className="text-soft">
          software {stage.softwareVersion}
          {stage.epoch === 0 ? "" : `, epoch ${stage.epoch}`}
        </p>
      </header>
      <dl className="mt-2 grid gap-x-4 gap-y-1 sm:grid-cols-[7rem_1fr]">
        <Pair name="node">
          <Hex text={node} what="the node's receipt address" />
        </Pair>
        <Pair name="code">
          {measurement === undefined ? (
            "unknown"
          ) : (
            <Hex text={measurement} what="the measurement" />
          )}
        </Pair>
        <Pair name="weights">
          <Hex text={shardRoot} what="the shard root" />
        </Pair>
        <Pair name="hardware">
          <Hardware hardware={hardware} />
        </Pair>
        <Pair name="evidence">
          <State
            state={stage.evidence}
            passed={isAlone ? "its signatures hold" : "accepted by the network's policy"}
            failed="refused"
          />
        </Pair>
        <Pair name="signature">
          <State state={stage.signed} passed="by this node's receipt key" failed="of another key" />
        </Pair>
        {freshQuote === undefined && stage.freshQuoteError === undefined ? null : (
          <Pair name="fresh quote">
            {freshQuote === undefined ? `none: ${stage.freshQuoteError}` : "made for this answer"}
          </Pair>
        )}
      </dl>
      <QuoteButtons stage={stage} onOpenQuote={onOpenQuote} />
      <details className="group mt-3">
        <summary className="inline-flex items-center gap-1 rounded-lg text-soft">
          <Icon name="chevron" className="size-4 transition-transform group-open:rotate-90" />
          Statement, hashes and signature
        </summary>
        <div className="mt-2 space-y-4">
          <FieldTable fields={stage.statementFields} />
          <FieldTable fields={recordFields(stage)} />
        </div>
      </details>
    </article>
  );
}

function QuoteButtons({ stage, onOpenQuote }: Omit<StageProps, "isAlone">) {
  const { layers, freshQuote } = stage;
  return (
    <div className="mt-3 flex flex-wrap gap-2">
      <button
        type="button"
        onClick={() => onOpenQuote(stage, stage.quote)}
        className="btn btn-quiet btn-small"
      >
        Open its quote
        <span className="sr-only">, layers {layers.join(" to ")}</span>
      </button>
      {freshQuote === undefined ? null : (
        <button
          type="button"
          onClick={() => onOpenQuote(stage, freshQuote)}
          className="btn btn-quiet btn-small"
        >
          Open its fresh quote
          <span className="sr-only">, layers {layers.join(" to ")}</span>
        </button>
      )}
    </div>
  );
}

function recordFields(stage: StageView) {
  const field = (label: string, value: string) => ({
    id: `record.${label}`,
    group: "Stage record",
    label,
    value,
  });
  const { input, output } = stage;
  return [
    field("epoch", String(stage.epoch)),
    field("sampling", stage.sampling),
    field("rows in", `positions ${input.begin} to ${input.end - 1}`),
    field("digest in", input.digest),
    field("rows out", `positions ${output.begin} to ${output.end - 1}`),
    field("digest out", output.digest),
    field("signature", stage.signature),
  ];
}

export function Hardware({ hardware }: { hardware: HardwareView | undefined }) {
  if (hardware === undefined) return <span className="text-failed">not accepted</span>;
  const { status, statusWords, advisories, shortfalls, isSimulated } = hardware;
  return (
    <div>
      {isSimulated ? (
        <p className="font-semibold text-simulated">
          SIMULATED: a development TEE, which protects nothing
        </p>
      ) : null}
      <p>
        {status === undefined ? "status unknown" : <span className="font-medium">{status}</span>}
        <span className="text-soft">. {statusWords}</span>
      </p>
      {shortfalls === "" ? null : <p className="text-xs text-soft">Missing: {shortfalls}</p>}
      {advisories.length === 0 ? null : (
        <p className="text-xs text-soft">
          Intel's advisories that bear on it: {advisories.join(", ")}
        </p>
      )}
    </div>
  );
}

function State({
  state,
  passed,
  failed,
}: {
  state: StageView["signed"];
  passed: string;
  failed: string;
}) {
  const words =
    state === "passed"
      ? passed
      : state === "failed"
        ? failed
        : "signatures hold, status not checked";
  return (
    <span className={`inline-flex gap-1.5 ${state === "failed" ? "text-failed" : ""}`}>
      <CheckMark state={state} />
      {words}
    </span>
  );
}

function Pair({ name, children }: { name: string; children: ReactNode }) {
  return (
    <>
      <dt className="text-soft">{name}</dt>
      <dd className="min-w-0">{children}</dd>
    </>
  );
}

function Hex({ text, what }: { text: string; what: string }) {
  return (
    <span className="inline-flex max-w-full items-center gap-1">
      <code title={text} className="truncate font-mono text-xs">
        {shorten(text)}
      </code>
      <CopyButton text={text} label={`Copy ${what}`} />
    </span>
  );
}
