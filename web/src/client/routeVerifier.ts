// SPDX-License-Identifier: Apache-2.0
import type { Address, Hex } from "viem";
import { TeeTeeError } from "../base/error";
import type { Deployment } from "../chain/deployment";
import type { LayerRange } from "./fields";

// What `client` needs of whoever judges evidence. `attest` implements it; it is pure: nothing of it
// fetches anything or looks at a clock.

/** Everything that a judgement of a route takes. */
export interface RouteEvidence {
  /** The body of /attestation, as it came. */
  readonly attestation: Uint8Array;
  /**
   * Random, of this very fetch: the first node's quote (the entry's) must be over its statement and
   * this. The quotes of the other nodes are over their statements alone.
   */
  readonly nonce: Uint8Array;
  /** The manifest's canonical bytes: what shards there are, and the model root. */
  readonly manifest: Uint8Array;
  /** The policy file's exact bytes; every statement must name their SHA-256. */
  readonly policy: Uint8Array;
  /** The body of /v1/collateral, or what stands for it; empty where there is none. */
  readonly collateral: Uint8Array;
  readonly expectation: RouteExpectation;
  /** Unix seconds. */
  readonly now: number;
}

/** What every statement must say. Where it is undefined, statements must name no chain (zeros). */
export interface RouteExpectation {
  readonly deployment: Deployment | undefined;
  /** 0 where there is no chain. */
  readonly pool: bigint;
  /**
   * From the chain where there is one, else what the user pinned; undefined: whatever the manifest
   * comes to, so that an entry says itself which model it serves.
   */
  readonly modelRoot: Hex | undefined;
  /** The same of the policy's SHA-256. */
  readonly policyHash: Hex | undefined;
}

/** One thing that was looked at in a node's evidence, for people. */
export interface EvidenceCheck {
  readonly name: string;
  readonly passed: boolean;
  /** What was found, in plain words. */
  readonly finding: string;
  /** Of one that failed, where the error says so. */
  readonly have?: string;
  readonly need?: string;
}

/** What was found of one node of a route that was rejected. */
export interface NodeReport {
  /** As far as its statement could be read. */
  readonly receiptKey: Address | undefined;
  readonly layers: LayerRange | undefined;
  readonly checks: readonly EvidenceCheck[];
  readonly error: TeeTeeError | undefined;
}

/** Why a route was rejected, with every check of every node: verifyRoute throws it. */
export class RouteRejected extends TeeTeeError {
  constructor(
    why: TeeTeeError,
    readonly nodes: readonly NodeReport[],
  ) {
    super(why.code, why.detail);
    this.name = "RouteRejected";
  }
}

/** A node whose evidence has been verified, with what its statement says. */
export interface VerifiedNode {
  /** The account whose key signs its receipts: its id. */
  readonly receiptKey: Address;
  readonly layers: LayerRange;
  readonly shardRoot: Hex;
  /** X25519, 32 bytes: what requests to it are sealed to. */
  readonly hpkeKey: Uint8Array;
  /** SHA-256 of the encoded statement. */
  readonly statementHash: Uint8Array;
  /** Unix seconds. */
  readonly notBefore: number;
  readonly notAfter: number;
  readonly softwareVersion: string;
  /** The quote is none of real hardware. */
  readonly isSimulated: boolean;
  /** Intel's converged TCB status, "UpToDate" say. */
  readonly tcbStatus: string;
  /** Intel's advisories that are open on the platform. */
  readonly advisories: readonly string[];
  /** The hash over the registers that name code, as a pool's list has them. */
  readonly measurement: Hex;
  readonly checks: readonly EvidenceCheck[];
  readonly statement: Uint8Array;
  readonly quote: Uint8Array;
}

export interface VerifiedRoute {
  /**
   * In the order of their layers, replicas one after another; the first one is the entry. Together
   * they have every layer of the manifest.
   */
  readonly nodes: readonly [VerifiedNode, ...VerifiedNode[]];
  readonly isSimulated: boolean;
  readonly modelRoot: Hex;
  readonly modelName: string;
  readonly layerCount: number;
  /** SHA-256 of the policy's bytes. */
  readonly policyHash: Hex;
}

/** What of a statement a registration is held against. */
export interface StatementFacts {
  readonly softwareVersion: string;
  readonly chainId: bigint;
  readonly contract: Address;
  readonly pool: bigint;
  readonly modelRoot: Hex;
  readonly shardRoot: Hex;
  readonly layers: LayerRange;
  readonly policyHash: Hex;
  readonly receiptAddress: Address;
  readonly notBefore: number;
  readonly notAfter: number;
}

/** What a quote says without being verified. */
export interface QuoteFacts {
  readonly reportData: Uint8Array;
  /** As a pool's list has it: src/attest/chain_measurement.hpp. */
  readonly measurement: Hex;
}

/** Evidence of one node, without a nonce, as a registration has it. */
export interface NodeEvidence {
  readonly statement: Uint8Array;
  readonly quote: Uint8Array;
  readonly manifest: Uint8Array;
  readonly policy: Uint8Array;
  readonly collateral: Uint8Array;
  readonly expectation: RouteExpectation;
  readonly now: number;
}

export interface RouteVerifier {
  /**
   * Judges every node of /attestation as src/client/verified_entry.cpp does: each statement and
   * quote belong together (the first with the nonce), the quote leads to a root that the policy
   * names, collateral is in date, the policy accepts the code and platform, the statement is in
   * date and says what is expected, its shard is the manifest's; the first node has layer 0, the
   * ranges follow each other (or repeat the one before: replicas) and end with the last layer.
   * Throws RouteRejected, or TeeTeeError where there is nothing to report, with the codes of src/attest/peer.hpp, policy_malformed, manifest_malformed.
   */
  verifyRoute(evidence: RouteEvidence): Promise<VerifiedRoute>;

  /** The same for a node alone, whatever its layers; of a shard of the manifest all the same. */
  verifyNode(evidence: NodeEvidence): Promise<VerifiedNode>;

  /** Error: statement_malformed. */
  decodeStatement(encoded: Uint8Array): StatementFacts;

  /** Errors: quote_malformed, quote_unsupported. */
  parseQuote(quote: Uint8Array): Promise<QuoteFacts>;

  /** What a quote over the statement has as report data; 64 bytes. */
  reportData(statement: Uint8Array, nonce?: Uint8Array): Promise<Uint8Array>;
}
