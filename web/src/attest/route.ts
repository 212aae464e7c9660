// SPDX-License-Identifier: Apache-2.0
// What an entry answers under /attestation, and whether it proves the whole route; the judgement of
// src/client/verified_entry.cpp, with a nonce.
import { fromBase64 } from "../base/bytes";
import { TeeTeeError, fail } from "../base/error";
import { isJsonArray, isJsonObject, JsonNumber, parseJson, type JsonValue } from "../base/json";
import type { UnixSeconds } from "../base/time";
import type { Checks } from "./check";
import { sha256Sync } from "./hash";
import { attestationBytesMax, attestationJsonDepthMax, attestationNodesMax } from "./limits";
import { verifyEvidence, type Evidence, type PeerExpectation, type VerifiedPeer } from "./peer";
import { findCollateral, type CollateralShelf } from "./platform";
import type { Policy } from "./policy";
import { sameLayers, type LayerRange } from "./statement";

/** Far beyond any clock. */
const entryTimeMax = 1n << 40n;

/** What nodes are held against. */
export interface Terms {
  /** Any node of the model. */
  expectation: PeerExpectation;
  policy: Policy;
  layerCount: number;
  /** Undefined: nowhere. */
  collateral?: CollateralShelf | undefined;
}

/** The evidence of each node, the entry's first; nothing is verified yet. */
export interface ShownRoute {
  nodes: readonly Evidence[];
  /** By the entry's clock; undefined where it does not say. Nobody vouches for it. */
  time: UnixSeconds | undefined;
}

function readBase64(value: JsonValue | undefined): Uint8Array {
  if (typeof value !== "string") {
    return fail("evidence_missing", "a node of the route shows no evidence");
  }
  return fromBase64(value);
}

/** Errors: `invalid_json`, `limit_exceeded`, `evidence_missing`, `invalid_argument` (base64). */
export function parseAttestation(source: string | Uint8Array): ShownRoute {
  const limits = { bytesMax: attestationBytesMax, depthMax: attestationJsonDepthMax };
  const body = parseJson(source, limits);
  const nodes = isJsonObject(body) ? body.get("nodes") : undefined;
  if (!isJsonObject(body) || nodes === undefined || !isJsonArray(nodes)) {
    return fail("invalid_json", "/attestation is malformed");
  }
  if (nodes.length > attestationNodesMax) {
    fail("limit_exceeded", `/attestation: have ${nodes.length}, need ${attestationNodesMax} nodes`);
  }
  const time = body.get("time");
  const whole = time instanceof JsonNumber ? time.whole() : undefined;
  return {
    nodes: nodes.map((node) => {
      const fields = isJsonObject(node) ? node : new Map<string, JsonValue>();
      const statement = readBase64(fields.get("statement"));
      return { statement, quote: readBase64(fields.get("quote")) };
    }),
    time: whole !== undefined && whole > 0n && whole < entryTimeMax ? Number(whole) : undefined,
  };
}

/** What was found of one node; with an error it is not to be trusted. */
export interface NodeReport {
  /** SHA-256 of the statement. */
  statementHash: Uint8Array;
  checks: Checks;
  peer: VerifiedPeer | undefined;
  error: TeeTeeError | undefined;
}

export interface RouteReport {
  /** In the route's order. */
  nodes: readonly NodeReport[];
  /** Of the route as a whole: every layer once, in order. */
  error: TeeTeeError | undefined;
  simulated: boolean;
  /** What requests are sealed to; undefined unless everything has been verified. */
  entry: RecipientOfEntry | undefined;
}

export interface RecipientOfEntry {
  /** X25519, 32 bytes. */
  hpkeKey: Uint8Array;
  /** SHA-256 of the entry's statement. */
  statementHash: Uint8Array;
  /** 20 bytes: what payments are made out to. */
  receiptAddress: Uint8Array;
}

async function judgeNode(evidence: Evidence, terms: Terms, now: UnixSeconds): Promise<NodeReport> {
  const report: NodeReport = {
    statementHash: sha256Sync(evidence.statement),
    checks: [],
    peer: undefined,
    error: undefined,
  };
  const { expectation, policy, collateral: shelf } = terms;
  const collateral = findCollateral(shelf, evidence.quote);
  try {
    const { checks } = report;
    report.peer = await verifyEvidence(evidence, expectation, policy, now, collateral, checks);
  } catch (thrown) {
    if (!(thrown instanceof TeeTeeError)) throw thrown;
    report.error = thrown;
  }
  return report;
}

/** In the order of their layers; the nodes of one slot follow each other. */
function ensureWholeRoute(peers: readonly VerifiedPeer[], layerCount: number): void {
  let last: LayerRange = { begin: 0, end: 0 };
  for (const { statement } of peers) {
    const { layers } = statement;
    if (layers.begin !== last.end && !sameLayers(layers, last)) {
      fail("shard_rejected", "the route leaves out layers");
    }
    last = layers;
  }
  if (last.end !== layerCount) fail("shard_rejected", "the route leaves out layers");
}

/**
 * Judges every node, and the route. The entry's quote, which is the first, must be over `nonce`,
 * which MUST be random and of this call. Never throws for what is wrong with the evidence.
 */
export async function judgeRoute(
  route: ShownRoute,
  terms: Terms,
  nonce: Uint8Array,
  now: UnixSeconds,
): Promise<RouteReport> {
  const nodes = await Promise.all(
    route.nodes.map((node, i) => judgeNode(i === 0 ? { ...node, nonce } : node, terms, now)),
  );
  const peers = nodes.flatMap(({ peer }) => (peer === undefined ? [] : [peer]));
  const report: RouteReport = {
    nodes,
    error: nodes.find(({ error }) => error !== undefined)?.error,
    simulated: peers.some((peer) => peer.simulated),
    entry: undefined,
  };
  if (report.error !== undefined) return report;
  try {
    ensureWholeRoute(peers, terms.layerCount);
  } catch (thrown) {
    if (!(thrown instanceof TeeTeeError)) throw thrown;
    report.error = thrown;
    return report;
  }
  const { hpkeKey, receiptAddress } = peers[0]!.statement;
  report.entry = { hpkeKey, receiptAddress, statementHash: nodes[0]!.statementHash };
  return report;
}

/** As judgeRoute; throws the first error instead. */
export async function verifyRoute(
  route: ShownRoute,
  terms: Terms,
  nonce: Uint8Array,
  now: UnixSeconds,
): Promise<RouteReport & { entry: RecipientOfEntry }> {
  const report = await judgeRoute(route, terms, nonce, now);
  if (report.error !== undefined) throw report.error;
  return { ...report, entry: report.entry! };
}
