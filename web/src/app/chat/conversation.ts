// SPDX-License-Identifier: Apache-2.0
import type { ChatSettings, Conversation, Message } from "./types";

const titleLimit = 60;

export function randomId(): string {
  return crypto.randomUUID();
}

export function newConversation(now: number, settings: ChatSettings = {}): Conversation {
  return {
    id: randomId(),
    title: "New conversation",
    named: false,
    created: now,
    updated: now,
    settings,
    messages: [],
  };
}

export function newMessage(role: Message["role"], text: string, now: number): Message {
  const state = role === "user" ? "done" : "sending";
  return { id: randomId(), role, text, state, created: now };
}

/** The first line of a text, cut at a word. */
export function titleOf(text: string): string {
  const line = text.trim().replace(/\s+/g, " ");
  if (line.length <= titleLimit) return line;
  const cut = line.slice(0, titleLimit);
  const space = cut.lastIndexOf(" ");
  return `${space > titleLimit / 2 ? cut.slice(0, space) : cut}…`;
}

/** Adds messages; the first one of the user names a conversation that the user has not named. */
export function withMessages(
  conversation: Conversation,
  messages: readonly Message[],
  now: number,
): Conversation {
  const all = [...conversation.messages, ...messages];
  const first = all.find((message) => message.role === "user")?.text ?? "";
  const title = conversation.named || first.trim() === "" ? conversation.title : titleOf(first);
  return { ...conversation, title, updated: now, messages: all };
}

/** What stands before a message, without it. The whole where there is no such message. */
export function messagesBefore(conversation: Conversation, messageId: string): Message[] {
  const at = conversation.messages.findIndex((message) => message.id === messageId);
  return at < 0 ? conversation.messages : conversation.messages.slice(0, at);
}

/** Ids of all receipts of its answers. */
export function receiptsOf({ messages }: Conversation): string[] {
  return messages.flatMap(({ receipts = [] }) => receipts);
}

export function withMessage(
  conversation: Conversation,
  messageId: string,
  change: (message: Message) => Message,
): Conversation {
  return {
    ...conversation,
    messages: conversation.messages.map((message) =>
      message.id === messageId ? change(message) : message,
    ),
  };
}

/** As it is read from storage: an answer that was under way when the page went is stopped. */
export function settled(conversation: Conversation): Conversation {
  const messages = conversation.messages.map((message): Message => {
    const isOpen = message.state === "streaming" || message.state === "sending";
    return isOpen ? { ...message, state: "stopped" } : message;
  });
  return { ...conversation, messages };
}
