// SPDX-License-Identifier: Apache-2.0
import { useEffect, useId, useRef, type ReactNode } from "react";
import { Icon } from "./Icon";

interface Props {
  title: string;
  isOpen: boolean;
  onClose: () => void;
  children: ReactNode;
  /** `left` and `right` slide over the page, `centre` asks a question. */
  side?: "left" | "right" | "centre";
}

const places = {
  left: "mr-auto h-dvh max-h-none w-80 max-w-[90vw] rounded-r-2xl",
  right: "ml-auto h-dvh max-h-none w-96 max-w-full sm:rounded-l-2xl",
  centre: "m-auto w-[26rem] max-w-[calc(100vw-2rem)] rounded-2xl",
};

/** The browser's own modal dialog: it keeps the focus, closes on Escape and gives the focus back. */
export function Sheet({ title, isOpen, onClose, children, side = "right" }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  useEffect(() => {
    const element = dialog.current;
    if (element === null || element.open === isOpen) return;
    if (isOpen) element.showModal();
    else element.close();
  }, [isOpen]);
  return (
    <dialog
      ref={dialog}
      aria-labelledby={titleId}
      onClose={onClose}
      onClick={(event) => {
        // A click beside the dialog has the dialog itself as its target.
        if (event.target === dialog.current) onClose();
      }}
      className={`border border-line bg-paper text-ink shadow-2xl backdrop:bg-black/40 ${places[side]}`}
    >
      <div className="flex max-h-full min-h-full flex-col p-5">
        <div className="mb-4 flex items-center justify-between gap-4">
          <h2 id={titleId} className="text-lg font-semibold">
            {title}
          </h2>
          <button type="button" onClick={onClose} className="btn btn-icon">
            <Icon name="close" />
            <span className="sr-only">Close</span>
          </button>
        </div>
        {isOpen ? children : null}
      </div>
    </dialog>
  );
}

interface ConfirmProps {
  title: string;
  /** What is about to happen. */
  children: ReactNode;
  /** What the button does, as a verb. */
  action: string;
  isOpen: boolean;
  onClose: () => void;
  onConfirm: () => void;
}

/** Asks before something that cannot be undone. */
export function ConfirmSheet({
  title,
  children,
  action,
  isOpen,
  onClose,
  onConfirm,
}: ConfirmProps) {
  return (
    <Sheet title={title} isOpen={isOpen} onClose={onClose} side="centre">
      <div className="text-soft">{children}</div>
      <div className="mt-6 flex justify-end gap-2">
        <button type="button" onClick={onClose} className="btn btn-quiet">
          Cancel
        </button>
        <button
          type="button"
          onClick={() => {
            onConfirm();
            onClose();
          }}
          className="btn btn-danger"
        >
          {action}
        </button>
      </div>
    </Sheet>
  );
}
