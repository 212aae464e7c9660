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
import { receiptDigest, type Receipt } from "./receipt";

export interface ReceiptAnchor {
  chainId: bigint;
  /** 20 bytes. */
  contract: Uint8Array;
  /** receiptDigest of the receipt. */
  receipt: Uint8Array;
  entryNode: bigint;
  receiptsRoot: Uint8Array;
  proof: MerkleProof;
}

const malformed = "invalid_json";
const jsonDepthMax = 8;
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

/**
 * Members that are not asked for are passed over. Errors: `invalid_json`; `not_ready` while it is not
 * settled, with what the entry says of it.
 */
export function parseReceiptAnchor(source: string | Uint8Array): ReceiptAnchor {
  const limits = { bytesMax: anchorBytesMax, depthMax: jsonDepthMax };
  const value = inContext("anchor", () => parseJson(source, limits), malformed);
  const fields = new JsonMembers(value, "anchor", malformed);
  const state = fields.text("state", anchorBytesMax);
  if (state !== "settled") {
    const have = `the entry says that the receipt is ${quoteForeign(state)}`;
    fail("not_ready", `${have}, not settled`);
  }
  return {
    chainId: fields.bigNumber("chain_id"),
    contract: fields.hex("contract", 20),
    receipt: fields.hex("receipt", 32),
    entryNode: fields.bigNumber("entry_node"),
    receiptsRoot: fields.hex("receipts_root", 32),
    proof: readProof(fields.object("proof")),
  };
}

function rejected(detail: string): never {
  return fail("receipt_rejected", detail);
}

/**
 * The anchor is of this receipt and network, and its proof leads to the root. That the contract has
 * that root in a settlement of this entry's for the receipt's pool, the chain must say.
 * Error: `receipt_rejected`.
 */
export function ensureAnchored(
  receipt: Receipt,
  anchor: ReceiptAnchor,
  network: { chainId: bigint; contract: Uint8Array },
): void {
  if (anchor.chainId !== network.chainId || !equal(anchor.contract, network.contract)) {
    rejected("the anchor is in another contract than the network's");
  }
  const digest = receiptDigest(receipt);
  if (!equal(anchor.receipt, digest)) rejected("the anchor is another receipt's");
  const leaf = merkleLeaf("teetee receipt v1", [digest]);
  const root = inContext("anchor", () => merkleProofRoot(leaf, anchor.proof), "receipt_rejected");
  if (!equal(root, anchor.receiptsRoot)) {
    rejected("the proof does not lead from the receipt to the root");
  }
}
