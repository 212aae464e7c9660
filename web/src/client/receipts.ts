// SPDX-License-Identifier: Apache-2.0
import type { Address, Hex } from "viem";
import { merkleLeaf, merkleProofRoot, type MerkleProof } from "../attest/merkle";
import { fromHex, toHex } from "../base/bytes";
import { asError, fail, type TeeTeeError } from "../base/error";
import { type Deployment, isSameAddress, isSameDeployment, toAddress } from "../chain/deployment";
import { type ChainReader, readAnchoredAt, readNode } from "../chain/reads";
import type { AnswerPart } from "./ask";
import type { EntryPool } from "./entryPool";
import { Fields } from "./fields";
import { merkleSiblingsMax, paymentAnswerBytesMax, receiptBytesMax } from "./limits";

/** A receipt comes when the stages' quotes have, which the entry waits 20 s for. */
const receiptSilenceMs = 40_000;

/**
 * The receipt of one part of an answer, as bytes that `attest` parses and checks. Sealed: who knows
 * its id has it. Errors: `receipt_unknown`, those of VerifiedEntry.fetch.
 */
export async function fetchReceipt(
  pool: EntryPool,
  part: AnswerPart,
  signal?: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> {
  if (part.receiptPath === "") fail("receipt_unknown", "the entry named no receipt");
  const call = { method: "GET", path: part.receiptPath, signal } as const;
  return pool.use(part.entry.url, (entry) =>
    entry.fetch({ ...call, silenceMs: receiptSilenceMs }, receiptBytesMax),
  );
}

/**
 * That a receipt is the one that was asked for: an entry could hand out that of another answer, whose
 * every check passes. Ids are `PREFIX-HEX`, or the hex digits alone. Error: `receipt_rejected`.
 */
export function ensureReceiptOf(request: Uint8Array, id: string): void {
  const need = id.slice(id.lastIndexOf("-") + 1).toLowerCase();
  const have = toHex(request);
  if (have !== need) fail("receipt_rejected", `receipt: have that of ${have}, need ${need}`);
}

/** The receipt of each part of an answer, or why there is none: an entry that died took its own along. */
export interface PartReceipt {
  readonly part: AnswerPart;
  readonly receipt: Uint8Array<ArrayBuffer> | undefined;
  readonly error: TeeTeeError | undefined;
}

export async function fetchReceipts(
  pool: EntryPool,
  parts: readonly AnswerPart[],
  signal?: AbortSignal,
): Promise<readonly PartReceipt[]> {
  return Promise.all(
    parts.map(async (part) => {
      try {
        return { part, receipt: await fetchReceipt(pool, part, signal), error: undefined };
      } catch (thrown) {
        return { part, receipt: undefined, error: asError(thrown) };
      }
    }),
  );
}

/** Where a charge stands, as the entry says; the last three once it belongs to a settlement. */
export interface ReceiptAnchor {
  readonly state: "unsettled" | "settling" | "settled" | "given_up";
  readonly deployment: Deployment;
  /** The receipt's digest. */
  readonly receipt: Hex;
  readonly entryNode: bigint | undefined;
  readonly receiptsRoot: Hex | undefined;
  readonly proof: MerkleProof | undefined;
}

const states = ["unsettled", "settling", "settled", "given_up"] as const;

function proofOf(fields: Fields): MerkleProof {
  return {
    index: BigInt(fields.number("index")),
    count: BigInt(fields.number("count")),
    siblings: fields.list("siblings", merkleSiblingsMax).map((item) => {
      const isDigest = typeof item === "string" && /^0x[0-9a-fA-F]{64}$/.test(item);
      return isDigest ? fromHex(item.slice(2)) : fields.wrong("siblings", "32 bytes in hex each");
    }),
  };
}

/** GET /v1/receipts/ID/anchor. Error: `invalid_json`. */
export function parseReceiptAnchor(value: unknown): ReceiptAnchor {
  const fields = Fields.of(value, "anchor");
  const text = fields.text("state");
  const state = states.find((one) => one === text) ?? fields.wrong("state", states.join(", "));
  const isPlaced = fields.has("receipts_root") || state === "settled";
  return {
    state,
    deployment: {
      chainId: Number(fields.bigNumber("chain_id")),
      contract: toAddress(fields.text("contract"), "anchor.contract"),
    },
    receipt: fields.hex("receipt", 32),
    entryNode: isPlaced ? fields.bigNumber("entry_node") : undefined,
    receiptsRoot: isPlaced ? fields.hex("receipts_root", 32) : undefined,
    proof: isPlaced ? proofOf(fields.object("proof")) : undefined,
  };
}

/** Errors: `receipt_unknown` for an answer that was not charged; those of VerifiedEntry.fetchJson. */
export async function fetchReceiptAnchor(
  pool: EntryPool,
  part: AnswerPart,
  signal?: AbortSignal,
): Promise<ReceiptAnchor> {
  if (part.receiptPath === "") fail("receipt_unknown", "the entry named no receipt");
  const call = { method: "GET", path: `${part.receiptPath}/anchor`, signal } as const;
  return parseReceiptAnchor(
    await pool.use(part.entry.url, (entry) => entry.fetchJson(call, paymentAnswerBytesMax)),
  );
}

/** Under a settlement's root: a leaf of "teetee receipt v1" and the receipt's digest. */
export function receiptLeaf(receipt: Uint8Array): Uint8Array {
  return merkleLeaf("teetee receipt v1", [receipt]);
}

/** What is known of a receipt before its anchor is looked up. */
export interface AnchoredReceipt {
  readonly deployment: Deployment;
  readonly pool: bigint;
  /** EIP-712 digest of the receipt. */
  readonly digest: Hex;
  /** The key that signed it. */
  readonly entry: Address;
}

/**
 * That the contract has the receipt, by an anchor that is `settled`; when, Unix seconds. Errors:
 * `not_ready` before; `receipt_rejected`, as src/client/receipt_anchor.cpp; those of reading the chain.
 */
export async function checkAnchor(
  reader: ChainReader,
  receipt: AnchoredReceipt,
  anchor: ReceiptAnchor,
): Promise<number> {
  const { entryNode, receiptsRoot, proof } = anchor;
  if (anchor.state !== "settled" || entryNode === undefined || !receiptsRoot || !proof) {
    return fail("not_ready", `the entry says that the receipt is ${anchor.state}, not settled`);
  }
  if (
    !isSameDeployment(anchor.deployment, receipt.deployment) ||
    !isSameDeployment(reader.deployment, receipt.deployment)
  ) {
    fail("receipt_rejected", "the anchor is in another contract than the network's");
  }
  if (anchor.receipt !== receipt.digest.toLowerCase()) {
    fail("receipt_rejected", "the anchor is another receipt's");
  }
  const root = proofRoot(receipt.digest, proof);
  if (root !== receiptsRoot) {
    fail("receipt_rejected", "the proof does not lead from the receipt to the root");
  }
  const node = await readNode(reader, entryNode);
  if (!isSameAddress(node.receiptKey, receipt.entry) || node.pool !== receipt.pool) {
    fail("receipt_rejected", `node ${entryNode} is not the entry that signed the receipt`);
  }
  const at = await readAnchoredAt(reader, entryNode, receiptsRoot);
  return at ?? fail("receipt_rejected", `the contract has no settlement with root ${receiptsRoot}`);
}

function proofRoot(digest: Hex, proof: MerkleProof): Hex {
  try {
    return `0x${toHex(merkleProofRoot(receiptLeaf(fromHex(digest.slice(2))), proof))}`;
  } catch (thrown) {
    return fail("receipt_rejected", asError(thrown).detail);
  }
}
