// SPDX-License-Identifier: Apache-2.0
import { memo, useState } from "react";
import { CopyButton } from "../ui/CopyButton";
import type { FieldView } from "./views";

/** Longer values are folded; copying gives the whole. */
const shownCharacters = 132;

interface Props {
  fields: readonly FieldView[];
  /** Of the field whose bytes are shown. */
  active?: string | undefined;
  /** Where fields have bytes: pointing at one shows them. */
  onActivate?: ((id: string) => void) | undefined;
}

/** Fields by group, each with its meaning; those with bytes are buttons that show them. */
export function FieldTable({ fields, active, onActivate }: Props) {
  const groups = [...new Set(fields.map((field) => field.group))];
  return (
    <div className="space-y-6">
      {groups.map((group) => (
        <section key={group} aria-label={group}>
          <h3 className="text-sm font-semibold">{group}</h3>
          <dl className="mt-1 divide-y divide-line text-sm">
            {fields
              .filter((field) => field.group === group)
              .map((field) => (
                <Row
                  key={field.id}
                  field={field}
                  isActive={field.id === active}
                  onActivate={onActivate}
                />
              ))}
          </dl>
        </section>
      ))}
    </div>
  );
}

interface RowProps {
  field: FieldView;
  isActive: boolean;
  onActivate: ((id: string) => void) | undefined;
}

const Row = memo(function Row({ field, isActive, onActivate }: RowProps) {
  const { id, label, value, words, begin } = field;
  const hasBytes = onActivate !== undefined && begin !== undefined;
  return (
    <div
      data-field={id}
      onPointerEnter={hasBytes ? () => onActivate(id) : undefined}
      className={`grid gap-x-4 px-2 py-1.5 sm:grid-cols-[11rem_1fr] ${isActive ? "bg-raised" : ""}`}
    >
      <dt>
        {hasBytes ? (
          <button
            type="button"
            aria-pressed={isActive}
            onFocus={() => onActivate(id)}
            onClick={() => onActivate(id)}
            className="rounded text-left text-soft underline decoration-dotted underline-offset-4"
          >
            {label}
          </button>
        ) : (
          <span className="text-soft">{label}</span>
        )}
      </dt>
      <dd className="min-w-0">
        <FieldValue value={value} label={label} />
        {words === undefined ? null : <p className="text-xs text-faint">{words}</p>}
      </dd>
    </div>
  );
});

function FieldValue({ value, label }: { value: string; label: string }) {
  const [isWhole, setWhole] = useState(false);
  const isLong = value.length > shownCharacters;
  const shown = isLong && !isWhole ? `${value.slice(0, shownCharacters)}…` : value;
  return (
    <span className="flex items-start gap-1">
      <span className="min-w-0 grow font-mono text-xs leading-6 break-all">{shown}</span>
      {isLong ? (
        <button
          type="button"
          aria-expanded={isWhole}
          onClick={() => setWhole(!isWhole)}
          className="btn btn-plain btn-small text-soft"
        >
          {isWhole ? "less" : "all"}
          <span className="sr-only"> of {label}</span>
        </button>
      ) : null}
      {value.length > 15 ? <CopyButton text={value} label={`Copy ${label}`} /> : null}
    </span>
  );
}
