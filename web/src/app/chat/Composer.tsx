// SPDX-License-Identifier: Apache-2.0
import { useId, useLayoutEffect, useRef, type KeyboardEvent, type ReactNode } from "react";
import { Icon } from "../ui/Icon";

interface Props {
  text: string;
  onText: (text: string) => void;
  onSend: (text: string) => void;
  onStop: () => void;
  /** An answer is under way: the button stops it. */
  isAnswering: boolean;
  /** Whether anything can be sent now. Writing is always possible. */
  isReady: boolean;
  /** Below the field: to whom prompts go, or why nowhere. */
  words: string;
  /** Beside the words: cost, balance, model. */
  aside?: ReactNode;
}

/** Enter sends and Shift+Enter starts a line; where there is only a touch keyboard, the button sends. */
export function Composer(props: Props) {
  const { text, onText, onSend, onStop, isAnswering, isReady, words, aside } = props;
  const field = useRef<HTMLTextAreaElement>(null);
  const wordsId = useId();
  const canSend = isReady && !isAnswering && text.trim() !== "";
  useLayoutEffect(() => {
    const area = field.current;
    if (area === null) return;
    area.style.height = "auto";
    area.style.height = `${area.scrollHeight}px`;
  }, [text]);
  const send = () => {
    if (canSend) onSend(text.trim());
  };
  const onKeyDown = (event: KeyboardEvent) => {
    // 229: keys that an input method still holds, in browsers that do not say isComposing.
    if (event.nativeEvent.isComposing || event.keyCode === 229) return;
    if (event.key !== "Enter" || event.shiftKey || matchMedia("(pointer: coarse)").matches) return;
    event.preventDefault();
    send();
  };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <div className="flex items-end gap-2 rounded-3xl border border-line-strong bg-surface p-2 shadow-sm focus-within:outline-2 focus-within:outline-offset-1 focus-within:outline-focus">
        <textarea
          ref={field}
          value={text}
          rows={1}
          onChange={(event) => onText(event.target.value)}
          onKeyDown={onKeyDown}
          aria-label="Message"
          aria-describedby={wordsId}
          placeholder="Ask anything"
          enterKeyHint="enter"
          className="max-h-[40dvh] min-h-10 w-full resize-none overflow-y-auto bg-transparent px-3 py-2 outline-none placeholder:text-faint"
        />
        {isAnswering ? (
          <button type="button" onClick={onStop} className="btn btn-solid size-10 rounded-full p-0">
            <Icon name="stop" />
            <span className="sr-only">Stop the answer</span>
          </button>
        ) : (
          <button
            type="submit"
            disabled={!canSend}
            className="btn btn-solid size-10 rounded-full p-0"
          >
            <Icon name="send" />
            <span className="sr-only">Send</span>
          </button>
        )}
      </div>
      <div className="mt-2 flex min-h-5 flex-wrap justify-between gap-x-4 px-3 text-xs text-faint">
        <p id={wordsId}>{words}</p>
        {aside}
      </div>
    </form>
  );
}
