// SPDX-License-Identifier: Apache-2.0

/** How far a message is. `streaming` never outlives the page: after a reload it is `stopped`. */
export type MessageState = "sending" | "streaming" | "done" | "stopped" | "failed";

/** Tokens as the entry counted and signed them. */
export interface Usage {
  promptTokens: number;
  completionTokens: number;
  /** Of the prompt's tokens, those of the prefix cache: free. */
  cachedTokens?: number;
}

export interface Message {
  id: string;
  role: "user" | "assistant";
  text: string;
  state: MessageState;
  /** Unix seconds. */
  created: number;
  /** What went wrong, in words; only with `failed`. */
  error?: string;
  /** From when on asking again makes sense, Unix seconds; only with `failed`. */
  retryAt?: number;
  /** Nodes with simulated TEEs could answer, if the user chooses so; only with `failed`. */
  offersSimulated?: boolean;
  /** What the user should know of how it ended. */
  note?: string;
  /** Ids of the receipts of its parts, first part first. */
  receipts?: string[];
  /** SHA-256 of the request that was sent for each, hex; "" where that is not known. */
  requestHashes?: string[];
  /** URL of the entry that gave each: nobody else is asked for its receipt. Older pages kept none. */
  entryUrls?: string[];
  usage?: Usage;
  /** Credits. */
  cost?: number;
}

/** What goes with every request of a conversation; what is absent is left to the entry. */
export interface ChatSettings {
  systemPrompt?: string;
  /** 0 to 2. */
  temperature?: number;
  /** Above 0, to 1. */
  topP?: number;
  maxTokens?: number;
  seed?: number;
  /** At most 4 strings that end the answer. */
  stop?: string[];
}

export interface Conversation {
  id: string;
  title: string;
  /** Whether the user named it; otherwise the title follows the first message. */
  named: boolean;
  /** Unix seconds. */
  created: number;
  updated: number;
  /** Name of the model it was asked of, once it was. */
  model?: string;
  /** It was asked of hardware: nodes with simulated TEEs are told of it only if the user says so. */
  onHardware?: boolean;
  settings: ChatSettings;
  messages: Message[];
}

/** A line of the list of conversations. */
export type ConversationSummary = Pick<Conversation, "id" | "title" | "created" | "updated"> & {
  /** Characters of its texts: what it counts towards the store's limit. */
  characters: number;
};
