// SPDX-License-Identifier: Apache-2.0
import { useId, useRef, useState, type ReactNode } from "react";
import { Icon } from "../ui/Icon";

interface Props {
  isBusy: boolean;
  onText: (text: string) => void;
  onFiles: (files: readonly File[]) => void;
  children?: ReactNode;
}

/** Where receipts and quotes are pasted, dropped or chosen. */
export function OpenBox({ isBusy, onText, onFiles, children }: Props) {
  const [text, setText] = useState("");
  const [isOver, setOver] = useState(false);
  const id = useId();
  return (
    <div
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={(event) => {
        if (!event.currentTarget.contains(event.relatedTarget as Node | null)) setOver(false);
      }}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        const files = [...event.dataTransfer.files];
        if (files.length > 0) onFiles(files);
        else onText(event.dataTransfer.getData("text/plain"));
      }}
      className={`rounded-2xl border border-dashed p-5 ${isOver ? "border-focus bg-raised" : "border-line-strong"}`}
    >
      <label htmlFor={id} className="font-semibold">
        Paste a receipt or a quote
      </label>
      <p id={`${id}-hint`} className="mt-1 text-sm text-soft">
        A receipt (JSON), a quote (binary, hex or base64), what an entry answers under /attestation,
        or a quote with its collateral and event log. You can also drop files here. Nothing is sent
        anywhere.
      </p>
      <textarea
        id={id}
        aria-describedby={`${id}-hint`}
        rows={3}
        spellCheck={false}
        autoComplete="off"
        value={text}
        onChange={(event) => setText(event.target.value)}
        onPaste={(event) => {
          const pasted = event.clipboardData.getData("text/plain");
          const files = [...event.clipboardData.files];
          if (files.length === 0 && (pasted.length < 200 || text !== "")) return;
          event.preventDefault();
          if (files.length > 0) onFiles(files);
          else onText(pasted);
        }}
        className="field mt-3 font-mono text-xs"
      />
      <div className="mt-3 flex flex-wrap items-center gap-2">
        <button
          type="button"
          disabled={isBusy || text.trim() === ""}
          onClick={() => {
            onText(text);
            setText("");
          }}
          className="btn btn-solid"
        >
          Check it
        </button>
        <FileChooser onFiles={onFiles} />
        {children}
      </div>
    </div>
  );
}

function FileChooser({ onFiles }: Pick<Props, "onFiles">) {
  const chooser = useRef<HTMLInputElement>(null);
  return (
    <>
      <button type="button" onClick={() => chooser.current?.click()} className="btn btn-quiet">
        <Icon name="plus" className="size-4" />
        Choose files
      </button>
      <input
        ref={chooser}
        type="file"
        multiple
        hidden
        aria-label="Files with a receipt or a quote"
        onChange={(event) => {
          const files = [...(event.target.files ?? [])];
          event.target.value = "";
          if (files.length > 0) onFiles(files);
        }}
      />
    </>
  );
}
