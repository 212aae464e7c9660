// SPDX-License-Identifier: Apache-2.0
import { useState } from "react";
import { CopyButton } from "../ui/CopyButton";
import { Icon } from "../ui/Icon";

const shownCharacters = 96;
const shownElements = 50;

/** A value of JSON.parse, opened step by step: what is folded is not in the page. */
export function JsonTree({ name, value }: { name: string; value: unknown }) {
  if (typeof value !== "object" || value === null) return <Leaf name={name} value={value} />;
  const entries = Array.isArray(value)
    ? value.map((one, i) => [String(i), one] as const)
    : Object.entries(value);
  const kind = Array.isArray(value) ? "elements" : "members";
  return <Branch name={name} entries={entries} kind={kind} />;
}

function Leaf({ name, value }: { name: string; value: unknown }) {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  const isLong = text.length > shownCharacters;
  return (
    <p className="flex items-start gap-2 py-0.5 pl-5">
      <span className="text-soft">{name}</span>
      <span className="min-w-0 break-all">
        {isLong ? `${text.slice(0, shownCharacters)}… (${text.length} characters)` : text}
      </span>
      {isLong ? <CopyButton text={text} label={`Copy ${name}`} /> : null}
    </p>
  );
}

interface BranchProps {
  name: string;
  entries: readonly (readonly [string, unknown])[];
  kind: string;
}

function Branch({ name, entries, kind }: BranchProps) {
  const [isOpen, setOpen] = useState(false);
  const [shown, setShown] = useState(shownElements);
  return (
    <details className="group/branch" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary className="flex items-center gap-1 py-0.5">
        <Icon
          name="chevron"
          className="size-4 shrink-0 transition-transform group-open/branch:rotate-90"
        />
        <span className="text-soft">{name}</span>
        <span className="text-faint">
          {entries.length} {kind}
        </span>
      </summary>
      {isOpen ? (
        <div className="ml-2 border-l border-line pl-2">
          {entries.slice(0, shown).map(([key, one]) => (
            <JsonTree key={key} name={key} value={one} />
          ))}
          {entries.length > shown ? (
            <button
              type="button"
              onClick={() => setShown(shown + 4 * shownElements)}
              className="btn btn-plain btn-small"
            >
              {entries.length - shown} more
            </button>
          ) : null}
        </div>
      ) : null}
    </details>
  );
}
