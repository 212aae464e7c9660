// SPDX-License-Identifier: Apache-2.0
import {
  lazy,
  Suspense,
  useCallback,
  useMemo,
  useState,
  useSyncExternalStore,
  type ReactNode,
} from "react";
import { useNetwork } from "../network/network";
import { PageHeading } from "../router/PageHeading";
import { navigate } from "../router/useRoute";
import { Icon } from "../ui/Icon";
import { Sheet } from "../ui/Sheet";
import type { ChatBackend } from "./backend";
import type { Chat } from "./chatStore";
import { Composer } from "./Composer";
import { ConversationList } from "./ConversationList";
import { MessageList } from "./MessageList";
import type { ConversationSummary, Message } from "./types";
import { type ChatActions, useChatActions, useCurrent, usePart } from "./useChatActions";

const SettingsPanel = lazy(() => import("./SettingsPanel"));

interface ListProps {
  chat: Chat;
  summaries: readonly ConversationSummary[];
  currentId: string | undefined;
  actions: ChatActions;
  /** Where the list lies over the page: closes it. */
  onFollow?: () => void;
}

function ChatList({ chat: { store, runner }, summaries, currentId, actions, onFollow }: ListProps) {
  const search = useCallback((words: string) => store.search(words), [store]);
  return (
    <ConversationList
      summaries={summaries}
      currentId={currentId}
      onSearch={search}
      onNew={() => {
        navigate("chat");
        onFollow?.();
      }}
      onRename={actions.rename}
      onDelete={(id) => {
        if (id === currentId) navigate("chat", [], {}, true);
        runner.stop(id);
        void store.remove(id);
      }}
      onExport={actions.exportFile}
      onDeleteAll={() => {
        navigate("chat", [], {}, true);
        for (const { id } of summaries) runner.stop(id);
        void store.clear();
      }}
      {...(onFollow === undefined ? {} : { onFollow })}
    />
  );
}

export function ChatView({ chat }: { chat: Chat }) {
  const { store } = chat;
  const { summaries } = useSyncExternalStore(store.subscribe, store.state);
  const { id, isMissing } = useCurrent(chat);
  const title = usePart(chat, id, (conversation) => conversation.title);
  const actions = useChatActions(chat, id);
  const [isListOpen, setListOpen] = useState(false);
  const [isSettingsOpen, setSettingsOpen] = useState(false);
  const closeList = () => setListOpen(false);
  const list = { chat, summaries, currentId: id, actions };
  return (
    <div className="mx-auto flex h-[calc(100dvh-3.5rem-1px)] max-w-[100rem]">
      <aside
        aria-label="Conversations"
        className="hidden w-72 shrink-0 flex-col border-r border-line p-4 lg:flex"
      >
        <ChatList {...list} />
      </aside>
      <div className="flex min-w-0 flex-1 flex-col">
        <Head
          title={title ?? "Chat"}
          onList={() => setListOpen(true)}
          onSettings={() => setSettingsOpen(true)}
        >
          {actions.backend.head}
        </Head>
        <StoreNotice store={store} />
        <Talk chat={chat} id={id} isMissing={isMissing} actions={actions} />
      </div>
      <Sheet title="Conversations" side="left" isOpen={isListOpen} onClose={closeList}>
        <ChatList {...list} onFollow={closeList} />
      </Sheet>
      <Sheet title="Settings" isOpen={isSettingsOpen} onClose={() => setSettingsOpen(false)}>
        <Suspense fallback={null}>
          <SettingsPanel
            key={id ?? "new"}
            settings={actions.settings}
            onChange={actions.changeSettings}
          />
        </Suspense>
      </Sheet>
    </div>
  );
}

interface HeadProps {
  title: string;
  onList: () => void;
  onSettings: () => void;
  /** Between title and settings. */
  children: ReactNode;
}

function Head({ title, onList, onSettings, children }: HeadProps) {
  return (
    <div className="flex h-12 shrink-0 items-center gap-2 px-4">
      <button type="button" onClick={onList} className="btn btn-icon lg:hidden">
        <Icon name="list" />
        <span className="sr-only">Conversations</span>
      </button>
      <PageHeading
        title={title}
        className="min-w-0 flex-1 truncate text-sm font-medium text-soft"
      />
      {children}
      <button type="button" onClick={onSettings} className="btn btn-icon">
        <Icon name="settings" />
        <span className="sr-only">Settings of this conversation</span>
      </button>
    </div>
  );
}

interface TalkProps {
  chat: Chat;
  id: string | undefined;
  isMissing: boolean;
  actions: ChatActions;
}

/** What shows the proof of an answer of this conversation, the same one until something of it changes. */
function useProof(chat: Chat, id: string | undefined, { renderProof }: ChatBackend) {
  // Said either way, it was with hardware before somebody chose simulated TEEs.
  const wasOnHardware = usePart(chat, id, ({ onHardware }) => onHardware !== undefined) ?? false;
  return useMemo(
    () => renderProof && ((message: Message) => renderProof(message, wasOnHardware)),
    [renderProof, wasOnHardware],
  );
}

/** What was said, and the field for what is said next. */
function Talk({ chat, id, isMissing, actions }: TalkProps) {
  const { backend } = actions;
  const messages = usePart(chat, id, (conversation) => conversation.messages);
  const isAnswering = useSyncExternalStore(
    chat.runner.subscribe,
    () => id !== undefined && chat.runner.isRunning(id),
  );
  const mayAsk = backend.isReady && !isAnswering;
  const proof = useProof(chat, id, backend);
  return (
    <>
      {id === undefined || messages === undefined || messages.length === 0 ? (
        <Welcome isMissing={isMissing}>{backend.welcome}</Welcome>
      ) : (
        <MessageList
          conversationId={id}
          messages={messages}
          onEdit={mayAsk ? actions.edit : undefined}
          onRegenerate={mayAsk ? actions.regenerate : undefined}
          renderProof={proof}
          renderVerdict={backend.renderVerdict}
        />
      )}
      <NextQuestion chat={chat} id={id} isAnswering={isAnswering} actions={actions} />
    </>
  );
}

type NextQuestionProps = Omit<TalkProps, "isMissing"> & { isAnswering: boolean };

function NextQuestion({ chat, id, isAnswering, actions }: NextQuestionProps) {
  const { backend } = actions;
  const [draft, setDraft] = useState("");
  return (
    <div className="shrink-0 overflow-y-hidden px-4 pt-1 pb-4 [scrollbar-gutter:stable]">
      <div className="mx-auto w-full max-w-3xl">
        {backend.step}
        <Composer
          text={draft}
          onText={setDraft}
          onSend={(text) => {
            setDraft("");
            actions.send(text);
          }}
          onStop={() => {
            if (id !== undefined) chat.runner.stop(id);
          }}
          isAnswering={isAnswering}
          isReady={backend.isReady}
          words={backend.words}
          aside={backend.aside}
        />
      </div>
    </div>
  );
}

function StoreNotice({ store }: { store: Chat["store"] }) {
  const state = useSyncExternalStore(store.subscribe, store.state);
  if (state.notice === undefined && state.isKept) return null;
  return (
    <div
      role="status"
      className="mx-4 mb-2 flex items-start gap-3 rounded-xl bg-raised px-4 py-2 text-sm"
    >
      <p className="flex-1">
        {state.notice ??
          "This browser keeps nothing for the page: conversations are gone when it is closed."}
      </p>
      {state.notice === undefined ? null : (
        <button
          type="button"
          onClick={() => store.dismissNotice()}
          className="btn btn-plain btn-small"
        >
          Close
        </button>
      )}
    </div>
  );
}

function Welcome({ isMissing, children }: { isMissing: boolean; children: ReactNode }) {
  const network = useNetwork();
  return (
    <div className="flex min-h-0 flex-1 flex-col items-center justify-safe-center overflow-y-auto px-6 py-8 text-center">
      <h2 className="text-2xl font-semibold tracking-tight text-balance sm:text-3xl">
        {isMissing ? "This conversation is not in this browser" : "What would you like to ask?"}
      </h2>
      <p className="mt-3 max-w-md text-soft">
        {isMissing
          ? "It was deleted, or belongs to another browser: conversations are kept where they were held."
          : "Before your first word leaves, this page checks every node that will work on it."}
      </p>
      {network.trust === "simulated" && children === undefined ? (
        <p className="mt-4 max-w-md rounded-xl bg-simulated-soft px-4 py-2 text-sm text-simulated">
          <strong>SIMULATED.</strong> These TEEs protect nothing. Ask nothing that is secret.
        </p>
      ) : null}
      {children === undefined ? null : <div className="mt-6 w-full max-w-lg">{children}</div>}
    </div>
  );
}
