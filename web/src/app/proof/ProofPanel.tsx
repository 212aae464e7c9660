// SPDX-License-Identifier: Apache-2.0
import { useId, type ReactNode } from "react";
import { CopyButton } from "../ui/CopyButton";
import { Icon, type IconName } from "../ui/Icon";
import type { Yardstick } from "../network/yardstick";
import { NodeBadge } from "./NodeBadge";
import {
  lackOf,
  orderChecks,
  shortHex,
  shownTrust,
  shownVerdict,
  type Proof,
  type ProofCheck,
  type ProofStage,
  type ShownVerdict,
} from "./proof";

interface Props {
  proof: Proof;
  /** What it was held against; without one the user has set it. */
  yardstick?: Yardstick;
  /** Hands out the receipt as a file. */
  onDownload?: () => void;
  /** Link to the same receipt in the explorer, or what opens it there. */
  explorerHref?: string;
  onExplore?: () => void;
}

const looks: Record<ShownVerdict, { icon: IconName; title: string; look: string }> = {
  verifying: { icon: "shield", title: "Checking the proof", look: "bg-raised text-ink" },
  verified: { icon: "check", title: "Verified", look: "bg-verified-soft text-verified" },
  attested: { icon: "check", title: "Attested", look: "bg-raised text-ink" },
  simulated: { icon: "alert", title: "SIMULATED", look: "bg-simulated-soft text-simulated" },
  partial: { icon: "question", title: "Proved in part", look: "bg-raised text-ink" },
  failed: { icon: "close", title: "The proof does not hold", look: "bg-failed-soft text-failed" },
  unknown: { icon: "question", title: "Not checked", look: "bg-raised text-ink" },
};

function sentenceOf(proof: Proof, verdict: ShownVerdict): string {
  const count = proof.checks.length;
  switch (verdict) {
    case "verifying":
      return proof.checksExpected === undefined
        ? `${count} checks have passed so far.`
        : `${count} of ${proof.checksExpected} checks have passed so far.`;
    case "verified":
    case "attested":
      return `All ${count} checks passed, in this page. ${proof.route.length} attested nodes computed this answer.`;
    case "simulated":
      return `All ${count} checks passed, but TEEs of this route are simulated: nothing was protected.${restOf(proof)}`;
    case "partial":
      return `All ${count} checks that could be made passed. ${lackOf(proof) ?? ""}`;
    case "failed": {
      const failed = proof.checks.filter((check) => !check.passed).length;
      return failed === 0
        ? "A node of the route was refused. Do not rely on this answer."
        : `${failed} of ${count} checks failed. Do not rely on this answer.`;
    }
    case "unknown":
      return proof.problem ?? "Nothing was checked, so nothing is proved.";
  }
}

function restOf(proof: Proof): string {
  const lack = lackOf(proof);
  return lack === undefined ? "" : ` Proved in part: ${lack}`;
}

/** The proof of an answer: the verdict, what is wrong first, who computed what, and every check. */
export function ProofPanel({ proof, yardstick, ...ways }: Props) {
  const isOwn = yardstick?.isOwn ?? true;
  const verdict = shownVerdict(proof, isOwn);
  const { icon, look, title } = looks[verdict];
  const titleId = useId();
  const failed = proof.checks.filter((check) => !check.passed);
  return (
    <section
      aria-labelledby={titleId}
      data-verdict={verdict}
      className="panel overflow-hidden text-sm"
    >
      <div
        role={verdict === "failed" ? "alert" : "status"}
        className={`flex items-start gap-3 px-4 py-3 ${look}`}
      >
        <Icon
          name={icon}
          className={`mt-0.5 size-5 ${verdict === "verifying" ? "motion-safe:animate-pulse" : ""}`}
        />
        <div className="min-w-0">
          <h3 id={titleId} className="font-semibold">
            {title}
          </h3>
          <p>{sentenceOf(proof, verdict)}</p>
          {verdict === "attested" ? <p className="wrap-anywhere">{yardstick?.words}</p> : null}
        </div>
      </div>
      {verdict === "verifying" && proof.checksExpected !== undefined ? (
        <progress
          max={proof.checksExpected}
          value={proof.checks.length}
          aria-label="Checks that are through"
          className="block h-1 w-full accent-ink"
        />
      ) : null}
      {failed.length === 0 ? null : (
        <ul aria-label="What is wrong" className="border-b border-line px-4 py-2">
          {failed.map((check) => (
            <CheckLine key={check.name} check={check} />
          ))}
        </ul>
      )}
      <div className="space-y-4 p-4">
        {proof.route.length === 0 ? null : <RouteList route={proof.route} isOwn={isOwn} />}
        <Figures proof={proof} />
        {proof.checks.length === 0 ? null : (
          <details className="group">
            <summary className="-mx-2 flex items-center gap-1 rounded-lg px-2 py-1 font-medium">
              <Icon name="chevron" className="size-4 transition-transform group-open:rotate-90" />
              {proof.checks.length === 1 ? "The one check" : `All ${proof.checks.length} checks`}
            </summary>
            <ul className="mt-2">
              {orderChecks(proof.checks).map((check) => (
                <CheckLine key={check.name} check={check} />
              ))}
            </ul>
          </details>
        )}
        <Ways {...ways} />
      </div>
    </section>
  );
}

/** Where to go with the proof from here. */
function Ways({ onDownload, explorerHref, onExplore }: Omit<Props, "proof" | "yardstick">) {
  if (!onDownload && explorerHref === undefined && !onExplore) return null;
  const inExplorer = (
    <>
      <Icon name="search" className="size-4" />
      Open in the explorer
    </>
  );
  return (
    <div className="flex flex-wrap items-center gap-2">
      {onDownload ? (
        <button type="button" onClick={onDownload} className="btn btn-quiet btn-small">
          <Icon name="download" className="size-4" />
          Download the receipt
        </button>
      ) : null}
      {explorerHref === undefined ? null : (
        <a href={explorerHref} className="btn btn-quiet btn-small">
          {inExplorer}
        </a>
      )}
      {onExplore ? (
        <button type="button" onClick={onExplore} className="btn btn-quiet btn-small">
          {inExplorer}
        </button>
      ) : null}
      {onDownload ? (
        <p className="basis-full text-xs text-soft">
          Whoever gets the receipt can read prompt and answer in it. The two hashes alone have no
          salt: who sees them can test guesses.
        </p>
      ) : null}
    </div>
  );
}

function CheckLine({ check }: { check: ProofCheck }) {
  return (
    <li className="flex gap-3 py-1.5">
      <Icon
        name={check.passed ? "check" : "close"}
        className={`mt-0.5 size-4 ${check.passed ? "text-verified" : "text-failed"}`}
      />
      <div className="min-w-0">
        <p className={check.passed ? "" : "text-failed"}>
          <span className="sr-only">{check.passed ? "Passed: " : "Failed: "}</span>
          <span className="font-medium">{check.name}</span>
          <span className={check.passed ? "text-soft" : ""}>. {check.words}</span>
        </p>
        {check.have === undefined && check.need === undefined ? null : (
          <dl className="mt-1 grid grid-cols-[auto_minmax(0,1fr)] gap-x-3 font-mono text-xs break-all">
            {check.have === undefined ? null : <Pair name="have">{check.have}</Pair>}
            {check.need === undefined ? null : <Pair name="need">{check.need}</Pair>}
          </dl>
        )}
      </div>
    </li>
  );
}

function Pair({ name, children }: { name: string; children: ReactNode }) {
  return (
    <>
      <dt className="text-faint">{name}</dt>
      <dd className="min-w-0">{children}</dd>
    </>
  );
}

function RouteList({ route, isOwn }: { route: readonly ProofStage[]; isOwn: boolean }) {
  return (
    <div>
      <h4 className="font-medium">Who computed it</h4>
      <ol className="mt-2 space-y-3">
        {route.map((stage) => (
          <li key={`${stage.node}-${stage.layers[0]}`} className="border-l-2 border-line pl-3">
            <NodeBadge
              node={stage.node}
              layers={stage.layers}
              trust={shownTrust(stage.trust, isOwn)}
            />
            <dl className="mt-1 grid grid-cols-[auto_minmax(0,1fr)] items-center gap-x-3 gap-y-0.5 text-xs">
              {stage.code === undefined ? null : (
                <Pair name="code">
                  {stage.codeName === undefined ? null : `${stage.codeName} `}
                  <Hash hex={stage.code} label="Copy the measurement of the code" />
                </Pair>
              )}
              {stage.weights === undefined ? null : (
                <Pair name="weights">
                  <Hash hex={stage.weights} label="Copy the shard root" />
                </Pair>
              )}
              {stage.hardware === undefined ? null : (
                <Pair name="hardware">
                  {stage.hardware}
                  {(stage.advisories?.length ?? 0) === 0
                    ? null
                    : `, open advisories: ${stage.advisories?.join(", ")}`}
                </Pair>
              )}
            </dl>
          </li>
        ))}
      </ol>
    </div>
  );
}

function Figures({ proof }: { proof: Proof }) {
  const rows: [string, ReactNode][] = [];
  if (proof.promptTokens !== undefined && proof.completionTokens !== undefined) {
    const cached = proof.cachedTokens ? ` (${proof.cachedTokens} of them cached)` : "";
    rows.push(["tokens", `${proof.promptTokens} in${cached}, ${proof.completionTokens} out`]);
  }
  if (proof.cost !== undefined)
    rows.push(["cost", proof.cost === 0 ? "free" : `${proof.cost} credits`]);
  if (proof.anchor !== undefined) rows.push(["anchor", proof.anchor.words]);
  if (proof.anchor?.transaction !== undefined) {
    rows.push([
      "transaction",
      <Hash hex={proof.anchor.transaction} label="Copy the transaction" />,
    ]);
  }
  if (proof.requestHash !== undefined) {
    rows.push(["request", <Hash hex={proof.requestHash} label="Copy the hash of the request" />]);
  }
  if (proof.answerHash !== undefined) {
    rows.push(["answer", <Hash hex={proof.answerHash} label="Copy the hash of the answer" />]);
  }
  if (proof.created !== undefined) {
    rows.push(["given", new Date(proof.created * 1000).toLocaleString()]);
  }
  if (rows.length === 0) return null;
  return (
    <dl className="grid grid-cols-[auto_minmax(0,1fr)] items-center gap-x-4 gap-y-1">
      {rows.map(([name, value]) => (
        <Pair key={name} name={name}>
          {value}
        </Pair>
      ))}
    </dl>
  );
}

/** A hash, shortened for the eye, whole for copying. */
export function Hash({ hex, label }: { hex: string; label: string }) {
  return (
    <span className="inline-flex items-center gap-1">
      <code title={hex} className="font-mono">
        {shortHex(hex)}
      </code>
      <CopyButton text={hex} label={label} inLine />
    </span>
  );
}
