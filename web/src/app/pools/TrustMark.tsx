// SPDX-License-Identifier: Apache-2.0
import { Icon, type IconName } from "../ui/Icon";
import type { PoolCheck } from "./chainCheck";
import type { PoolTrust } from "./poolView";

const trusts: Record<PoolTrust, { label: string; words: string; look: string; icon: IconName }> = {
  verified: {
    label: "Verified",
    words:
      "This page has verified every node of the route in use against the pool that you have set.",
    look: "bg-verified-soft text-verified",
    icon: "check",
  },
  attested: {
    label: "Attested",
    words: "Every node of the route in use shows its evidence, held against what the entry names.",
    look: "border border-line text-ink",
    icon: "check",
  },
  simulated: {
    label: "SIMULATED",
    words: "Every check passed, but the TEEs are simulated: they protect nothing.",
    look: "bg-simulated-soft text-simulated font-semibold",
    icon: "alert",
  },
  refused: {
    label: "Refused",
    words: "A check of this page failed. Nothing is sent to this network.",
    look: "bg-failed-soft text-failed font-semibold",
    icon: "close",
  },
  unchecked: {
    label: "Not checked",
    words: "None of its nodes has shown its evidence to this page.",
    look: "border border-line text-soft",
    icon: "question",
  },
};

export function wordsOfTrust(trust: PoolTrust): string {
  return trusts[trust].words;
}

/** How far the nodes of a pool are verified, in a word; the sentence stands in the details. */
export function TrustMark({ trust }: { trust: PoolTrust }) {
  const { label, words, look, icon } = trusts[trust];
  return (
    <span
      title={words}
      className={`inline-flex items-center gap-1.5 rounded-full px-2.5 py-0.5 text-xs whitespace-nowrap ${look}`}
    >
      <Icon name={icon} className="size-3.5" />
      {label}
    </span>
  );
}

/** Whether what stands here is the contract's word or only the entry's. */
export function ChainMark({ check }: { check: PoolCheck }) {
  const { icon, text, look } = lookOf(check);
  return (
    <span className={`inline-flex items-center gap-1 text-xs whitespace-nowrap ${look}`}>
      <Icon name={icon} className="size-3.5" />
      {text}
    </span>
  );
}

function lookOf({ state }: PoolCheck): { icon: IconName; text: string; look: string } {
  switch (state) {
    case "waiting":
      return { icon: "more", text: "not yet checked on chain", look: "text-faint" };
    case "checked":
      return { icon: "check", text: "checked on chain", look: "text-verified" };
    case "differs":
      return { icon: "close", text: "differs from the chain", look: "text-failed font-semibold" };
    case "failed":
      return { icon: "alert", text: "chain not reached", look: "text-failed" };
  }
}
