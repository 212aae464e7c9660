// SPDX-License-Identifier: Apache-2.0
import type { EvidenceCheck } from "../../client/routeVerifier";
import { Icon, type IconName } from "../ui/Icon";
import { type NodeStep, stepTitles } from "./nodeChecks";

const signs: Record<NodeStep["state"], { icon: IconName; look: string; word: string }> = {
  waiting: { icon: "more", look: "text-faint", word: "Not yet" },
  running: { icon: "retry", look: "text-soft motion-safe:animate-spin", word: "Being checked" },
  passed: { icon: "check", look: "text-verified", word: "Passed" },
  failed: { icon: "close", look: "text-failed", word: "Failed" },
  skipped: { icon: "more", look: "text-faint", word: "Not checked" },
};

/** Every check of a node, in order, with what to do where one failed. */
export function CheckSteps({ steps }: { steps: readonly NodeStep[] }) {
  return (
    <ol className="divide-y divide-line rounded-xl border border-line">
      {steps.map((step) => (
        <Step key={step.id} step={step} />
      ))}
    </ol>
  );
}

function Step({ step }: { step: NodeStep }) {
  const { id, state, words, have, need, advice, checks } = step;
  const { icon, look, word } = signs[state];
  const isFailed = state === "failed";
  return (
    <li data-step={id} data-state={state} className="flex gap-3 px-4 py-2.5 text-sm">
      <Icon name={icon} className={`mt-0.5 size-4 ${look}`} />
      <div className="min-w-0 flex-1">
        <p className={isFailed ? "font-medium text-failed" : ""}>
          <span className="sr-only">{word}: </span>
          {stepTitles[id]}
        </p>
        {words === undefined ? null : (
          <p className={`break-words ${isFailed ? "" : "text-soft"}`}>{words}</p>
        )}
        {isFailed && have !== undefined && need !== undefined ? (
          <dl className="mt-1 grid grid-cols-[auto_1fr] gap-x-3 font-mono text-xs break-all">
            <dt className="text-faint">have</dt>
            <dd>{have}</dd>
            <dt className="text-faint">need</dt>
            <dd>{need}</dd>
          </dl>
        ) : null}
        {advice === undefined ? null : (
          <p className="mt-1 rounded-lg bg-raised px-3 py-2">
            <span className="font-medium">What to do: </span>
            {advice}
          </p>
        )}
        {checks === undefined || checks.length === 0 ? null : <EvidenceChecks checks={checks} />}
      </div>
    </li>
  );
}

function EvidenceChecks({ checks }: { checks: readonly EvidenceCheck[] }) {
  const failed = checks.filter((check) => !check.passed).length;
  return (
    <details className="mt-1" open={failed > 0}>
      <summary className="rounded-lg text-soft">
        {failed === 0
          ? `All ${checks.length} checks of the evidence`
          : `${failed} of ${checks.length} checks of the evidence failed`}
      </summary>
      <ul className="mt-1 space-y-1">
        {checks.map((check) => (
          <li key={check.name} className="flex gap-2">
            <Icon
              name={check.passed ? "check" : "close"}
              className={`mt-0.5 size-4 ${check.passed ? "text-verified" : "text-failed"}`}
            />
            <p className="min-w-0 break-words">
              <span className="sr-only">{check.passed ? "Passed: " : "Failed: "}</span>
              <span className="font-medium">{check.name}</span>
              <span className="text-soft">. {check.finding}</span>
            </p>
          </li>
        ))}
      </ul>
    </details>
  );
}
