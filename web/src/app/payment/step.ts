// SPDX-License-Identifier: Apache-2.0
import type { WalletPhase } from "../wallet/wallet";

/** How answers are paid for, by the user's choice. */
export type PaymentMode = "session" | "query" | "host";

/** What has to be done before the next question can be asked; `ready`: nothing. */
export type Step =
  | "ready"
  /** The network, the wallet or its balance is on the way. */
  | "waiting"
  | "noWallet"
  | "connect"
  | "switchChain"
  /** The chain cannot be read. */
  | "chainAway"
  | "getEth"
  | "buy"
  | "openSession"
  /** One is signed, and the contract does not have it. */
  | "sessionOpening"
  /** The session is used up, or so nearly that no answer would come of it. */
  | "sessionUsed"
  /** Free use was chosen, and the wallet has no live node in the pool. */
  | "notHost";

export interface StepFacts {
  isFree: boolean;
  /** The route is verified. */
  isConnected: boolean;
  wallet: { phase: WalletPhase; hasChoices: boolean; isWrongChain: boolean };
  mode: PaymentMode;
  isChainAway: boolean;
  /** undefined: not known yet. */
  balance: bigint | undefined;
  eth: bigint | undefined;
  isHost: boolean | undefined;
  /** Credits left of the session that is open; undefined without one. */
  left: bigint | undefined;
  /** A session is signed, and not open. */
  isOpening: boolean;
  /** What the prompt and the first tokens of an answer come to at least. */
  leastCost: bigint;
}

function walletStep({ wallet }: StepFacts): Step | undefined {
  if (wallet.phase === "absent" || wallet.phase === "loading") return "waiting";
  if (wallet.phase === "connecting") return "waiting";
  if (wallet.phase === "disconnected") return wallet.hasChoices ? "connect" : "noWallet";
  return wallet.isWrongChain ? "switchChain" : undefined;
}

function sessionStep(facts: StepFacts): Step {
  if (facts.left !== undefined) return facts.left >= facts.leastCost ? "ready" : "sessionUsed";
  if (facts.isChainAway) return "chainAway";
  if (facts.balance === undefined || facts.eth === undefined) return "waiting";
  if (facts.balance >= facts.leastCost && facts.balance > 0n) {
    return facts.isOpening ? "sessionOpening" : "openSession";
  }
  return facts.eth === 0n ? "getEth" : "buy";
}

/** From nothing to a paid answer, one step at a time. Pure. */
export function nextStep(facts: StepFacts): Step {
  if (!facts.isConnected) return "waiting";
  if (facts.isFree) return "ready";
  const step = walletStep(facts);
  // A session that is open spends by a key of its own; it only has to be known whose it is.
  const isPaidAhead = facts.mode === "session" && facts.left !== undefined;
  if (step !== undefined && !(step === "switchChain" && isPaidAhead)) return step;
  if (facts.mode === "session") return sessionStep(facts);
  if (facts.isChainAway) return "chainAway";
  if (facts.mode === "host") {
    if (facts.isHost === undefined) return "waiting";
    return facts.isHost ? "ready" : "notHost";
  }
  if (facts.eth === undefined) return "waiting";
  return facts.eth === 0n ? "getEth" : "ready";
}
