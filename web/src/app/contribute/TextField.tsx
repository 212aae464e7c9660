// SPDX-License-Identifier: Apache-2.0
import { type ReactNode, type Ref, useId } from "react";

interface Props {
  label: string;
  /** What goes into it, and where it comes from. */
  note: ReactNode;
  value: string;
  onChange: (text: string) => void;
  /** In the place of the note. */
  error?: string | undefined;
  /** Of what is to be typed, shown while nothing is. */
  example?: string;
  isCode?: boolean;
  input?: Ref<HTMLInputElement>;
  type?: "text" | "url";
}

export function TextField(props: Props) {
  const { label, note, value, onChange, error, example, isCode = false, input } = props;
  const id = useId();
  return (
    <div>
      <label htmlFor={id} className="mb-1 block text-sm font-medium">
        {label}
      </label>
      <input
        id={id}
        ref={input}
        type={props.type ?? "text"}
        value={value}
        placeholder={example}
        autoComplete="off"
        autoCapitalize="off"
        spellCheck={false}
        aria-invalid={error !== undefined}
        aria-describedby={`${id}-note`}
        onChange={(event) => onChange(event.target.value)}
        className={`field ${isCode ? "font-mono text-sm" : ""} ${error === undefined ? "" : "border-failed"}`}
      />
      <p
        id={`${id}-note`}
        className={`mt-1 text-sm ${error === undefined ? "text-faint" : "text-failed"}`}
      >
        {error ?? note}
      </p>
    </div>
  );
}
