// SPDX-License-Identifier: Apache-2.0

/** One thing that was looked at. */
export interface ProofCheck {
  /** Short: `hand-over`, `evidence of layers 0 to 9`. */
  name: string;
  passed: boolean;
  /** One sentence for people: what this shows, or what is wrong. */
  words: string;
  /** Of a check that failed: what was found, and what would have passed. */
  have?: string;
  need?: string;
}

/** What the page knows of one node. `unknown`: nothing was checked. */
export type NodeTrust = "checking" | "verified" | "simulated" | "failed" | "unknown";

export interface ProofStage {
  /** The node's id, hex. */
  node: string;
  /** First and last layer. */
  layers: readonly [number, number];
  trust: NodeTrust;
  /** Measurement of the code that the TEE runs, hex. */
  code?: string;
  /** The policy's name for that code: `TeeTee 1.2.0`. */
  codeName?: string;
  /** Shard root, hex. */
  weights?: string;
  /** Intel's word on the platform, and what it means: `UpToDate`. */
  hardware?: string;
  /** Advisories that are open on it. */
  advisories?: readonly string[];
}

export interface ProofAnchor {
  state: "none" | "pending" | "anchored";
  /** `Settled in block 1,234`, `Will be settled within ten minutes`. */
  words: string;
  transaction?: string;
}

/** Whether the receipts of all parts were found to be of what the user sent, and of what is shown. */
export interface Compared {
  request: boolean;
  answer: boolean;
}

export interface Proof {
  /** `verifying` while checks run, `unknown` where nothing could be checked (`problem` says why). */
  phase: "verifying" | "done" | "unknown";
  /** Every check that is through, in the order in which they were made. */
  checks: readonly ProofCheck[];
  /** How many there will be; for progress while `verifying`. */
  checksExpected?: number;
  route: readonly ProofStage[];
  /** Whether any TEE of the route is simulated. */
  simulated: boolean;
  compared: Compared;
  problem?: string;
  /** Credits; 0 is free. */
  cost?: number;
  promptTokens?: number;
  completionTokens?: number;
  /** Of the prompt's tokens, those of the prefix cache: free. */
  cachedTokens?: number;
  anchor?: ProofAnchor;
  /** SHA-256 of request and answer as the receipt has them, hex. */
  requestHash?: string;
  answerHash?: string;
  /** When the answer was given, unix seconds. */
  created?: number;
}

export type ProofVerdict =
  | "verifying"
  | "verified"
  | "simulated"
  /** Somebody computed something on nodes that hold; it is not known to be all that is shown. */
  | "partial"
  | "failed"
  | "unknown";

/**
 * What a proof comes to. One check that failed fails it, at once; it is verified only when all are
 * through and there were some, on a route whose every node was judged, for the request that was sent
 * and the answer that is shown: a receipt of another question proves nothing of this one.
 */
export function verdictOf(proof: Proof): ProofVerdict {
  const isFailed =
    proof.checks.some((check) => !check.passed) ||
    proof.route.some((stage) => stage.trust === "failed");
  if (isFailed) return "failed";
  if (proof.phase === "verifying") return "verifying";
  const isJudged = (stage: ProofStage) => stage.trust === "verified" || stage.trust === "simulated";
  const isWhole = proof.checks.length > 0 && proof.route.length > 0 && proof.route.every(isJudged);
  if (!isWhole) return "unknown";
  const isSimulated = proof.simulated || proof.route.some((stage) => stage.trust === "simulated");
  if (isSimulated) return "simulated";
  return lackOf(proof) === undefined ? "verified" : "partial";
}

/** `attested`: verified, but held against a pool that the user has not set (network/yardstick.ts). */
export type ShownVerdict = ProofVerdict | "attested";

export function shownVerdict(proof: Proof, isOwn: boolean): ShownVerdict {
  const verdict = verdictOf(proof);
  return verdict === "verified" && !isOwn ? "attested" : verdict;
}

/** `attested`: as of a verdict. */
export type ShownTrust = NodeTrust | "attested";

export function shownTrust(trust: NodeTrust, isOwn: boolean): ShownTrust {
  return trust === "verified" && !isOwn ? "attested" : trust;
}

/** One sentence on what a proof leaves open; undefined where it is of the whole answer. */
export function lackOf({ phase, problem, compared }: Proof): string | undefined {
  if (phase === "unknown") return problem ?? "Not every part of the answer has a receipt.";
  const parts = [
    ...(compared.request ? [] : ["the request that was sent"]),
    ...(compared.answer ? [] : ["the text above"]),
  ];
  return parts.length === 0
    ? undefined
    : `Not compared with the receipt, since this page has it no longer or not whole: ${parts.join(" and ")}.`;
}

/** The checks with what is wrong first, otherwise in their order. */
export function orderChecks(checks: readonly ProofCheck[]): ProofCheck[] {
  return [...checks.filter((check) => !check.passed), ...checks.filter((check) => check.passed)];
}

/** A hash or an id, short enough for a line: `1a2b3c4d…9f0e`. */
export function shortHex(hex: string): string {
  return hex.length <= 14 ? hex : `${hex.slice(0, 8)}…${hex.slice(-4)}`;
}
