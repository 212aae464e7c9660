// SPDX-License-Identifier: Apache-2.0
import { getAddress, type Address, type Hex, zeroAddress } from "viem";
import { fromHex, sha256, toHex } from "../base/bytes";
import { fail, TeeTeeError } from "../base/error";
import { chainMeasurement } from "../attest/chainMeasurement";
import type { Checks } from "../attest/check";
import { type Manifest, parseManifest } from "../attest/manifest";
import { type PeerExpectation, type VerifiedPeer, verifyEvidence } from "../attest/peer";
import { findCollateral, verifyCollateralList } from "../attest/platform";
import { parsePolicy } from "../attest/policyJson";
import { parseQuote } from "../attest/quote";
import { judgeRoute, parseAttestation, type ShownRoute, type Terms } from "../attest/route";
import { decodeStatement, reportData, type Statement } from "../attest/statement";
import {
  type NodeEvidence,
  type NodeReport,
  type QuoteFacts,
  type RouteEvidence,
  RouteRejected,
  type RouteVerifier,
  type StatementFacts,
  type VerifiedNode,
  type VerifiedRoute,
} from "./routeVerifier";

// The verifier of `attest`, as `client` asks it.

const hexOf = (bytes: Uint8Array): Hex => `0x${toHex(bytes)}`;
const addressOf = (bytes: Uint8Array): Address => getAddress(hexOf(bytes));
const bytesOf = (hex: string) => fromHex(hex.replace(/^0x/, ""));

function ensureExpected(what: string, have: Hex, need: Hex | undefined): void {
  if (need !== undefined && have !== need.toLowerCase()) {
    fail("statement_mismatch", `${what}: have ${have}, need ${need}`);
  }
}

interface JudgedTerms {
  readonly terms: Terms;
  readonly manifest: Manifest;
  readonly policyHash: Hex;
  /** Why collateral that the entry has handed out does not count. */
  readonly rejected: readonly TeeTeeError[];
}

/** What nodes are held against, of documents that an entry or the user has named. */
async function termsOf(
  evidence: Omit<RouteEvidence, "attestation" | "nonce">,
): Promise<JudgedTerms> {
  const { expectation, now } = evidence;
  const manifest = parseManifest(evidence.manifest);
  const policy = parsePolicy(evidence.policy);
  const policyHash = hexOf(await sha256(evidence.policy));
  ensureExpected("model root", hexOf(manifest.modelRoot), expectation.modelRoot);
  ensureExpected("policy", policyHash, expectation.policyHash);
  const listed =
    evidence.collateral.length === 0
      ? undefined
      : await verifyCollateralList(evidence.collateral, policy.roots, now);
  const expected: PeerExpectation = {
    chainId: BigInt(expectation.deployment?.chainId ?? 0),
    contract: bytesOf(expectation.deployment?.contract ?? zeroAddress),
    pool: expectation.pool,
    modelRoot: manifest.modelRoot,
    policyHash: bytesOf(policyHash),
    shards: manifest.shards.map(({ root, layers }) => ({ shardRoot: root, layers })),
  };
  const terms = {
    expectation: expected,
    policy,
    layerCount: manifest.layerCount,
    collateral: listed?.shelf,
  };
  const rejected = (listed?.rejected ?? []).map(({ error }) => error);
  return { terms, manifest, policyHash, rejected };
}

function nodeOf(
  peer: VerifiedPeer,
  checks: Checks,
  statementHash: Uint8Array,
  documents: { readonly statement: Uint8Array; readonly quote: Uint8Array },
): VerifiedNode {
  const { statement, quote, report } = peer;
  return {
    receiptKey: addressOf(statement.receiptAddress),
    layers: statement.layers,
    shardRoot: hexOf(statement.shardRoot),
    hpkeKey: statement.hpkeKey,
    statementHash,
    notBefore: statement.notBefore,
    notAfter: statement.notAfter,
    softwareVersion: statement.softwareVersion,
    isSimulated: peer.simulated,
    tcbStatus: quote.tcb?.status ?? "",
    advisories: quote.tcb?.advisories ?? [],
    measurement: hexOf(chainMeasurement(report)),
    checks,
    ...documents,
  };
}

/** That collateral is missing says less than why the one that there was does not count. */
function reasonOf(error: TeeTeeError, rejected: readonly TeeTeeError[]): TeeTeeError {
  return error.code === "collateral_missing" ? (rejected[0] ?? error) : error;
}

function statementIn(encoded: Uint8Array): Statement | undefined {
  try {
    return decodeStatement(encoded);
  } catch (thrown) {
    if (thrown instanceof TeeTeeError) return undefined;
    throw thrown;
  }
}

async function verifyRoute(evidence: RouteEvidence): Promise<VerifiedRoute> {
  const { terms, manifest, policyHash, rejected } = await termsOf(evidence);
  const shown: ShownRoute = parseAttestation(evidence.attestation);
  const report = await judgeRoute(shown, terms, evidence.nonce, evidence.now);
  if (report.error) {
    const reports = report.nodes.map((node, at): NodeReport => {
      const statement = statementIn(shown.nodes[at]?.statement ?? new Uint8Array(0));
      return {
        receiptKey: statement && addressOf(statement.receiptAddress),
        layers: statement?.layers,
        checks: node.checks,
        error: node.error,
      };
    });
    throw new RouteRejected(reasonOf(report.error, rejected), reports);
  }
  const nodes = report.nodes.map(({ peer, checks, statementHash }, at) => {
    const documents = shown.nodes[at];
    if (!peer || !documents) return fail("internal", "route: a node without its verdict");
    const { statement, quote } = documents;
    return nodeOf(peer, checks, statementHash, { statement, quote });
  });
  const [entry, ...others] = nodes;
  if (!entry) return fail("evidence_missing", "the entry shows no route");
  return {
    nodes: [entry, ...others],
    isSimulated: report.simulated,
    modelRoot: hexOf(manifest.modelRoot),
    modelName: manifest.name,
    layerCount: manifest.layerCount,
    policyHash,
  };
}

async function verifyNode(evidence: NodeEvidence): Promise<VerifiedNode> {
  const { statement, quote, now } = evidence;
  const { terms, rejected } = await termsOf(evidence);
  const collateral = findCollateral(terms.collateral, quote);
  const checks: Checks = [];
  const documents = { statement, quote };
  try {
    const { expectation, policy } = terms;
    const peer = await verifyEvidence(documents, expectation, policy, now, collateral, checks);
    return nodeOf(peer, checks, await sha256(statement), documents);
  } catch (thrown) {
    if (!(thrown instanceof TeeTeeError)) throw thrown;
    const facts = statementIn(statement);
    const receiptKey = facts && addressOf(facts.receiptAddress);
    throw new RouteRejected(reasonOf(thrown, rejected), [
      { receiptKey, layers: facts?.layers, checks, error: thrown },
    ]);
  }
}

function statementFacts(encoded: Uint8Array): StatementFacts {
  const one = decodeStatement(encoded);
  return {
    softwareVersion: one.softwareVersion,
    chainId: one.chainId,
    contract: addressOf(one.contract),
    pool: one.pool,
    modelRoot: hexOf(one.modelRoot),
    shardRoot: hexOf(one.shardRoot),
    layers: one.layers,
    policyHash: hexOf(one.policyHash),
    receiptAddress: addressOf(one.receiptAddress),
    notBefore: one.notBefore,
    notAfter: one.notAfter,
  };
}

async function quoteFacts(encoded: Uint8Array): Promise<QuoteFacts> {
  const { report } = parseQuote(encoded);
  if (report.tee !== "TDX") return fail("quote_unsupported", "quote: need one of a TD");
  return { reportData: report.reportData, measurement: hexOf(chainMeasurement(report)) };
}

export const attestVerifier: RouteVerifier = {
  verifyRoute,
  verifyNode,
  decodeStatement: statementFacts,
  parseQuote: quoteFacts,
  reportData,
};
