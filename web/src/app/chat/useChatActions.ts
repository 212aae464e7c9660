// SPDX-License-Identifier: Apache-2.0
import { useCallback, useEffect, useState, useSyncExternalStore } from "react";
import { asError } from "../../base/error";
import { navigate, useRoute } from "../router/useRoute";
import { useToast } from "../shell/Toasts";
import { downloadFile } from "../ui/downloadFile";
import { useChatBackend } from "./backend";
import type { Chat } from "./chatStore";
import type { ChatSettings, Conversation } from "./types";

/**
 * The conversation that the URL names: its id once it is read, `isMissing` when there is none. Views
 * take the parts that they show, so that text that streams renders the list of messages alone.
 */
export function useCurrent({ store }: Chat): { id: string | undefined; isMissing: boolean } {
  const { rest } = useRoute();
  const id = rest[0];
  const isOpen = useSyncExternalStore(
    store.subscribe,
    () => id !== undefined && store.conversation(id) !== undefined,
  );
  const [missing, setMissing] = useState<string>();
  useEffect(() => {
    if (id === undefined) return;
    store.open(id).then(
      (read) => setMissing(read === undefined ? id : undefined),
      () => setMissing(id),
    );
  }, [store, id]);
  return { id: isOpen ? id : undefined, isMissing: !isOpen && id !== undefined && missing === id };
}

/** A part of a conversation; renders anew only when that part is another one. */
export function usePart<T>(
  { store }: Chat,
  id: string | undefined,
  part: (conversation: Conversation) => T,
): T | undefined {
  return useSyncExternalStore(store.subscribe, () => {
    const conversation = id === undefined ? undefined : store.conversation(id);
    return conversation === undefined ? undefined : part(conversation);
  });
}

/** What the parts of the page do, with errors said in a toast. */
export function useChatActions(chat: Chat, id: string | undefined) {
  const { store, runner } = chat;
  const backend = useChatBackend();
  const toast = useToast();
  const [settings, setSettings] = useState<ChatSettings>({});
  const guarded = useCallback(
    async (act: () => Promise<unknown>) => {
      try {
        await act();
      } catch (thrown) {
        toast({ text: asError(thrown).message, kind: "error" });
      }
    },
    [toast],
  );
  const kept = usePart(chat, id, (conversation) => conversation.settings);
  return {
    backend,
    settings: kept ?? settings,
    /** Of a conversation that is still to come they are kept until it does. */
    changeSettings: (next: ChatSettings) => {
      if (id === undefined) setSettings(next);
      else store.change(id, (before) => ({ ...before, settings: next }));
    },
    send: (text: string) => {
      const to = id ?? store.create(settings).id;
      if (id === undefined) {
        navigate("chat", [to], {}, true);
        setSettings({});
      }
      void guarded(() => runner.send(to, text, backend));
    },
    edit: useCallback(
      (messageId: string, text: string) => {
        if (id !== undefined) void guarded(() => runner.edit(id, messageId, text, backend));
      },
      [guarded, runner, id, backend],
    ),
    regenerate: useCallback(
      (messageId: string, choosesSimulated?: boolean) => {
        if (id === undefined) return;
        void guarded(() => runner.regenerate(id, messageId, backend, choosesSimulated));
      },
      [guarded, runner, id, backend],
    ),
    exportFile: (of?: string) =>
      void guarded(async () => {
        const name = of === undefined ? "conversations" : `conversation-${of.slice(0, 8)}`;
        downloadFile(`teetee-${name}.json`, await store.export(of));
      }),
    rename: (of: string, title: string) =>
      void guarded(async () => {
        await store.open(of);
        store.rename(of, title);
      }),
  };
}

export type ChatActions = ReturnType<typeof useChatActions>;
