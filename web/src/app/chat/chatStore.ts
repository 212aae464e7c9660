// SPDX-License-Identifier: Apache-2.0
import { forgetAll, forgetReceipts } from "../explorer/handover";
import { proofShelf } from "../proof/proofShelf";
import { AnswerRunner } from "./answerRunner";
import { receiptsOf } from "./conversation";
import { ConversationStore, type StoreClock, storeLimits } from "./conversationStore";
import { openStorage } from "./indexedDbStorage";
import type { ConversationStorage } from "./storage";

export interface Chat {
  store: ConversationStore;
  runner: AnswerRunner;
}

const saveDelayMs = 400;

const clock: StoreClock = {
  now: () => Math.floor(Date.now() / 1000),
  later: (run) => void setTimeout(run, saveDelayMs),
  // A page in the background draws no frames; its answers go on all the same.
  nextFrame: (run) => void (document.hidden ? setTimeout(run, 100) : requestAnimationFrame(run)),
};

/** Drops what this browser has of answers that are gone, receipts with the tokens of their prompts. */
function forgetAnswers(receiptIds: readonly string[]): Promise<void> {
  proofShelf.forget(receiptIds);
  return forgetReceipts(receiptIds);
}

/**
 * What is kept of answers elsewhere in this browser, receipts with the tokens of their prompts, goes
 * with the conversations.
 */
function alone(storage: ConversationStorage): ConversationStorage {
  return {
    isKept: storage.isKept,
    summaries: () => storage.summaries(),
    get: (id) => storage.get(id),
    put: (conversation) => storage.put(conversation),
    remove: async (id) => {
      const [gone] = await Promise.all([storage.get(id), storage.remove(id)]);
      await forgetAnswers(gone ? receiptsOf(gone) : []);
    },
    clear: async () => {
      proofShelf.clear();
      await Promise.all([storage.clear(), forgetAll()]);
    },
  };
}

/** Tells other tabs what was written. */
function announced(storage: ConversationStorage, channel: BroadcastChannel): ConversationStorage {
  const tell = async (written: Promise<void>) => {
    await written;
    channel.postMessage("changed");
  };
  return {
    isKept: storage.isKept,
    summaries: () => storage.summaries(),
    get: (id) => storage.get(id),
    put: (conversation) => tell(storage.put(conversation)),
    remove: (id) => tell(storage.remove(id)),
    clear: () => tell(storage.clear()),
  };
}

async function open(): Promise<Chat> {
  const channel = new BroadcastChannel("teetee.conversations");
  const storage = announced(alone(await openStorage()), channel);
  const store = new ConversationStore(
    storage,
    clock,
    storeLimits,
    (receiptIds) => void forgetAnswers(receiptIds),
  );
  channel.onmessage = () => {
    void store.load();
    for (const { id } of store.state().summaries) void store.reopen(id);
  };
  addEventListener("pagehide", () => void store.save());
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) void store.save();
  });
  await store.load();
  return { store, runner: new AnswerRunner(store, clock.now) };
}

let opened: Promise<Chat> | undefined;

/** The one store of this page, opened at the first call. */
export function openChat(): Promise<Chat> {
  opened ??= open();
  return opened;
}
