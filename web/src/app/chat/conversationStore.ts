// SPDX-License-Identifier: Apache-2.0
import { asError, fail } from "../../base/error";
import {
  messagesBefore,
  newConversation,
  receiptsOf,
  settled,
  titleOf,
  withMessage,
} from "./conversation";
import { summarise, type ConversationStorage } from "./storage";
import type { ChatSettings, Conversation, ConversationSummary } from "./types";

export interface StoreLimits {
  conversations: number;
  /** Of all conversations together. */
  characters: number;
  messagesPerConversation: number;
}

export const storeLimits: StoreLimits = {
  conversations: 500,
  characters: 32 << 20,
  messagesPerConversation: 2000,
};

export interface StoreState {
  isLoaded: boolean;
  /** False where the browser keeps nothing for the page. */
  isKept: boolean;
  /** Latest first. */
  summaries: readonly ConversationSummary[];
  /** What the user should know: something was not kept, or made room. */
  notice?: string;
}

/** How changes wait: a real page passes timers and animation frames, tests what they like. */
export interface StoreClock {
  /** Unix seconds. */
  now(): number;
  /** Calls once, a little later; for writing to storage. */
  later(run: () => void): void;
  /** Calls once, before the next picture is drawn; for text that streams. */
  nextFrame(run: () => void): void;
}

/**
 * The conversations of this browser. Reading is by snapshot: objects are never changed, so that the
 * same object means the same content. Changes are seen and written at once; text that streams, with
 * the next frame and a little later.
 */
export class ConversationStore {
  #state: StoreState;
  readonly #open = new Map<string, Conversation>();
  readonly #unsaved = new Set<string>();
  readonly #pending = new Map<string, { conversation: string; message: string; text: string }>();
  readonly #listeners = new Set<() => void>();
  #isFrameWanted = false;
  #isSaveWanted = false;

  constructor(
    private readonly storage: ConversationStorage,
    private readonly clock: StoreClock,
    private readonly limits: StoreLimits = storeLimits,
    /** Is told ids of receipts whose answers are gone, while storage does not hear of it. */
    readonly dropReceipts: (receiptIds: readonly string[]) => void = () => {},
  ) {
    this.#state = { isLoaded: false, isKept: storage.isKept, summaries: [] };
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly state = (): StoreState => this.#state;

  /** What is open of a conversation; `undefined` until `open` has read it. */
  conversation(id: string): Conversation | undefined {
    return this.#open.get(id);
  }

  /** Reads the list; again whenever another tab has changed it. */
  async load(): Promise<void> {
    try {
      const read = await this.storage.summaries();
      const unsaved = [...this.#unsaved].flatMap((id) => this.#open.get(id) ?? []);
      const others = read.filter((summary) => !this.#unsaved.has(summary.id));
      this.#setSummaries([...others, ...unsaved.map(summarise)], { isLoaded: true });
    } catch (thrown) {
      this.#notice(`Conversations could not be read: ${asError(thrown).detail}`, true);
    }
  }

  /** Reads a conversation for use; `undefined` where there is none. */
  async open(id: string): Promise<Conversation | undefined> {
    const known = this.#open.get(id);
    if (known !== undefined) return known;
    const read = await this.storage.get(id);
    const raced = this.#open.get(id);
    if (raced !== undefined || read === undefined) return raced;
    const conversation = settled(read);
    this.#open.set(id, conversation);
    this.#emit();
    return conversation;
  }

  /** Reads what another tab has written, unless this one has changes of its own. */
  async reopen(id: string): Promise<void> {
    if (this.#unsaved.has(id) || !this.#open.has(id)) return;
    const read = await this.storage.get(id);
    if (this.#unsaved.has(id)) return;
    if (read === undefined) this.#open.delete(id);
    else this.#open.set(id, read);
    this.#emit();
  }

  /** A new one. It is neither listed nor kept before it has a message. */
  create(settings: ChatSettings = {}): Conversation {
    const conversation = newConversation(this.clock.now(), settings);
    this.#open.set(conversation.id, conversation);
    return conversation;
  }

  /** Changes an open conversation; `not_found` for one that is not, `limit_exceeded` when full. */
  change(id: string, change: (before: Conversation) => Conversation): Conversation {
    this.#flush();
    const before = this.#open.get(id);
    if (before === undefined) return fail("not_found", "conversation: have none that is open");
    const after = change(before);
    const { messagesPerConversation: need } = this.limits;
    if (after.messages.length > need) {
      fail(
        "limit_exceeded",
        `conversation: have ${after.messages.length} messages, need at most ${need}`,
      );
    }
    this.#replace(after);
    const stay = new Set(receiptsOf(after));
    const gone = receiptsOf(before).filter((receiptId) => !stay.has(receiptId));
    if (gone.length > 0) this.dropReceipts(gone);
    // What the user did is written at once; only text that streams waits.
    void this.save();
    return after;
  }

  /** Adds text to a message; many calls a frame are one change. */
  append(id: string, messageId: string, text: string): void {
    const waiting = this.#pending.get(messageId);
    if (waiting === undefined)
      this.#pending.set(messageId, { conversation: id, message: messageId, text });
    else waiting.text += text;
    if (this.#isFrameWanted) return;
    this.#isFrameWanted = true;
    this.clock.nextFrame(() => {
      this.#isFrameWanted = false;
      this.#flush();
    });
  }

  rename(id: string, title: string): void {
    const name = titleOf(title);
    if (name === "") return;
    this.change(id, (before) => ({ ...before, title: name, named: true }));
  }

  /** Drops a message and all behind it: what an edit or a new answer starts from. */
  truncate(id: string, messageId: string): Conversation {
    return this.change(id, (before) => ({
      ...before,
      messages: messagesBefore(before, messageId),
    }));
  }

  async remove(id: string): Promise<void> {
    this.#forget(id);
    this.#setSummaries(this.#state.summaries.filter((summary) => summary.id !== id));
    await this.#write(() => this.storage.remove(id));
  }

  /** Deletes everything, in this browser, for good. */
  async clear(): Promise<void> {
    this.#open.clear();
    this.#unsaved.clear();
    this.#pending.clear();
    this.#setSummaries([]);
    await this.#write(() => this.storage.clear());
  }

  /** Ids of the conversations with the words in title or text, upper and lower case alike. */
  async search(words: string): Promise<string[]> {
    const need = words.trim().toLocaleLowerCase();
    const found: string[] = [];
    for (const { id, title } of this.#state.summaries) {
      const has = (text: string) => text.toLocaleLowerCase().includes(need);
      const conversation = has(title) ? undefined : await this.read(id);
      if (has(title) || conversation?.messages.some((message) => has(message.text))) found.push(id);
    }
    return found;
  }

  /** Everything as a JSON text for a file, or one conversation of it. */
  async export(id?: string): Promise<string> {
    const ids = id === undefined ? this.#state.summaries.map((summary) => summary.id) : [id];
    const conversations: Conversation[] = [];
    for (const each of ids) {
      const conversation = await this.read(each);
      if (conversation !== undefined) conversations.push(conversation);
    }
    return `${JSON.stringify({ teetee: "conversations", version: 1, conversations }, null, 2)}\n`;
  }

  /** Writes what has changed now; for the moment at which the page goes. */
  async save(): Promise<void> {
    this.#flush();
    const unsaved = [...this.#unsaved].flatMap((id) => this.#open.get(id) ?? []);
    this.#unsaved.clear();
    // All are handed over before anything is waited for: a page that goes may not come back here.
    await Promise.all(unsaved.map((each) => this.#write(() => this.storage.put(each))));
  }

  dismissNotice(): void {
    const { notice: _, ...state } = this.#state;
    this.#state = state;
    this.#emit();
  }

  /** A conversation as it is, without keeping it open. */
  private async read(id: string): Promise<Conversation | undefined> {
    return this.#open.get(id) ?? (await this.storage.get(id));
  }

  #flush(): void {
    const waiting = [...this.#pending.values()];
    this.#pending.clear();
    for (const { conversation: id, message, text } of waiting) {
      const before = this.#open.get(id);
      if (before === undefined) continue;
      this.#open.set(
        id,
        withMessage(before, message, (old) => ({ ...old, text: old.text + text })),
      );
      // The list says nothing that changes with every token: it follows with the next change.
      this.#unsaved.add(id);
    }
    if (waiting.length === 0) return;
    this.#emit();
    this.#saveLater();
  }

  #replace(conversation: Conversation): void {
    this.#open.set(conversation.id, conversation);
    if (conversation.messages.length === 0 && !this.#isListed(conversation.id)) {
      this.#emit();
      return;
    }
    this.#unsaved.add(conversation.id);
    const others = this.#state.summaries.filter((summary) => summary.id !== conversation.id);
    this.#setSummaries([...others, summarise(conversation)]);
    this.#saveLater();
  }

  #saveLater(): void {
    if (this.#isSaveWanted) return;
    this.#isSaveWanted = true;
    this.clock.later(() => {
      this.#isSaveWanted = false;
      void this.#saveAndMakeRoom();
    });
  }

  #isListed(id: string): boolean {
    return this.#state.summaries.some((summary) => summary.id === id);
  }

  async #saveAndMakeRoom(): Promise<void> {
    await this.save();
    const latest = this.#state.summaries;
    let characters = latest.reduce((sum, summary) => sum + summary.characters, 0);
    let count = latest.length;
    // From the oldest on, but never the one that was changed last.
    for (const summary of latest.slice(1).toReversed()) {
      if (count <= this.limits.conversations && characters <= this.limits.characters) return;
      characters -= summary.characters;
      count -= 1;
      await this.remove(summary.id);
      this.#notice(
        "The oldest conversations made room for new ones. Export those that you want to keep.",
      );
    }
  }

  #forget(id: string): void {
    this.#open.delete(id);
    this.#unsaved.delete(id);
    for (const [key, waiting] of this.#pending) {
      if (waiting.conversation === id) this.#pending.delete(key);
    }
  }

  async #write(write: () => Promise<void>): Promise<void> {
    try {
      await write();
    } catch (thrown) {
      this.#notice(`The last change is not kept: ${asError(thrown).detail}`);
    }
  }

  #setSummaries(summaries: readonly ConversationSummary[], more: Partial<StoreState> = {}): void {
    const sorted = summaries.toSorted((a, b) => b.updated - a.updated || (a.id < b.id ? -1 : 1));
    this.#state = { ...this.#state, ...more, summaries: sorted };
    this.#emit();
  }

  #notice(notice: string, isLoaded = this.#state.isLoaded): void {
    this.#state = { ...this.#state, notice, isLoaded };
    this.#emit();
  }

  #emit(): void {
    for (const listener of this.#listeners) listener();
  }
}
