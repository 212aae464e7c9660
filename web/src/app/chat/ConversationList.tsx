// SPDX-License-Identifier: Apache-2.0
import { useEffect, useId, useRef, useState } from "react";
import { hrefOf } from "../router/route";
import { Icon, type IconName } from "../ui/Icon";
import { ConfirmSheet } from "../ui/Sheet";
import type { ConversationSummary } from "./types";

interface Props {
  summaries: readonly ConversationSummary[];
  currentId?: string | undefined;
  /** Ids of the conversations with these words, in any order. */
  onSearch: (words: string) => Promise<readonly string[]>;
  onNew: () => void;
  onRename: (id: string, title: string) => void;
  onDelete: (id: string) => void;
  /** Without an id: all. */
  onExport: (id?: string) => void;
  onDeleteAll: () => void;
  /** Called when a conversation is gone to: a list that lies over the page closes. */
  onFollow?: () => void;
}

const searchDelayMs = 150;

/** The ids that match, or `undefined` while nothing is looked for. */
function useSearch(words: string, onSearch: Props["onSearch"]): ReadonlySet<string> | undefined {
  const [found, setFound] = useState<{ words: string; ids: ReadonlySet<string> }>();
  useEffect(() => {
    if (words.trim() === "") return;
    let wanted = true;
    const timer = setTimeout(() => {
      void onSearch(words).then((ids) => {
        if (wanted) setFound({ words, ids: new Set(ids) });
      });
    }, searchDelayMs);
    return () => {
      wanted = false;
      clearTimeout(timer);
    };
  }, [words, onSearch]);
  return words.trim() === "" ? undefined : found?.ids;
}

export function ConversationList(props: Props) {
  const { summaries, currentId, onSearch, onNew, onExport, onDeleteAll } = props;
  const [words, setWords] = useState("");
  const found = useSearch(words, onSearch);
  const shown = found === undefined ? summaries : summaries.filter(({ id }) => found.has(id));
  const searchId = useId();
  return (
    <div className="flex min-h-0 flex-1 flex-col">
      <button type="button" onClick={onNew} className="btn btn-quiet justify-start">
        <Icon name="plus" />
        New conversation
      </button>
      <div className="relative mt-3">
        <Icon name="search" className="absolute top-2.5 left-3 size-5 text-faint" />
        <label htmlFor={searchId} className="sr-only">
          Search conversations
        </label>
        <input
          id={searchId}
          type="search"
          value={words}
          onChange={(event) => setWords(event.target.value)}
          placeholder="Search"
          className="field pl-10"
        />
      </div>
      <p role="status" className="sr-only">
        {found === undefined ? "" : `${shown.length} found`}
      </p>
      <ul
        className="-mx-2 mt-3 min-h-0 flex-1 overflow-y-auto px-2 pb-2"
        aria-label="Conversations"
      >
        {shown.map((summary) => (
          <Row key={summary.id} summary={summary} isCurrent={summary.id === currentId} {...props} />
        ))}
        {shown.length === 0 ? (
          <li className="px-3 py-6 text-sm text-faint">
            {found === undefined
              ? "Conversations are kept in this browser, and nowhere else."
              : "None has these words."}
          </li>
        ) : null}
      </ul>
      {summaries.length === 0 ? null : <ForAll onExport={onExport} onDeleteAll={onDeleteAll} />}
    </div>
  );
}

/** What is done with all conversations at once. */
function ForAll({ onExport, onDeleteAll }: Pick<Props, "onExport" | "onDeleteAll">) {
  const [isAsking, setAsking] = useState(false);
  return (
    <>
      <div className="flex justify-between border-t border-line pt-3">
        <button
          type="button"
          onClick={() => onExport()}
          className="btn btn-plain btn-small text-soft"
        >
          <Icon name="download" className="size-4" />
          Export all
        </button>
        <button
          type="button"
          onClick={() => setAsking(true)}
          className="btn btn-plain btn-small text-soft"
        >
          <Icon name="trash" className="size-4" />
          Delete all
        </button>
      </div>
      <ConfirmSheet
        title="Delete everything?"
        action="Delete everything"
        isOpen={isAsking}
        onClose={() => setAsking(false)}
        onConfirm={onDeleteAll}
      >
        All conversations are deleted from this browser, with what was opened of them in the
        explorer, and there is no other copy.
      </ConfirmSheet>
    </>
  );
}

type RowProps = Props & { summary: ConversationSummary; isCurrent: boolean };

function Row({ summary, isCurrent, onRename, onDelete, onExport, onFollow }: RowProps) {
  const [isRenaming, setRenaming] = useState(false);
  const [isAsking, setAsking] = useState(false);
  const { id, title } = summary;
  if (isRenaming) {
    return (
      <li className="py-0.5">
        <RenameField
          title={title}
          onDone={(name) => {
            setRenaming(false);
            if (name !== undefined) onRename(id, name);
          }}
        />
      </li>
    );
  }
  return (
    <li
      className={`group flex items-center rounded-lg ${isCurrent ? "bg-raised" : "hover:bg-raised focus-within:bg-raised"}`}
    >
      <a
        href={hrefOf("chat", [id])}
        onClick={onFollow}
        aria-current={isCurrent ? "page" : undefined}
        className="min-w-0 flex-1 truncate rounded-lg px-3 py-2 text-sm aria-[current]:font-medium"
      >
        {title}
      </a>
      <span
        className={`flex pr-1 ${isCurrent ? "" : "w-0 overflow-hidden opacity-0 group-focus-within:w-auto group-focus-within:opacity-100 group-hover:w-auto group-hover:opacity-100"}`}
      >
        <RowButton icon="edit" label={`Rename ${title}`} onClick={() => setRenaming(true)} />
        <RowButton icon="download" label={`Export ${title}`} onClick={() => onExport(id)} />
        <RowButton icon="trash" label={`Delete ${title}`} onClick={() => setAsking(true)} />
      </span>
      <ConfirmSheet
        title="Delete this conversation?"
        action="Delete"
        isOpen={isAsking}
        onClose={() => setAsking(false)}
        onConfirm={() => onDelete(id)}
      >
        “{title}” is deleted from this browser, and there is no other copy.
      </ConfirmSheet>
    </li>
  );
}

interface RowButtonProps {
  icon: IconName;
  label: string;
  onClick: () => void;
}

function RowButton({ icon, label, onClick }: RowButtonProps) {
  return (
    <button
      type="button"
      onClick={onClick}
      className="grid size-7 place-items-center rounded-md text-soft hover:text-ink"
    >
      <Icon name={icon} className="size-4" />
      <span className="sr-only">{label}</span>
    </button>
  );
}

function RenameField({ title, onDone }: { title: string; onDone: (name?: string) => void }) {
  const [name, setName] = useState(title);
  const field = useRef<HTMLInputElement>(null);
  const isDone = useRef(false);
  useEffect(() => field.current?.select(), []);
  const finish = (result?: string) => {
    // Leaving the field comes after Enter and Escape too.
    if (isDone.current) return;
    isDone.current = true;
    onDone(result);
  };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        finish(name);
      }}
    >
      <input
        ref={field}
        value={name}
        maxLength={120}
        aria-label="Name of the conversation"
        onChange={(event) => setName(event.target.value)}
        onBlur={() => finish(name)}
        onKeyDown={(event) => {
          if (event.key === "Escape") finish();
        }}
        className="field"
      />
    </form>
  );
}
