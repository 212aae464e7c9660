// SPDX-License-Identifier: Apache-2.0
// Whether statement and quote of a node prove what is expected of it; src/attest/peer.hpp. The page
// gets them as documents over HTTP, not within a TLS certificate.
import { equal, toHex } from "../base/bytes";
import { fail } from "../base/error";
import { formatUtc, type UnixSeconds } from "../base/time";
import { step, stepAsync, type Checks } from "./check";
import type { VerifiedCollateral } from "./collateral";
import { clockSkewSMax, statementLifetimeSMax } from "./limits";
import { checkPolicy, type Policy } from "./policy";
import type { TdReport } from "./quote";
import {
  decodeStatement,
  reportData,
  sameLayers,
  type LayerRange,
  type Statement,
} from "./statement";
import { verifyQuote, type VerifiedQuote } from "./verify";

/** A shard that may be behind a node: the hash of its weights and the layers they are. */
export interface AcceptedShard {
  /** 32 bytes. */
  shardRoot: Uint8Array;
  layers: LayerRange;
}

/** What a node's statement must say. */
export interface PeerExpectation {
  chainId: bigint;
  /** 20 bytes. */
  contract: Uint8Array;
  pool: bigint;
  /** 32 bytes. */
  modelRoot: Uint8Array;
  /** SHA-256 of the policy file that the node must hold its own peers against. */
  policyHash: Uint8Array;
  shards: readonly AcceptedShard[];
}

/** Documents as they came. With `nonce` the quote must have been made for it. */
export interface Evidence {
  statement: Uint8Array;
  quote: Uint8Array;
  nonce?: Uint8Array | undefined;
}

/** A node whose evidence has been verified. Only verifyEvidence makes one. */
export interface VerifiedPeer {
  statement: Statement;
  quote: VerifiedQuote;
  report: TdReport;
  /** The quote is none of real hardware; say so wherever the node is shown. */
  simulated: boolean;
}

function ensureTime(statement: Statement, now: UnixSeconds): void {
  const { notBefore, notAfter } = statement;
  if (now < notBefore - clockSkewSMax || now > notAfter + clockSkewSMax) {
    fail("statement_expired", `statement: have time ${now}, need ${notBefore} to ${notAfter}`);
  }
  const lifetimeS = notAfter - notBefore;
  if (lifetimeS > statementLifetimeSMax) {
    const need = `at most ${statementLifetimeSMax}`;
    fail("statement_expired", `statement: have a lifetime of ${lifetimeS} s, need ${need}`);
  }
}

function mismatch(field: string, have: string, need: string): never {
  return fail("statement_mismatch", `${field}: have ${have}, need ${need}`);
}

function ensureSame(field: string, have: Uint8Array, need: Uint8Array, note = ""): void {
  if (!equal(have, need)) mismatch(field, toHex(have), toHex(need) + note);
}

function ensureNetwork(statement: Statement, expectation: PeerExpectation): void {
  if (statement.chainId !== expectation.chainId) {
    mismatch("chain_id", String(statement.chainId), String(expectation.chainId));
  }
  ensureSame("contract", statement.contract, expectation.contract);
  if (statement.pool !== expectation.pool) {
    mismatch("pool", String(statement.pool), String(expectation.pool));
  }
  ensureSame("model_root", statement.modelRoot, expectation.modelRoot);
  const note = " (the SHA-256 of the policy file; all nodes of a network have one)";
  ensureSame("policy_hash", statement.policyHash, expectation.policyHash, note);
}

function ensureShard(statement: Statement, shards: readonly AcceptedShard[]): void {
  const { layers, shardRoot } = statement;
  const accepted = shards.some(
    (shard) => equal(shard.shardRoot, shardRoot) && sameLayers(shard.layers, layers),
  );
  if (!accepted) {
    const have = `layers ${layers.begin}..${layers.end} root ${toHex(shardRoot)}`;
    fail("shard_rejected", `shard: have ${have}, need one of ${shards.length} expected shards`);
  }
}

async function ensureBound(quote: VerifiedQuote, evidence: Evidence): Promise<TdReport> {
  // A node is a TD.
  if (quote.report.tee !== "TDX") {
    return fail("quote_unsupported", "TEE: have SGX, need TDX");
  }
  const need = await reportData(evidence.statement, evidence.nonce);
  if (!equal(quote.report.reportData, need)) {
    const have = toHex(quote.report.reportData);
    fail(
      "report_data_mismatch",
      `report data: have ${have}, need ${toHex(need)} of this statement and nonce`,
    );
  }
  return quote.report;
}

/**
 * What verifyEvidence looks at, in this order, where there is collateral; without it those from
 * "collateral in date" to "TCB status" are left out. What stands behind a failed check has not been
 * looked at.
 */
export const evidenceCheckNames = [
  "statement format",
  "quote format",
  "PCK chain",
  "QE report",
  "quote signature",
  "collateral in date",
  "not revoked",
  "quoting enclave",
  "TCB status",
  "report data",
  "hardware",
  "TCB policy",
  "platform and attributes",
  "measurements",
  "statement in date",
  "network",
  "weights",
] as const;

/**
 * Statement and quote belong together, the quote leads to a pinned root, the policy accepts it, the
 * statement is in date and says what is expected. `collateral` is what was verified for the node's
 * platform, if anything was. What was looked at goes to `checks`.
 * Errors, in the order of the checks: `statement_malformed`; those of verifyQuote;
 * `report_data_mismatch`; those of checkPolicy; `statement_expired` (also: not valid yet, or for
 * longer than a week); `statement_mismatch`; `shard_rejected`.
 */
export async function verifyEvidence(
  evidence: Evidence,
  expectation: PeerExpectation,
  policy: Policy,
  now: UnixSeconds,
  collateral?: VerifiedCollateral,
  checks?: Checks,
): Promise<VerifiedPeer> {
  const statement = step(
    checks,
    "statement format",
    () => decodeStatement(evidence.statement),
    (one) => `of software ${one.softwareVersion}, for layers ${layersText(one.layers)}`,
  );
  const quote = await verifyQuote(evidence.quote, collateral, policy.roots, now, checks);
  const report = await stepAsync(
    checks,
    "report data",
    () => ensureBound(quote, evidence),
    () =>
      evidence.nonce === undefined
        ? "the quote is over this statement and its keys"
        : "the quote is over this statement, its keys and the nonce of this call",
  );
  checkPolicy(quote, policy, now, checks);
  step(
    checks,
    "statement in date",
    () => ensureTime(statement, now),
    () => `${formatUtc(statement.notBefore)} to ${formatUtc(statement.notAfter)}`,
  );
  step(
    checks,
    "network",
    () => ensureNetwork(statement, expectation),
    () => "chain, contract, pool, model and policy are those of this network",
  );
  step(
    checks,
    "weights",
    () => ensureShard(statement, expectation.shards),
    () => `layers ${layersText(statement.layers)}, shard root ${toHex(statement.shardRoot)}`,
  );
  return { statement, quote, report, simulated: quote.simulated };
}

/** "0 to 3", the last one included. */
export function layersText(layers: LayerRange): string {
  return `${layers.begin} to ${layers.end - 1}`;
}
