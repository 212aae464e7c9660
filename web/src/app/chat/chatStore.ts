// SPDX-License-Identifier: Apache-2.0
import { AnswerRunner } from "./answerRunner";
import { ConversationStore, type StoreClock } from "./conversationStore";
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
  const store = new ConversationStore(announced(await openStorage(), channel), clock);
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
