// SPDX-License-Identifier: Apache-2.0
import { type ReactNode } from "react";
import { Icon } from "../ui/Icon";

export type StageState = "done" | "now" | "later" | "failed";

export interface Stage {
  readonly id: string;
  readonly title: string;
  readonly state: StageState;
}

const words: Record<StageState, string> = {
  done: "done",
  now: "to do now",
  later: "to do later",
  failed: "something is wrong",
};

function Sign({ number, state }: { number: number; state: StageState }) {
  const looks: Record<StageState, string> = {
    done: "border-transparent bg-verified-soft text-verified",
    now: "border-ink text-ink",
    later: "border-line text-faint",
    failed: "border-transparent bg-failed-soft text-failed",
  };
  return (
    <span
      aria-hidden="true"
      className={`grid size-7 shrink-0 place-items-center rounded-full border text-sm font-medium ${looks[state]}`}
    >
      {state === "done" ? (
        <Icon name="check" className="size-4" />
      ) : state === "failed" ? (
        <Icon name="close" className="size-4" />
      ) : (
        number
      )}
    </span>
  );
}

/** All stages and how far each is; a click goes there. */
export function StageList({ stages }: { stages: readonly Stage[] }) {
  return (
    <nav aria-label="Steps" className="lg:sticky lg:top-20 lg:self-start">
      <ol className="flex flex-wrap gap-x-4 gap-y-1 lg:flex-col">
        {stages.map(({ id, title, state }, i) => (
          <li key={id}>
            <button
              type="button"
              onClick={() => goTo(id)}
              className="flex items-center gap-2 rounded-lg py-1 pr-2 text-left text-sm hover:bg-raised"
            >
              <Sign number={i + 1} state={state} />
              <span className={state === "later" ? "text-faint" : ""}>
                {title}
                <span className="sr-only">: {words[state]}</span>
              </span>
            </button>
          </li>
        ))}
      </ol>
    </nav>
  );
}

/** The fragment of the address is the router's, so that links within the page are none. */
export function goTo(id: string): void {
  const target = document.getElementById(id);
  target?.scrollIntoView({ block: "start" });
  target?.querySelector<HTMLElement>("h2")?.focus({ preventScroll: true });
}

interface Props {
  stage: Stage;
  number: number;
  children: ReactNode;
}

export function StepFrame({ stage, number, children }: Props) {
  const { id, title, state } = stage;
  return (
    <section id={id} aria-labelledby={`${id}-title`} className="card scroll-mt-20 p-4 sm:p-6">
      <div className="flex items-center gap-3">
        <Sign number={number} state={state} />
        <h2
          id={`${id}-title`}
          tabIndex={-1}
          className="text-lg leading-tight font-semibold outline-none"
        >
          {title}
          <span className="sr-only">: {words[state]}</span>
        </h2>
      </div>
      <div className="mt-4 space-y-5">{children}</div>
    </section>
  );
}
