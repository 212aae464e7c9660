// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { TeeTeeError } from "../../base/error";
import { newMessage, titleOf, withMessages } from "./conversation";
import {
  ConversationStore,
  storeLimits,
  type StoreClock,
  type StoreLimits,
} from "./conversationStore";
import { MemoryStorage, type ConversationStorage } from "./storage";

/** Time that stands still until it is told; what waits runs by `run`. */
class TestClock implements StoreClock {
  seconds = 1000;
  #waiting: (() => void)[] = [];
  now = () => this.seconds;
  later = (run: () => void) => void this.#waiting.push(run);
  nextFrame = (run: () => void) => void this.#waiting.push(run);
  async run(): Promise<void> {
    for (const run of this.#waiting.splice(0)) run();
    // Storage in memory answers within a few microtasks.
    await new Promise((done) => setTimeout(done, 0));
  }
}

function world(
  limits: Partial<StoreLimits> = {},
  storage: ConversationStorage = new MemoryStorage(),
) {
  const clock = new TestClock();
  const store = new ConversationStore(storage, clock, { ...storeLimits, ...limits });
  const say = (text: string) => {
    const { id } = store.create();
    clock.seconds += 1;
    const message = newMessage("user", text, clock.now());
    store.change(id, (before) => withMessages(before, [message], clock.now()));
    return { id, messageId: message.id };
  };
  return { clock, store, storage, say };
}

const titles = (store: ConversationStore) => store.state().summaries.map(({ title }) => title);

describe("ConversationStore", () => {
  it("lists and keeps a conversation once it has a message, and not before", async () => {
    const { clock, store, storage, say } = world();
    store.create();
    await clock.run();
    expect(store.state().summaries).toEqual([]);
    const { id } = say("Of cats");
    expect(titles(store)).toEqual(["Of cats"]);
    expect((await storage.get(id))?.messages[0]?.text).toBe("Of cats");
  });

  it("writes text that streams a little later, and when the page goes", async () => {
    const { clock, store, storage, say } = world();
    const { id, messageId } = say("a");
    const kept = async () => (await storage.get(id))?.messages[0]?.text;
    store.append(id, messageId, "b");
    expect(await kept()).toBe("a");
    await clock.run();
    await clock.run();
    expect(await kept()).toBe("ab");
    store.append(id, messageId, "c");
    await store.save();
    expect(await kept()).toBe("abc");
  });

  it("is read again by another store", async () => {
    const { clock, storage, say } = world();
    const { id } = say("Of cats");
    await clock.run();
    const { store } = world({}, storage);
    await store.load();
    expect(titles(store)).toEqual(["Of cats"]);
    expect((await store.open(id))?.messages).toHaveLength(1);
    expect(await store.open("none")).toBeUndefined();
  });

  it("takes an answer that was under way for stopped when it is read", async () => {
    const { clock, store, storage, say } = world();
    const { id } = say("Of cats");
    const answer = { ...newMessage("assistant", "", 1), state: "streaming" as const };
    store.change(id, (before) => withMessages(before, [answer], 1));
    await clock.run();
    const read = await world({}, storage).store.open(id);
    expect(read?.messages[1]?.state).toBe("stopped");
  });

  it("joins streamed text into one change a frame, none lost when something else changes", async () => {
    const { clock, store, say } = world();
    const { id } = say("Of cats");
    const answer = newMessage("assistant", "", 1);
    store.change(id, (before) => withMessages(before, [answer], 1));
    const text = () => store.conversation(id)?.messages[1]?.text;
    let changes = 0;
    store.subscribe(() => (changes += 1));
    for (let at = 0; at < 100; at++) store.append(id, answer.id, `${at % 10}`);
    expect(changes).toBe(0);
    await clock.run();
    expect(changes).toBe(1);
    expect(text()).toBe("0123456789".repeat(10));
    store.append(id, answer.id, "x");
    store.rename(id, "Cats");
    expect(text()).toHaveLength(101);
    await clock.run();
    expect(text()).toHaveLength(101);
  });

  it("never changes an object that was handed out", () => {
    const { store, say } = world();
    const { id } = say("Of cats");
    const before = store.conversation(id);
    const copy = structuredClone(before);
    store.rename(id, "Dogs");
    expect(before).toEqual(copy);
    expect(store.conversation(id)).not.toBe(before);
  });

  it("keeps the name that the user gave", () => {
    const { store, say } = world();
    const { id } = say("Of cats");
    store.rename(id, "  My   cats ");
    store.change(id, (before) => withMessages(before, [newMessage("user", "More", 1)], 1));
    expect(titles(store)).toEqual(["My cats"]);
    store.rename(id, "   ");
    expect(titles(store)).toEqual(["My cats"]);
  });

  it("drops a message and all behind it", () => {
    const { store, say } = world();
    const { id } = say("one");
    const two = newMessage("assistant", "two", 1);
    store.change(id, (before) => withMessages(before, [two, newMessage("user", "three", 1)], 1));
    store.truncate(id, two.id);
    expect(store.conversation(id)?.messages.map(({ text }) => text)).toEqual(["one"]);
  });

  it("removes one, and everything", async () => {
    const { clock, store, storage, say } = world();
    const { id } = say("one");
    say("two");
    await clock.run();
    await store.remove(id);
    expect(titles(store)).toEqual(["two"]);
    expect(await storage.get(id)).toBeUndefined();
    await store.clear();
    expect(store.state().summaries).toEqual([]);
    expect(await storage.summaries()).toEqual([]);
  });

  it("writes nothing of what was deleted while it waited", async () => {
    const { clock, store, storage, say } = world();
    const { id, messageId } = say("one");
    store.append(id, messageId, " more");
    await store.clear();
    await clock.run();
    await store.save();
    expect(await storage.summaries()).toEqual([]);
  });

  it("makes room by the oldest, by number and by characters, and says so", async () => {
    for (const limits of [{ conversations: 2 }, { characters: 30 }]) {
      const { clock, store, storage, say } = world(limits);
      for (const text of ["one two", "three four", "five six"]) {
        say(text);
        await clock.run();
      }
      const kept = 2 - ("characters" in limits ? 1 : 0);
      expect(titles(store)).toEqual(["five six", "three four"].slice(0, kept));
      expect(await storage.summaries()).toHaveLength(kept);
      expect(store.state().notice).toMatch(/made room/);
      store.dismissNotice();
      expect(store.state().notice).toBeUndefined();
    }
  });

  it("refuses more messages than a conversation may have", () => {
    const { store, say } = world({ messagesPerConversation: 2 });
    const { id } = say("one");
    const add = () =>
      store.change(id, (before) => withMessages(before, [newMessage("user", "x", 1)], 1));
    add();
    expect(add).toThrow(TeeTeeError);
    expect(store.conversation(id)?.messages).toHaveLength(2);
  });

  it("finds words in titles and texts, also of those that are not open", async () => {
    const { clock, storage, say } = world();
    const { id } = say("Of CATS and dogs");
    say("Of nothing");
    await clock.run();
    const { store } = world({}, storage);
    await store.load();
    expect(await store.search("cats")).toEqual([id]);
    expect(await store.search(" of ")).toHaveLength(2);
    expect(await store.search("birds")).toEqual([]);
    expect(store.conversation(id)).toBeUndefined();
  });

  it("exports one or all, as they are now", async () => {
    const { store, say } = world();
    const { id } = say("one");
    say("two");
    const all = JSON.parse(await store.export()) as { conversations: { id: string }[] };
    expect(all.conversations).toHaveLength(2);
    const one = JSON.parse(await store.export(id)) as { conversations: { id: string }[] };
    expect(one.conversations.map((each) => each.id)).toEqual([id]);
  });

  it("says when something could not be kept, without its text", async () => {
    const storage = new MemoryStorage();
    storage.put = () =>
      Promise.reject(new TeeTeeError("io_failed", "browser storage: have QuotaExceededError"));
    const { clock, store, say } = world({}, storage);
    say("a secret");
    await clock.run();
    expect(store.state().notice).toMatch(/QuotaExceededError/);
    expect(store.state().notice).not.toMatch(/secret/);
  });

  it("takes what another tab wrote, but not over its own changes", async () => {
    const storage = new MemoryStorage();
    const here = world({}, storage);
    const { id } = here.say("one");
    await here.clock.run();
    const there = world({}, storage);
    await there.store.open(id);
    there.store.rename(id, "renamed there");
    await there.clock.run();
    await here.store.load();
    await here.store.reopen(id);
    expect(here.store.conversation(id)?.title).toBe("renamed there");
    here.store.rename(id, "renamed here");
    await here.store.reopen(id);
    await here.store.load();
    expect(titles(here.store)).toEqual(["renamed here"]);
  });
});

describe("titleOf", () => {
  it("cuts at a word", () => {
    expect(titleOf("word ".repeat(40))).toBe(`${"word ".repeat(11)}word…`);
    expect(titleOf("x".repeat(100))).toBe(`${"x".repeat(60)}…`);
    expect(titleOf(" a\n b ")).toBe("a b");
  });
});
