// SPDX-License-Identifier: Apache-2.0
import type { Conversation, ConversationSummary } from "./types";

/**
 * Where conversations are kept. Calls of one storage take effect in their order. Rejections are
 * TeeTeeErrors `io_failed`: no text of a conversation is ever in them.
 */
export interface ConversationStorage {
  /** False where everything is gone with the page. */
  readonly isKept: boolean;
  /** In no order. */
  summaries(): Promise<ConversationSummary[]>;
  get(id: string): Promise<Conversation | undefined>;
  put(conversation: Conversation): Promise<void>;
  remove(id: string): Promise<void>;
  clear(): Promise<void>;
}

/** Characters that a conversation's texts have: what it counts towards the store's limit. */
export function countCharacters(conversation: Conversation): number {
  const { systemPrompt = "" } = conversation.settings;
  return conversation.messages.reduce(
    (sum, message) => sum + message.text.length,
    conversation.title.length + systemPrompt.length,
  );
}

export function summarise(conversation: Conversation): ConversationSummary {
  const { id, title, created, updated } = conversation;
  return { id, title, created, updated, characters: countCharacters(conversation) };
}

/** For browsers that let the page keep nothing, and for tests. */
export class MemoryStorage implements ConversationStorage {
  readonly isKept = false;
  readonly #conversations = new Map<string, Conversation>();

  async summaries(): Promise<ConversationSummary[]> {
    return [...this.#conversations.values()].map(summarise);
  }

  async get(id: string): Promise<Conversation | undefined> {
    return structuredClone(this.#conversations.get(id));
  }

  async put(conversation: Conversation): Promise<void> {
    this.#conversations.set(conversation.id, structuredClone(conversation));
  }

  async remove(id: string): Promise<void> {
    this.#conversations.delete(id);
  }

  async clear(): Promise<void> {
    this.#conversations.clear();
  }
}
