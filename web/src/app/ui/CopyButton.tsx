// SPDX-License-Identifier: Apache-2.0
import { useEffect, useState } from "react";
import { useToast } from "../shell/Toasts";
import { Icon } from "./Icon";

interface Props {
  text: string;
  /** What is copied, for screen readers. */
  label: string;
  /** No higher than a line of text, for use in one. */
  inLine?: boolean;
}

/** Copies a text; says so where it stands and to screen readers. */
export function CopyButton({ text, label, inLine = false }: Props) {
  const toast = useToast();
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), 1800);
    return () => clearTimeout(timer);
  }, [copied]);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      setCopied(true);
    } catch {
      toast({
        text: "The browser did not let the page copy. Select the text instead.",
        kind: "error",
      });
    }
  };
  return (
    <button
      type="button"
      onClick={() => void copy()}
      className={`btn btn-plain btn-small text-soft ${inLine ? "-my-1 min-h-6 px-1" : ""}`}
    >
      <Icon name={copied ? "check" : "copy"} className={inLine ? "size-3.5" : "size-4"} />
      <span className="sr-only">{label}</span>
      <span aria-live="polite" className="sr-only">
        {copied ? "Copied" : ""}
      </span>
    </button>
  );
}
