// SPDX-License-Identifier: Apache-2.0
import { memo, useEffect, useId, useRef, useState, type ReactNode } from "react";
import { Markdown } from "../markdown/Markdown";
import { creditsText } from "../ui/amounts";
import { CopyButton } from "../ui/CopyButton";
import { Icon } from "../ui/Icon";
import type { Message } from "./types";

export interface MessageActions {
  /** Absent while nothing can be asked. */
  onEdit?: ((messageId: string, text: string) => void) | undefined;
  onRegenerate?: ((messageId: string, choosesSimulated?: boolean) => void) | undefined;
  renderProof?: ((message: Message) => ReactNode) | undefined;
  /** In the place of the word "Proof": what it comes to. */
  renderVerdict?: ((message: Message) => ReactNode) | undefined;
}

/** A message and what can be done with it. Rendered anew only when its own object is another one. */
export const MessageView = memo(function MessageView({
  message,
  ...actions
}: { message: Message } & MessageActions) {
  return message.role === "user" ? (
    <Question message={message} {...actions} />
  ) : (
    <Answer message={message} {...actions} />
  );
});

function Question({ message, onEdit }: { message: Message } & MessageActions) {
  const [editing, setEditing] = useState(false);
  if (editing && onEdit !== undefined) {
    return (
      <EditForm
        text={message.text}
        onCancel={() => setEditing(false)}
        onDone={(text) => {
          setEditing(false);
          onEdit(message.id, text);
        }}
      />
    );
  }
  return (
    <article className="message group flex flex-col items-end">
      <h2 className="sr-only">You asked</h2>
      <p className="max-w-[85%] rounded-3xl rounded-br-md bg-raised px-4 py-2.5 break-words whitespace-pre-wrap">
        {message.text}
      </p>
      <Actions>
        <CopyButton text={message.text} label="Copy the question" />
        {onEdit === undefined ? null : (
          <button
            type="button"
            onClick={() => setEditing(true)}
            className="btn btn-plain btn-small text-soft"
          >
            <Icon name="edit" className="size-4" />
            <span className="sr-only">Edit the question</span>
          </button>
        )}
      </Actions>
    </article>
  );
}

interface EditProps {
  text: string;
  onCancel: () => void;
  onDone: (text: string) => void;
}

function EditForm({ text, onCancel, onDone }: EditProps) {
  const [draft, setDraft] = useState(text);
  const field = useRef<HTMLTextAreaElement>(null);
  const noteId = useId();
  useEffect(() => {
    field.current?.focus();
    field.current?.setSelectionRange(text.length, text.length);
  }, [text.length]);
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (draft.trim() !== "") onDone(draft.trim());
      }}
      onKeyDown={(event) => {
        if (event.key === "Escape") onCancel();
      }}
      className="panel p-3"
    >
      <textarea
        ref={field}
        value={draft}
        rows={Math.min(12, draft.split("\n").length + 1)}
        onChange={(event) => setDraft(event.target.value)}
        aria-label="Question"
        aria-describedby={noteId}
        className="field resize-y"
      />
      <p id={noteId} className="mt-2 text-sm text-soft">
        The answer to it, and all that follows, is replaced.
      </p>
      <div className="mt-3 flex justify-end gap-2">
        <button type="button" onClick={onCancel} className="btn btn-quiet btn-small">
          Cancel
        </button>
        <button type="submit" disabled={draft.trim() === ""} className="btn btn-solid btn-small">
          Ask this instead
        </button>
      </div>
    </form>
  );
}

function Answer({
  message,
  onRegenerate,
  renderProof,
  renderVerdict,
}: { message: Message } & MessageActions) {
  const [proofOpen, setProofOpen] = useState(false);
  const proofId = useId();
  const isOpen = message.state === "streaming" || message.state === "sending";
  const hasProof = renderProof !== undefined && (message.receipts?.length ?? 0) > 0;
  return (
    <article className="message group" aria-busy={isOpen}>
      <h2 className="sr-only">Answer</h2>
      {message.state === "sending" ? (
        <p className="text-faint motion-safe:animate-pulse">Waiting for the first token</p>
      ) : (
        <Markdown text={message.text} isStreaming={message.state === "streaming"} />
      )}
      {message.state === "stopped" ? <p className="mt-3 text-sm text-soft">Stopped.</p> : null}
      {message.note === undefined ? null : <p className="mt-3 text-sm text-soft">{message.note}</p>}
      {message.state === "failed" ? (
        <Failure message={message} onRegenerate={onRegenerate} />
      ) : null}
      {isOpen ? null : (
        <Actions>
          <CopyButton text={message.text} label="Copy the answer" />
          {onRegenerate === undefined ? null : (
            <button
              type="button"
              onClick={() => onRegenerate(message.id)}
              className="btn btn-plain btn-small text-soft"
            >
              <Icon name="retry" className="size-4" />
              <span className="sr-only">Answer again</span>
            </button>
          )}
          {hasProof ? (
            <button
              type="button"
              aria-expanded={proofOpen}
              aria-controls={proofId}
              onClick={() => setProofOpen(!proofOpen)}
              className="btn btn-plain btn-small text-soft"
            >
              <Icon name="shield" className="size-4" />
              {renderVerdict === undefined ? "Proof" : renderVerdict(message)}
            </button>
          ) : null}
          <AnswerFigures message={message} />
        </Actions>
      )}
      {hasProof ? (
        <div id={proofId} hidden={!proofOpen} className="mt-3">
          {proofOpen ? renderProof(message) : null}
        </div>
      ) : null}
    </article>
  );
}

/** Seconds until a time, counted down; 0 once it is there. */
function useSecondsUntil(unixSeconds: number): number {
  const left = () => Math.max(0, Math.ceil(unixSeconds - Date.now() / 1000));
  const [seconds, setSeconds] = useState(left);
  useEffect(() => {
    const timer = setInterval(() => setSeconds(left()), 500);
    return () => clearInterval(timer);
  });
  return seconds;
}

type FailureProps = { message: Message } & Pick<MessageActions, "onRegenerate">;

function Failure({ message, onRegenerate }: FailureProps) {
  return (
    <div
      role="alert"
      className="mt-3 flex flex-wrap items-center gap-x-4 gap-y-2 rounded-xl bg-failed-soft px-4 py-3 text-sm text-failed"
    >
      <p className="min-w-0 flex-1">
        <strong>{message.text === "" ? "There is no answer." : "The answer broke off."}</strong>{" "}
        {message.error}
      </p>
      {message.retryAt === undefined ? null : (
        <RetryButton message={message} onRegenerate={onRegenerate} at={message.retryAt} />
      )}
      {message.offersSimulated ? (
        <button
          type="button"
          disabled={onRegenerate === undefined}
          onClick={() => onRegenerate?.(message.id, true)}
          className="btn btn-quiet btn-small"
        >
          Ask simulated TEEs, unprotected
        </button>
      ) : null}
    </div>
  );
}

function RetryButton({ message, onRegenerate, at }: FailureProps & { at: number }) {
  const seconds = useSecondsUntil(at);
  return (
    <button
      type="button"
      disabled={seconds > 0 || onRegenerate === undefined}
      onClick={() => onRegenerate?.(message.id)}
      className="btn btn-quiet btn-small tabular-nums"
    >
      {seconds > 0 ? `Try again in ${seconds} s` : "Try again"}
    </button>
  );
}

function AnswerFigures({ message }: { message: Message }) {
  const parts: string[] = [];
  if (message.usage !== undefined) {
    const { promptTokens, completionTokens, cachedTokens = 0 } = message.usage;
    const cached = cachedTokens > 0 ? ` (${cachedTokens} cached)` : "";
    parts.push(`${promptTokens}${cached} + ${completionTokens} tokens`);
  }
  if (message.cost !== undefined)
    parts.push(message.cost === 0 ? "free" : creditsText(message.cost));
  return parts.length === 0 ? null : (
    <span className="px-2 text-xs text-faint tabular-nums">{parts.join(" · ")}</span>
  );
}

function Actions({ children }: { children: ReactNode }) {
  return <div className="mt-1 -ml-2 flex min-h-8 flex-wrap items-center">{children}</div>;
}
