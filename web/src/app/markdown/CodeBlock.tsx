// SPDX-License-Identifier: Apache-2.0
import { memo, useEffect, useState } from "react";
import { CopyButton } from "../ui/CopyButton";
import { highlight, knownLanguage, type Span } from "./highlight";

interface Props {
  code: string;
  /** The fence's info string: `python`, `ts title=x`. */
  language: string;
  /** Still being written: shown plain, coloured when it is whole. */
  isOpen?: boolean;
}

export const CodeBlock = memo(function CodeBlock({ code, language, isOpen = false }: Props) {
  const name = knownLanguage(language);
  const [coloured, setColoured] = useState<{ code: string; spans: Span[] }>();
  useEffect(() => {
    if (name === undefined || isOpen) return;
    let wanted = true;
    highlight(code, name).then(
      (spans) => {
        if (wanted) setColoured({ code, spans });
      },
      () => {
        // The highlighter did not load: the code stays plain.
      },
    );
    return () => {
      wanted = false;
    };
  }, [code, name, isOpen]);
  const label = /^\S*/.exec(language.trim())?.[0]?.slice(0, 24) ?? "";
  return (
    <div className="code">
      <div className="flex h-10 items-center justify-between border-b border-line pr-1 pl-4 text-xs text-faint">
        <span>{label === "" ? "text" : label}</span>
        <CopyButton text={code} label="Copy code" />
      </div>
      <pre tabIndex={0} role="group" aria-label={label === "" ? "Code" : `Code, ${label}`}>
        <code>{coloured?.code === code && !isOpen ? coloured.spans.map(renderSpan) : code}</code>
      </pre>
    </div>
  );
});

function renderSpan(span: Span, at: number) {
  return span.scope === "" ? (
    span.text
  ) : (
    <span key={at} data-scope={span.scope}>
      {span.text}
    </span>
  );
}
