// SPDX-License-Identifier: Apache-2.0
import { useCallback, useEffect, useRef, useState } from "react";
import { asError } from "../../base/error";
import { inspectNode, type NodeFindings, type NodeQuestion, waitingSteps } from "./nodeChecks";

export interface Inspection {
  /** undefined until a node was asked about. */
  readonly findings: NodeFindings | undefined;
  readonly isRunning: boolean;
  start(question: NodeQuestion): void;
  /** Ends it, and forgets what was found. */
  cancel(): void;
}

/** One inspection of a node at a time; it ends when nobody looks any more. */
export function useInspection(): Inspection {
  const [findings, setFindings] = useState<NodeFindings>();
  const [isRunning, setRunning] = useState(false);
  const running = useRef<AbortController>(undefined);
  useEffect(() => () => running.current?.abort(), []);
  const start = useCallback((question: NodeQuestion) => {
    running.current?.abort();
    const controller = new AbortController();
    const { signal } = controller;
    running.current = controller;
    setFindings({ steps: waitingSteps });
    setRunning(true);
    inspectNode(question, signal, setFindings)
      .catch((thrown) => {
        // Whatever a step does not tell itself; stopping is no error.
        if (signal.aborted) return;
        const { detail } = asError(thrown);
        setFindings((known) => ({ ...(known ?? { steps: waitingSteps }), problem: detail }));
      })
      .finally(() => {
        if (running.current === controller) setRunning(false);
      });
  }, []);
  const cancel = useCallback(() => {
    running.current?.abort();
    running.current = undefined;
    setRunning(false);
    setFindings(undefined);
  }, []);
  return { findings, isRunning, start, cancel };
}
