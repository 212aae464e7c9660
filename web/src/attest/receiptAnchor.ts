// SPDX-License-Identifier: Apache-2.0
// Where an entry says that a receipt is anchored (GET /v1/receipts/ID/anchor); the part of
// src/client/receipt_anchor.hpp that needs no chain. Nothing of it is believed: the receipt leads to
// the root, and the contract has the root or not.
import { equal } from "../base/bytes";
import { fail } from "../base/error";
import { parseJson } from "../base/json";
import { inContext, quoteForeign } from "../base/text";
import { JsonMembers } from "./jsonMembers";
import { anchorBytesMax, merkleSiblingsMax } from "./limits";
import { merkleLeaf, merkleProofRoot, type MerkleProof } from "./merkle";

const states = ["unsettled", "settling", "settled", "given_up"] as const;

/** Where a charge stands, as the entry says. */
export interface ReceiptAnchor {
  state: (typeof states)[number];
  chainId: bigint;
  /** 20 bytes. */
  contract: Uint8Array;
  /** receiptDigest of the receipt. */
  receipt: Uint8Array;
  /** Once it belongs to a settlement. */
  place: AnchorPlace | undefined;
}

/** Where in the contract a receipt is. */
export interface AnchorPlace {
  entryNode: bigint;
  /** 32 bytes. */
  receiptsRoot: Uint8Array;
  proof: MerkleProof;
}

const malformed = "invalid_json";
const jsonDepthMax = 8;
const stateBytesMax = 256;
const numberMax = Number.MAX_SAFE_INTEGER;

function readProof(fields: JsonMembers): MerkleProof {
  const siblings = fields.array("siblings", merkleSiblingsMax).map((value) => {
    const holder = new JsonMembers(new Map([["siblings", value]]), "anchor.proof", malformed);
    return holder.hex("siblings", 32);
  });
  return {
    index: BigInt(fields.number("index", numberMax)),
    count: BigInt(fields.number("count", numberMax)),
    siblings,
  };
}

function readPlace(fields: JsonMembers): AnchorPlace {
  return {
    entryNode: fields.bigNumber("entry_node"),
    receiptsRoot: fields.hex("receipts_root", 32),
    proof: readProof(fields.object("proof")),
  };
}

/** Members that are not asked for are passed over. Error: `invalid_json`. */
export function parseReceiptAnchor(source: string | Uint8Array): ReceiptAnchor {
  const limits = { bytesMax: anchorBytesMax, depthMax: jsonDepthMax };
  const value = inContext("anchor", () => parseJson(source, limits), malformed);
  const fields = new JsonMembers(value, "anchor", malformed);
  const text = fields.text("state", stateBytesMax);
  const state =
    states.find((one) => one === text) ??
    fields.wrong("state", quoteForeign(text), states.join(", "));
  const isPlaced = state === "settled" || fields.has("receipts_root");
  return {
    state,
    chainId: fields.bigNumber("chain_id"),
    contract: fields.hex("contract", 20),
    receipt: fields.hex("receipt", 32),
    place: isPlaced ? readPlace(fields) : undefined,
  };
}

/** A leaf of a settlement's tree, of the receipt's digest. */
export function receiptLeaf(digest: Uint8Array): Uint8Array {
  return merkleLeaf("teetee receipt v1", [digest]);
}

function rejected(detail: string): never {
  return fail("receipt_rejected", detail);
}

/**
 * The anchor is of the receipt with this digest and of this network, and its proof leads to the root:
 * where the contract must have it. That it has, in a settlement of this entry's for the receipt's
 * pool, the chain must say. Errors: `not_ready` while it is not settled; `receipt_rejected`.
 */
export function ensureAnchored(
  digest: Uint8Array,
  anchor: ReceiptAnchor,
  network: { chainId: bigint; contract: Uint8Array },
): AnchorPlace {
  const { state, place } = anchor;
  if (state !== "settled" || place === undefined) {
    return fail("not_ready", `the entry says that the receipt is ${state}, not settled`);
  }
  if (anchor.chainId !== network.chainId || !equal(anchor.contract, network.contract)) {
    rejected("the anchor is in another contract than the network's");
  }
  if (!equal(anchor.receipt, digest)) rejected("the anchor is another receipt's");
  const leaf = receiptLeaf(digest);
  const root = inContext("anchor", () => merkleProofRoot(leaf, place.proof), "receipt_rejected");
  if (!equal(root, place.receiptsRoot)) {
    rejected("the proof does not lead from the receipt to the root");
  }
  return place;
}
