// SPDX-License-Identifier: Apache-2.0
import type { NodeFindings } from "./nodeChecks";
import type { Stage, StageState } from "./StepFrame";
import type { Registering } from "./useRegistering";

interface Standing {
  readonly isDescribed: boolean;
  readonly hasFiles: boolean;
  readonly findings: NodeFindings | undefined;
  readonly registering: Registering;
}

type Stages = readonly [Stage, Stage, Stage, Stage, Stage];

function verifyState({ findings, hasFiles }: Standing): StageState {
  if (findings?.ready) return "done";
  const isFailed = findings?.steps.some((step) => step.state === "failed") ?? false;
  if (isFailed || findings?.problem !== undefined) return "failed";
  return findings || hasFiles ? "now" : "later";
}

function registerState({ registering, findings }: Standing): StageState {
  if (registering.phase === "done") return "done";
  if (registering.phase === "failed" && registering.error.code !== "cancelled") return "failed";
  return findings?.ready ? "now" : "later";
}

/** How far a host is. A node that answers has been deployed, whoever made its files. */
export function stagesOf(standing: Standing): Stages {
  const { isDescribed, hasFiles, findings } = standing;
  const hasAnswered = findings?.steps.some(
    ({ id, state }) => id === "answer" && state === "passed",
  );
  return [
    { id: "choose", title: "Choose a model and a slot", state: "done" },
    {
      id: "describe",
      title: "Describe the node",
      state: isDescribed || hasAnswered ? "done" : "now",
    },
    {
      id: "deploy",
      title: "Deploy it",
      state: hasAnswered ? "done" : hasFiles ? "now" : "later",
    },
    { id: "verify", title: "Check the node", state: verifyState(standing) },
    { id: "register", title: "Register it", state: registerState(standing) },
  ];
}
