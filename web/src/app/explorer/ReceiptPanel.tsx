// SPDX-License-Identifier: Apache-2.0
import { useMemo, useState, type ReactNode } from "react";
import { useConnection } from "../network/NetworkProvider";
import { Icon } from "../ui/Icon";
import { AnchorPart } from "./AnchorPart";
import { CheckList } from "./CheckList";
import { FieldTable } from "./FieldTable";
import { sizeText, timeText } from "./format";
import { JsonTree } from "./JsonTree";
import { RawText } from "./RawText";
import { StageChain } from "./StageChain";
import { countsOf, VerdictBanner } from "./VerdictBanner";
import type { OpeningView, PaymentView, ReceiptView, StageView } from "./views";

interface Props {
  view: ReceiptView;
  text: string;
  onOpenQuote: (stage: StageView, quote: Uint8Array<ArrayBuffer>) => void;
}

const titles: Record<ReceiptView["verdict"], string> = {
  verified: "Verified",
  attested: "Attested",
  simulated: "SIMULATED",
  alone: "Consistent, and held against no network",
  failed: "This receipt does not hold",
};

function sentenceOf(view: ReceiptView): string {
  const count = view.checks.length;
  switch (view.verdict) {
    case "verified":
    case "attested":
      return `All ${count} checks passed, against the policy and the weights of ${view.network}.`;
    case "simulated":
      return `All ${count} checks passed against ${view.network}, but its TEEs are simulated: nothing was protected.`;
    case "alone":
      return "Signatures, hashes and counts fit each other. Which code and weights are accepted, and which hardware, only a network's policy and manifest say: connect to the receipt's network for that.";
    case "failed":
      return `Checks: ${countsOf(view.checks)}. Do not rely on this answer.`;
  }
}

/** Everything of a receipt. */
export function ReceiptPanel({ view, text, onOpenQuote }: Props) {
  const { connection } = useConnection();
  return (
    <div className="space-y-8">
      <VerdictBanner verdict={view.verdict} title={titles[view.verdict]}>
        <p>{sentenceOf(view)}</p>
        {view.unpinned !== "" && view.verdict !== "failed" ? (
          <p className="mt-1 text-sm">{view.unpinned}</p>
        ) : null}
        {view.saysSimulated && view.verdict === "alone" ? (
          <p className="mt-1 font-semibold">SIMULATED: its quotes come from a development TEE.</p>
        ) : null}
      </VerdictBanner>
      <div className="grid gap-8 lg:grid-cols-2">
        <Part title="Chain of stages">
          <StageChain
            stages={view.stages}
            promptTokens={view.promptTokens}
            completionTokens={view.completionTokens}
            isAlone={view.network === ""}
            onOpenQuote={onOpenQuote}
          />
        </Part>
        <Part title={`Checks: ${countsOf(view.checks)}`}>
          <div className="text-sm">
            <CheckList checks={view.checks} label="Checks of the receipt" />
          </div>
        </Part>
      </div>
      <Part title="Payment">
        <div className="grid gap-6 md:grid-cols-2">
          <Payment view={view} />
          <AnchorPart key={view.digest} connection={connection} receipt={view} />
        </div>
      </Part>
      <Part title="Fields">
        <FieldTable fields={view.fields} />
      </Part>
      <Part title="Opening">
        <Opening opening={view.opening} />
      </Part>
      <Part title={`Raw, ${sizeText(text.length)}`}>
        <Raw text={text} />
      </Part>
    </div>
  );
}

export function Part({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className="min-w-0">
      <h2 className="mb-3 text-xl font-semibold">{title}</h2>
      {children}
    </section>
  );
}

const sources: Record<PaymentView["kind"], string> = {
  free: "nothing: the answer was free",
  voucher: "a voucher",
  query: "a query that was paid for by a transaction",
};

function withSeparators(digits: string): string {
  return BigInt(digits).toLocaleString("en");
}

function Payment({ view }: { view: ReceiptView }) {
  const { payment, promptTokens, cachedTokens, completionTokens } = view;
  const field = (label: string, value: string, words?: string) => ({
    id: `payment.${label}`,
    group: "What it cost",
    label,
    value,
    ...(words === undefined ? {} : { words }),
  });
  const computed = promptTokens - cachedTokens;
  const formula = `${computed} prompt tokens at ${payment.promptPrice}, ${completionTokens} of the answer at ${payment.completionPrice}`;
  const fields = [
    field("paid from", sources[payment.kind]),
    ...(payment.kind === "free"
      ? []
      : [
          field(payment.kind, payment.source),
          field("charged", `${withSeparators(payment.charged)} credits`),
          field("tokens come to", `${withSeparators(payment.sum)} credits`, formula),
        ]),
    field("finished", timeText(view.finishedAt)),
  ];
  return <FieldTable fields={fields} />;
}

function Opening({ opening }: { opening: OpeningView }) {
  const [isShown, setShown] = useState(false);
  if (!isShown) {
    return (
      <div className="text-sm">
        <p className="max-w-2xl text-soft">
          The prompt and the answer as numbers of tokens, with the salt of the leaves and the
          sampling options. Whoever has them, and the model's tokenizer, reads the prompt.
        </p>
        <button
          type="button"
          onClick={() => setShown(true)}
          className="btn btn-quiet btn-small mt-2"
        >
          Show it
        </button>
      </div>
    );
  }
  const salt = { id: "opening.salt", group: "Opening", label: "salt", value: opening.salt };
  const tokens = (label: string, list: readonly number[]) => ({
    id: `opening.${label}`,
    group: "Opening",
    label: `${label} (${list.length})`,
    value: list.join(" "),
  });
  return (
    <FieldTable
      fields={[
        salt,
        tokens("prompt", opening.prompt),
        tokens("answer", opening.answer),
        ...opening.sampling,
      ]}
    />
  );
}

function Raw({ text }: { text: string }) {
  const [isOpen, setOpen] = useState(false);
  const value = useMemo(() => (isOpen ? (JSON.parse(text) as unknown) : undefined), [isOpen, text]);
  return (
    <details className="group" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary className="inline-flex items-center gap-1 rounded-lg text-sm text-soft">
        <Icon name="chevron" className="size-4 transition-transform group-open:rotate-90" />
        JSON, and the exact text (with the prompt's tokens)
      </summary>
      {isOpen ? (
        <div className="mt-3 space-y-6">
          <div className="font-mono text-xs">
            <JsonTree name="receipt" value={value} />
          </div>
          <RawText text={text} />
        </div>
      ) : null}
    </details>
  );
}
