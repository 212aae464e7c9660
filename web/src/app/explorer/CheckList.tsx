// SPDX-License-Identifier: Apache-2.0
import { Icon, type IconName } from "../ui/Icon";
import type { CheckState, CheckView } from "./views";
import { helpFor } from "./words";

const looks: Record<CheckState, { icon: IconName; look: string; label: string }> = {
  passed: { icon: "check", look: "text-verified", label: "Passed" },
  failed: { icon: "close", look: "text-failed", label: "Failed" },
  unmade: { icon: "question", look: "text-soft", label: "Not checked" },
};

export function CheckMark({ state }: { state: CheckState }) {
  const { icon, look, label } = looks[state];
  return (
    <>
      <Icon name={icon} className={`mt-0.5 size-4 ${look}`} />
      <span className="sr-only">{label}: </span>
    </>
  );
}

/** Checks in the order in which they were made; those with details can be opened. */
export function CheckList({ checks, label }: { checks: readonly CheckView[]; label: string }) {
  return (
    <ul aria-label={label} className="divide-y divide-line">
      {checks.map((check, i) => (
        <CheckItem key={`${i} ${check.name}`} check={check} />
      ))}
    </ul>
  );
}

function CheckItem({ check }: { check: CheckView }) {
  const { name, state, words, code, have, need, details } = check;
  const help = state === "passed" ? undefined : helpFor(code);
  const isFailed = state === "failed";
  return (
    <li data-check={name} data-state={state} className="flex gap-3 py-2.5">
      <CheckMark state={state} />
      <div className="min-w-0 grow">
        <p className={isFailed ? "font-medium text-failed" : "font-medium"}>{name}</p>
        <p className={`break-words ${isFailed ? "text-failed" : "text-soft"}`}>{words}</p>
        {have === undefined && need === undefined ? null : (
          <dl className="mt-1 grid grid-cols-[auto_1fr] gap-x-3 font-mono text-xs">
            <dt className="text-faint">have</dt>
            <dd className="min-w-0 break-all">{have}</dd>
            <dt className="text-faint">need</dt>
            <dd className="min-w-0 break-all">{need}</dd>
          </dl>
        )}
        {help === undefined ? null : <p className="mt-1 text-sm">{help}</p>}
        {details === undefined || details.length === 0 ? null : (
          <details className="group mt-1 text-sm" open={isFailed}>
            <summary className="-ml-1 inline-flex items-center gap-1 rounded-lg px-1 text-soft">
              <Icon name="chevron" className="size-4 transition-transform group-open:rotate-90" />
              {details.length === 1 ? "1 step" : `${details.length} steps`}
            </summary>
            <CheckList checks={details} label={`Steps of ${name}`} />
          </details>
        )}
      </div>
    </li>
  );
}
