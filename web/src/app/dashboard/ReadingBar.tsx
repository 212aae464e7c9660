// SPDX-License-Identifier: Apache-2.0
import type { HistoryState } from "./useHistory";

interface Props {
  state: Pick<HistoryState<unknown>, "progress" | "error" | "history" | "cancel" | "read">;
  /** What is read: "earnings". */
  what: string;
}

/** How far the contract's events have been read; can be stopped, and begun again. */
export function ReadingBar({ state, what }: Props) {
  const { progress, error, history, cancel, read } = state;
  const isReading = progress !== undefined;
  return (
    <div className="flex min-h-9 flex-wrap items-center gap-3 text-sm">
      {isReading ? (
        <>
          <progress
            max={1}
            value={progress}
            aria-label={`Reading ${what} from the chain`}
            className="h-1.5 w-40"
          />
          <span className="text-soft tabular-nums">
            Reading {what} from the chain, {Math.floor(100 * progress)}%
          </span>
          <button type="button" onClick={cancel} className="btn btn-quiet btn-small">
            Stop
          </button>
        </>
      ) : (
        <>
          {error === undefined ? null : (
            <span role="alert" className="text-failed">
              {error.detail}
            </span>
          )}
          {history === undefined && error === undefined ? (
            <span className="text-soft">Reading {what} was stopped.</span>
          ) : null}
          <button type="button" onClick={read} className="btn btn-quiet btn-small">
            {history === undefined ? "Read" : "Read again"}
            <span className="sr-only"> {what}</span>
          </button>
        </>
      )}
    </div>
  );
}
