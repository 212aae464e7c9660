// SPDX-License-Identifier: Apache-2.0
import type { Address, Hex } from "viem";
import { ensureAnchored, parseReceiptAnchor, type ReceiptAnchor } from "../attest/receiptAnchor";
import { fromHex, toHex } from "../base/bytes";
import { asError, fail, type TeeTeeError } from "../base/error";
import { type Deployment, isSameAddress, isSameDeployment } from "../chain/deployment";
import { type ChainReader, readAnchoredAt, readNode } from "../chain/reads";
import type { AnswerPart } from "./ask";
import type { EntryPool } from "./entryPool";
import { paymentAnswerBytesMax, receiptBytesMax } from "./limits";

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

/**
 * Errors: `receipt_unknown` for an answer that was not charged; those of VerifiedEntry.fetch and
 * parseReceiptAnchor.
 */
export async function fetchReceiptAnchor(
  pool: EntryPool,
  part: AnswerPart,
  signal?: AbortSignal,
): Promise<ReceiptAnchor> {
  if (part.receiptPath === "") fail("receipt_unknown", "the entry named no receipt");
  const call = { method: "GET", path: `${part.receiptPath}/anchor`, signal } as const;
  return parseReceiptAnchor(
    await pool.use(part.entry.url, (entry) => entry.fetch(call, paymentAnswerBytesMax)),
  );
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
  if (!isSameDeployment(reader.deployment, receipt.deployment)) {
    fail("receipt_rejected", "the receipt is of another contract than the one that is read");
  }
  const { chainId, contract } = receipt.deployment;
  const network = { chainId: BigInt(chainId), contract: fromHex(contract.slice(2)) };
  const place = ensureAnchored(fromHex(receipt.digest.slice(2)), anchor, network);
  const root: Hex = `0x${toHex(place.receiptsRoot)}`;
  const node = await readNode(reader, place.entryNode);
  if (!isSameAddress(node.receiptKey, receipt.entry) || node.pool !== receipt.pool) {
    fail("receipt_rejected", `node ${place.entryNode} is not the entry that signed the receipt`);
  }
  const at = await readAnchoredAt(reader, place.entryNode, root);
  return at ?? fail("receipt_rejected", `the contract has no settlement with root ${root}`);
}
