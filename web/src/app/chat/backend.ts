// SPDX-License-Identifier: Apache-2.0
import { createContext, useContext, type ReactNode } from "react";
import { TeeTeeError } from "../../base/error";
import type { ChatSettings, Message, Usage } from "./types";

export interface ChatRequest {
  /** Without the system prompt, which is among the settings. Ends with one of the user. */
  messages: readonly { role: Message["role"]; text: string }[];
  settings: ChatSettings;
  /**
   * Whether nodes with simulated TEEs may be told: true where the user has chosen so, false where the
   * conversation was held with hardware; absent: if those that are connected are simulated.
   */
  allowsSimulated?: boolean;
}

/** What is known of an answer beyond its text; all absent where the entry told nothing. */
export interface AnswerFacts {
  receipts?: string[];
  /** Of the requests that were sent for them, SHA-256 in hex. */
  requestHashes?: string[];
  /** Of the entries that they were sent to. */
  entryUrls?: string[];
  usage?: Usage;
  /** Credits. */
  cost?: number;
  /** What the user should know of how it ended. */
  note?: string;
}

/** Why there is no answer, or no whole one; `detail` is for people. */
export class AnswerFailed extends TeeTeeError {
  constructor(
    code: string,
    detail: string,
    /** From when on asking again makes sense, Unix seconds. */
    readonly retryAt?: number | undefined,
    /** Nodes with simulated TEEs could answer, if the user chooses so. */
    readonly offersSimulated = false,
  ) {
    super(code, detail);
    this.name = "AnswerFailed";
  }
}

/** What chat asks. Whoever talks to entries provides one by `ChatBackendContext`. */
export interface ChatBackend {
  /** Whether a prompt may be sent now: the route is verified and the answer can be paid. */
  isReady: boolean;
  /** One sentence under the composer: to whom prompts go, or why they go nowhere. */
  words: string;
  /** Beside that sentence: model, balance, what the next answer may cost. */
  aside?: ReactNode;
  /** The model's name, kept with the conversation. */
  model?: string;
  /** The connected nodes' TEEs are hardware, every one. */
  isHardware?: boolean;
  /**
   * Asks and streams; `onText` gets every piece once, in order. `tell` gets what becomes known while
   * it is answered, or later. Rejects with a TeeTeeError, or with the signal's reason once that is
   * aborted.
   */
  ask(
    request: ChatRequest,
    onText: (text: string) => void,
    signal: AbortSignal,
    tell: (facts: AnswerFacts) => void,
  ): Promise<AnswerFacts>;
  /**
   * The proof of an answer, shown below it on demand. `wasOnHardware`: its conversation was held with
   * hardware, at least once.
   */
  renderProof?(message: Message, wasOnHardware: boolean): ReactNode;
  /** What the proof comes to, in a word. */
  renderVerdict?(message: Message): ReactNode;
  /** In the head of the page: which model is asked. */
  head?: ReactNode;
  /** Before the first question: to whom it would go. */
  welcome?: ReactNode;
  /** Above the composer: what has to be done before something can be asked. */
  step?: ReactNode;
}

/** Where nothing is connected: prompts can be written, and go nowhere. */
export const noBackend: ChatBackend = {
  isReady: false,
  words: "No entry is connected, so nothing can be sent yet. What you write stays in this browser.",
  ask: () => Promise.reject(new Error("no entry is connected")),
};

export const ChatBackendContext = createContext<ChatBackend>(noBackend);

export function useChatBackend(): ChatBackend {
  return useContext(ChatBackendContext);
}
