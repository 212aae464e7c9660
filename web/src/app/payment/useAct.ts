// SPDX-License-Identifier: Apache-2.0
import { useEffect, useRef, useState } from "react";
import { asError } from "../../base/error";

/** What the user is told of a thing that they set going. */
export interface Said {
  text: string;
  isError: boolean;
}

export interface Act {
  isBusy: boolean;
  /** How far it is, or what came of it. */
  said: Said | undefined;
  say(text: string): void;
  /** True if it was done. One at a time; refusing in the wallet is no error. */
  run(doing: (signal: AbortSignal) => Promise<void>): Promise<boolean>;
  /** Nobody waits for it any more. */
  stop(): void;
}

/** One thing at a time that takes a while, with words on how far it is. */
export function useAct(): Act {
  const [isBusy, setBusy] = useState(false);
  const [said, setSaid] = useState<Said>();
  const controller = useRef<AbortController>(undefined);
  const isShown = useRef(true);
  useEffect(() => {
    isShown.current = true;
    return () => {
      isShown.current = false;
      controller.current?.abort();
    };
  }, []);
  const tell = (text: string, isError: boolean) => {
    if (isShown.current) setSaid({ text, isError });
  };
  return {
    isBusy,
    said,
    say: (text) => tell(text, false),
    stop: () => controller.current?.abort(),
    run: async (doing) => {
      const current = new AbortController();
      controller.current = current;
      setBusy(true);
      setSaid(undefined);
      try {
        await doing(current.signal);
        return true;
      } catch (thrown) {
        const { code, detail } = asError(thrown);
        if (current.signal.aborted) tell("No longer waited for; what was sent goes on.", false);
        else if (code === "cancelled") {
          tell("You declined in the wallet. Nothing has changed.", false);
        } else tell(`${detail[0]?.toUpperCase() ?? ""}${detail.slice(1)}.`, true);
        return false;
      } finally {
        if (isShown.current) setBusy(false);
      }
    },
  };
}
