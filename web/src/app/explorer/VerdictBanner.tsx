// SPDX-License-Identifier: Apache-2.0
import type { ReactNode } from "react";
import { Icon, type IconName } from "../ui/Icon";
import type { CheckView, Verdict } from "./views";

const looks: Record<Verdict, { icon: IconName; look: string }> = {
  verified: { icon: "check", look: "bg-verified-soft text-verified" },
  attested: { icon: "check", look: "bg-raised text-ink" },
  simulated: { icon: "alert", look: "bg-simulated-soft text-simulated" },
  alone: { icon: "question", look: "bg-raised text-ink" },
  failed: { icon: "close", look: "bg-failed-soft text-failed" },
};

interface Props {
  /** Undefined while checks run. */
  verdict: Verdict | undefined;
  title: string;
  children: ReactNode;
}

/** What it all comes to. Its place is there before the verdict is. */
export function VerdictBanner({ verdict, title, children }: Props) {
  const { icon, look } =
    verdict === undefined
      ? { icon: "shield" as const, look: "bg-raised text-ink" }
      : looks[verdict];
  return (
    <div
      role="status"
      data-verdict={verdict ?? "checking"}
      className={`flex min-h-20 items-start gap-3 rounded-2xl px-5 py-4 ${look}`}
    >
      <Icon name={icon} className="mt-0.5 size-6" />
      <div className="min-w-0">
        <h2 className="text-lg font-semibold">{title}</h2>
        <div className="break-words">{children}</div>
      </div>
    </div>
  );
}

/** "21 passed, 1 failed, 2 not checked". */
export function countsOf(checks: readonly CheckView[]): string {
  const count = (state: CheckView["state"]) => checks.filter((one) => one.state === state).length;
  const parts = [`${count("passed")} passed`];
  if (count("failed") > 0) parts.push(`${count("failed")} failed`);
  if (count("unmade") > 0) parts.push(`${count("unmade")} not made`);
  return parts.join(", ");
}
