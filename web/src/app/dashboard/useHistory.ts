// SPDX-License-Identifier: Apache-2.0
import { useCallback, useEffect, useRef, useState } from "react";
import { asError, type TeeTeeError } from "../../base/error";
import type { HistoryCall } from "./load";

export interface HistoryState<T> {
  readonly history: T | undefined;
  readonly error: TeeTeeError | undefined;
  /** Share of the blocks that have been read; undefined while nothing is read. */
  readonly progress: number | undefined;
  /** Stops reading; what was there before stays. */
  cancel(): void;
  /** Reads again. */
  read(): void;
}

/**
 * Something that is read out of the contract's events: once, when it becomes possible, and whenever
 * `key` changes. `load` undefined: not yet.
 */
export function useHistory<T>(
  key: string,
  load: ((call: HistoryCall) => Promise<T>) | undefined,
): HistoryState<T> {
  const [history, setHistory] = useState<T>();
  const [error, setError] = useState<TeeTeeError>();
  const [progress, setProgress] = useState<number>();
  const running = useRef<AbortController>(undefined);
  const latest = useRef(load);
  latest.current = load;
  const cancel = useCallback(() => {
    running.current?.abort();
    setProgress(undefined);
  }, []);
  const read = useCallback(() => {
    const loading = latest.current;
    if (loading === undefined) return;
    running.current?.abort();
    const controller = new AbortController();
    running.current = controller;
    setProgress(0);
    setError(undefined);
    const { signal } = controller;
    const onProgress = (share: number) => {
      if (!signal.aborted) setProgress(share);
    };
    loading({ signal, onProgress }).then(
      (next) => {
        if (signal.aborted) return;
        setHistory(next);
        setProgress(undefined);
      },
      (thrown: unknown) => {
        if (signal.aborted) return;
        setError(asError(thrown));
        setProgress(undefined);
      },
    );
  }, []);
  const isPossible = load !== undefined;
  useEffect(() => {
    if (!isPossible) return;
    read();
    return () => running.current?.abort();
  }, [key, isPossible, read]);
  return { history, error, progress, cancel, read };
}
