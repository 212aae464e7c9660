// SPDX-License-Identifier: Apache-2.0
import { useEffect, useLayoutEffect, useRef, useState } from "react";
import { Icon } from "../ui/Icon";
import { MessageView, type MessageActions } from "./MessageView";
import type { Message } from "./types";

/** Closer to the end than this is at the end. */
const nearPixels = 48;

interface Props extends MessageActions {
  /** Another conversation starts at its end. */
  conversationId: string;
  messages: readonly Message[];
}

/** Follows the text that streams in as long as the user is at the end, and not once they scroll up. */
export function MessageList({ conversationId, messages, ...actions }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const inner = useRef<HTMLDivElement>(null);
  const follows = useRef(true);
  const lastTop = useRef(0);
  const [isAway, setIsAway] = useState(false);
  const toEnd = () => {
    if (box.current === null) return;
    box.current.scrollTop = box.current.scrollHeight;
    lastTop.current = box.current.scrollTop;
  };
  useLayoutEffect(() => {
    follows.current = true;
    toEnd();
  }, [conversationId]);
  useEffect(() => {
    if (inner.current === null) return;
    const observer = new ResizeObserver(() => {
      if (follows.current) toEnd();
    });
    observer.observe(inner.current);
    return () => observer.disconnect();
  }, []);
  const onScroll = () => {
    const { scrollTop = 0, scrollHeight = 0, clientHeight = 0 } = box.current ?? {};
    const below = scrollHeight - scrollTop - clientHeight;
    // The first pixel upwards is the user's wish; only the page itself ever moves down to the end.
    const isGoingUp = scrollTop < lastTop.current && below > 1;
    lastTop.current = scrollTop;
    follows.current = !isGoingUp && below < nearPixels;
    setIsAway(!follows.current);
  };
  const last = messages.at(-1);
  return (
    <div className="relative min-h-0 flex-1">
      <div
        ref={box}
        onScroll={onScroll}
        role="log"
        aria-live="off"
        aria-label="Conversation"
        tabIndex={0}
        className="h-full overflow-y-auto overscroll-contain px-4 [scrollbar-gutter:stable] -outline-offset-2"
      >
        <div ref={inner} className="mx-auto flex max-w-3xl flex-col gap-6 py-8">
          {messages.map((message) => (
            <MessageView key={message.id} message={message} {...actions} />
          ))}
        </div>
      </div>
      <p role="status" className="sr-only">
        {last?.role === "assistant" ? stateWords[last.state] : ""}
      </p>
      {isAway ? (
        <button
          type="button"
          onClick={() => {
            follows.current = true;
            toEnd();
          }}
          className="btn absolute bottom-3 left-1/2 size-9 min-h-0 -translate-x-1/2 rounded-full border-line-strong bg-surface p-0 shadow-md"
        >
          <Icon name="arrowDown" className="size-4" />
          <span className="sr-only">To the end of the conversation</span>
        </button>
      ) : null}
    </div>
  );
}

const stateWords: Record<Message["state"], string> = {
  sending: "The question is sent.",
  streaming: "The answer is being written.",
  done: "The answer is complete.",
  stopped: "The answer was stopped.",
  failed: "The answer broke off.",
};
