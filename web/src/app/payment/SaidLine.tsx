// SPDX-License-Identifier: Apache-2.0
import type { ReactNode } from "react";
import type { Act } from "./useAct";

/** How far it is; its place is kept while there is nothing to say. */
export function SaidLine({ act }: { act: Act }) {
  const { said, isBusy } = act;
  const isError = said?.isError === true;
  return (
    <p
      role={isError ? "alert" : "status"}
      className={`min-h-10 text-sm ${isError ? "text-failed" : "text-soft"}`}
    >
      {isBusy ? (
        <span
          aria-hidden="true"
          className="mr-2 inline-block size-2 rounded-full bg-current motion-safe:animate-pulse"
        />
      ) : null}
      {said?.text}
    </p>
  );
}

interface ButtonsProps {
  act: Act;
  canSubmit: boolean;
  /** What the button does. */
  children: ReactNode;
}

/** Sends the form; while it is at work, one no longer need wait for it. */
export function FormButtons({ act, canSubmit, children }: ButtonsProps) {
  return (
    <div className="flex justify-end gap-2">
      {act.isBusy ? (
        <button type="button" onClick={act.stop} className="btn btn-quiet">
          Stop waiting
        </button>
      ) : null}
      <button type="submit" disabled={!canSubmit} className="btn btn-solid">
        {children}
      </button>
    </div>
  );
}
