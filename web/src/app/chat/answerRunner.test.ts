// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { TeeTeeError } from "../../base/error";
import { AnswerRunner } from "./answerRunner";
import { AnswerFailed, type AnswerFacts, type ChatBackend, type ChatRequest } from "./backend";
import { ConversationStore, storeLimits } from "./conversationStore";
import { MemoryStorage } from "./storage";

/** Text is joined at once and nothing is written: the runner alone is looked at. */
const clock = { now: () => 7, later: () => {}, nextFrame: (run: () => void) => run() };

function world(ask: ChatBackend["ask"]) {
  const dropped: string[] = [];
  const drop = (receiptIds: readonly string[]) => void dropped.push(...receiptIds);
  const store = new ConversationStore(new MemoryStorage(), clock, storeLimits, drop);
  const runner = new AnswerRunner(store, clock.now);
  const backend: ChatBackend = { isReady: true, words: "", model: "story", ask };
  const { id } = store.create({ temperature: 0 });
  const messages = () => store.conversation(id)?.messages ?? [];
  return { store, runner, backend, id, messages, dropped };
}

describe("AnswerRunner", () => {
  it("sends what was said, streams the answer, and keeps how it ended", async () => {
    const requests: ChatRequest[] = [];
    const { runner, backend, id, messages, store } = world(async (request, onText) => {
      requests.push(request);
      onText("Once ");
      onText("upon");
      return { receipts: ["r1"], usage: { promptTokens: 3, completionTokens: 2 }, cost: 16 };
    });
    await runner.send(id, "Tell", backend);
    await runner.send(id, "More", backend);
    expect(requests[0]).toEqual({
      messages: [{ role: "user", text: "Tell" }],
      settings: { temperature: 0 },
    });
    expect(requests[1]?.messages.map(({ text }) => text)).toEqual(["Tell", "Once upon", "More"]);
    expect(messages()[1]).toMatchObject({
      text: "Once upon",
      state: "done",
      receipts: ["r1"],
      cost: 16,
    });
    expect(store.conversation(id)?.model).toBe("story");
  });

  it("keeps what came before a stop, and says nothing of an error", async () => {
    const { runner, backend, id, messages } = world(
      (_, onText, signal) =>
        new Promise((__, reject) => {
          onText("half");
          signal.addEventListener("abort", () => reject(signal.reason as Error));
        }),
    );
    const asked = runner.send(id, "Tell", backend);
    expect(runner.isRunning(id)).toBe(true);
    await runner.send(id, "Twice", backend);
    runner.stop(id);
    await asked;
    expect(runner.isRunning(id)).toBe(false);
    expect(messages()).toHaveLength(2);
    expect(messages()[1]).toMatchObject({ text: "half", state: "stopped" });
    expect(messages()[1]?.error).toBeUndefined();
  });

  it("says why an answer failed", async () => {
    const { runner, backend, id, messages } = world(() =>
      Promise.reject(new TeeTeeError("route_unavailable", "route: have 1 of 2 shards")),
    );
    await runner.send(id, "Tell", backend);
    expect(messages()[1]).toMatchObject({
      state: "failed",
      error: "route_unavailable: route: have 1 of 2 shards",
    });
  });

  it("says in words for people why one failed, and when to try again", async () => {
    const { runner, backend, id, messages } = world(() =>
      Promise.reject(new AnswerFailed("overloaded", "The network is full just now.", 99)),
    );
    await runner.send(id, "Tell", backend);
    expect(messages()[1]).toMatchObject({
      state: "failed",
      error: "The network is full just now.",
      retryAt: 99,
    });
  });

  it("keeps what becomes known of an answer while it comes, and later", async () => {
    let tellLater: (facts: AnswerFacts) => void = () => {};
    const { runner, backend, id, messages } = world(async (_, onText, __, tell) => {
      onText("yes");
      tell({ receipts: ["r1"] });
      tellLater = tell;
      return { note: "short" };
    });
    await runner.send(id, "Tell", backend);
    expect(messages()[1]).toMatchObject({ state: "done", receipts: ["r1"], note: "short" });
    tellLater({ cost: 7 });
    expect(messages()[1]).toMatchObject({ state: "done", receipts: ["r1"], cost: 7 });
  });

  it("goes to simulated TEEs with what was begun on hardware only if the user says so", async () => {
    const requests: ChatRequest[] = [];
    const { runner, backend, id, messages, store } = world(async (request, onText) => {
      requests.push(request);
      if (requests.length === 2) {
        throw new AnswerFailed("simulated_rejected", "told nothing", undefined, true);
      }
      onText("yes");
      return {};
    });
    const allowed = () => requests.at(-1)?.allowsSimulated;
    await runner.send(id, "a", { ...backend, isHardware: true });
    expect(allowed()).toBe(false);
    // The page may by now be connected to other nodes.
    await runner.send(id, "b", { ...backend, isHardware: false });
    expect(allowed()).toBe(false);
    expect(messages()[3]).toMatchObject({ state: "failed", offersSimulated: true });
    await runner.regenerate(id, messages()[3]?.id ?? "", backend, true);
    expect(allowed()).toBe(true);
    expect(messages()[3]).toMatchObject({ text: "yes", state: "done" });
    expect(store.conversation(id)?.onHardware).toBe(false);
    await runner.send(id, "c", backend);
    expect(allowed()).toBeUndefined();
    await runner.send(id, "d", { ...backend, isHardware: true });
    expect(allowed()).toBe(false);
  });

  it("leaves out a question that got no word for an answer", async () => {
    const requests: ChatRequest[] = [];
    const { runner, backend, id } = world(async (request, onText) => {
      requests.push(request);
      if (requests.length === 1) throw new TeeTeeError("overloaded", "entry: have no room");
      onText("yes");
      return {};
    });
    await runner.send(id, "a", backend);
    await runner.send(id, "b", backend);
    expect(requests[1]?.messages).toEqual([{ role: "user", text: "b" }]);
  });

  it("answers again, and asks something else in a message's place", async () => {
    let count = 0;
    const { runner, backend, id, messages, dropped } = world(async (request, onText) => {
      count += 1;
      onText(`${request.messages.at(-1)?.text} ${count}`);
      return { receipts: [`r${count}`] };
    });
    const texts = () => messages().map(({ text }) => text);
    await runner.send(id, "a", backend);
    await runner.send(id, "b", backend);
    await runner.regenerate(id, messages()[3]?.id ?? "", backend);
    expect(texts()).toEqual(["a", "a 1", "b", "b 3"]);
    // Nothing deletes these with the conversation later: it does not know of them any more.
    expect(dropped).toEqual(["r2"]);
    await runner.edit(id, messages()[0]?.id ?? "", "c", backend);
    expect(texts()).toEqual(["c", "c 4"]);
    expect(dropped).toEqual(["r2", "r1", "r3"]);
  });

  it("survives that its conversation is deleted under way", async () => {
    let go = () => {};
    const { runner, backend, id, store, dropped } = world(
      () => new Promise((resolve) => (go = () => resolve({ receipts: ["r1"] }))),
    );
    const asked = runner.send(id, "Tell", backend);
    await store.remove(id);
    go();
    await asked;
    expect(store.state().summaries).toEqual([]);
    expect(dropped).toEqual(["r1"]);
  });
});
