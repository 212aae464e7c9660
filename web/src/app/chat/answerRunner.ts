// SPDX-License-Identifier: Apache-2.0
import { asError } from "../../base/error";
import { AnswerFailed, type AnswerFacts, type ChatBackend, type ChatRequest } from "./backend";
import { messagesBefore, newMessage, withMessage, withMessages } from "./conversation";
import type { ConversationStore } from "./conversationStore";
import type { Conversation, Message } from "./types";

/**
 * What is sent: questions and answers in turn. A question whose answer failed or was stopped before
 * its first word is left out with it, since many models' templates refuse two questions in a row.
 */
export function requestOf(conversation: Conversation): ChatRequest {
  const { messages, settings, onHardware } = conversation;
  const isUnanswered = (at: number) => {
    const next = messages[at + 1];
    return next?.role === "assistant" && next.text === "" && next.state !== "sending";
  };
  return {
    messages: messages
      .filter(
        (message, at) => message.text !== "" && !(message.role === "user" && isUnanswered(at)),
      )
      .map(({ role, text }) => ({ role, text })),
    settings,
    ...(onHardware ? { allowsSimulated: false } : {}),
  };
}

/** As the message says it. */
function failure(thrown: unknown): Partial<Message> {
  const { message, detail } = asError(thrown);
  if (!(thrown instanceof AnswerFailed)) return { state: "failed", error: message };
  const { retryAt, offersSimulated } = thrown;
  return {
    state: "failed",
    error: detail,
    ...(retryAt === undefined ? {} : { retryAt }),
    ...(offersSimulated ? { offersSimulated } : {}),
  };
}

/**
 * Answers that are under way, at most one in each conversation. They belong to the page, not to a
 * view: going elsewhere stops none.
 */
export class AnswerRunner {
  readonly #running = new Map<string, AbortController>();
  readonly #listeners = new Set<() => void>();

  constructor(
    private readonly store: ConversationStore,
    private readonly now: () => number,
  ) {}

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  isRunning(id: string): boolean {
    return this.#running.has(id);
  }

  stop(id: string): void {
    this.#running.get(id)?.abort();
  }

  /** Adds the user's message and asks. Resolves when the answer has ended, however it did. */
  async send(id: string, text: string, backend: ChatBackend): Promise<void> {
    if (this.#running.has(id)) return;
    const question = newMessage("user", text, this.now());
    this.store.change(id, (before) => withMessages(before, [question], this.now()));
    await this.#answer(id, backend);
  }

  /**
   * Answers once more: drops the answer, and what came after it. `choosesSimulated`: the user wants it
   * from nodes whose TEEs are simulated, and the conversation is one with such from then on.
   */
  async regenerate(
    id: string,
    messageId: string,
    backend: ChatBackend,
    choosesSimulated = false,
  ): Promise<void> {
    if (this.#running.has(id)) return;
    this.store.truncate(id, messageId);
    await this.#answer(id, backend, choosesSimulated);
  }

  /** Asks something else in a message's place: drops it, and what came after it. */
  async edit(id: string, messageId: string, text: string, backend: ChatBackend): Promise<void> {
    if (this.#running.has(id)) return;
    const question = newMessage("user", text, this.now());
    this.store.change(id, (before) =>
      withMessages(
        { ...before, messages: messagesBefore(before, messageId) },
        [question],
        this.now(),
      ),
    );
    await this.#answer(id, backend);
  }

  async #answer(id: string, backend: ChatBackend, choosesSimulated = false): Promise<void> {
    const answer = newMessage("assistant", "", this.now());
    const asked = this.store.change(id, (before) => ({
      ...withMessages(before, [answer], this.now()),
      ...(backend.model === undefined ? {} : { model: backend.model }),
      ...(choosesSimulated
        ? { onHardware: false }
        : backend.isHardware
          ? { onHardware: true }
          : {}),
    }));
    const request = requestOf(asked);
    if (choosesSimulated) request.allowsSimulated = true;
    const controller = new AbortController();
    this.#running.set(id, controller);
    this.#emit();
    let hasText = false;
    const onText = (text: string) => {
      if (!hasText) this.#set(id, answer.id, { state: "streaming" });
      hasText = true;
      this.store.append(id, answer.id, text);
    };
    const tell = (facts: AnswerFacts) => this.#set(id, answer.id, facts);
    try {
      const end = await backend.ask(request, onText, controller.signal, tell);
      this.#set(id, answer.id, { ...end, state: "done" });
    } catch (thrown) {
      this.#set(id, answer.id, controller.signal.aborted ? { state: "stopped" } : failure(thrown));
    } finally {
      this.#running.delete(id);
      this.#emit();
    }
  }

  /** A conversation that was deleted meanwhile has nothing to be told, and leaves no receipts. */
  #set(id: string, messageId: string, change: Partial<Message>): void {
    if (this.store.conversation(id) === undefined) {
      if (change.receipts) this.store.dropReceipts(change.receipts);
      return;
    }
    this.store.change(id, (before) =>
      withMessage(before, messageId, (message) => ({ ...message, ...change })),
    );
  }

  #emit(): void {
    for (const listener of this.#listeners) listener();
  }
}
