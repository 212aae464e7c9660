// SPDX-License-Identifier: Apache-2.0
// Whether the contract has a receipt: the entry tells the way up the tree, the contract has the root.
import type { Address, Hex } from "viem";
import { parseReceiptAnchor, type ReceiptAnchor } from "../../attest/receiptAnchor";
import { toHex } from "../../base/bytes";
import { fail } from "../../base/error";
import { isSameAddress, toAddress } from "../../chain/deployment";
import { paymentAnswerBytesMax } from "../../client/limits";
import { checkAnchor } from "../../client/receipts";
import type { VerifiedEntry } from "../../client/verifiedEntry";
import type { Connection } from "../network/connection";
import type { ReceiptView } from "./views";

export interface AnchorFound {
  readonly state: ReceiptAnchor["state"];
  /** Unix seconds; of one that the contract has. */
  readonly anchoredAt: number | undefined;
  readonly entryNode: bigint | undefined;
  readonly receiptsRoot: Hex | undefined;
}

/** The entry that signed the receipt, among those that are known. */
async function entryOf(connection: Connection, signer: string): Promise<VerifiedEntry> {
  const { entries } = connection;
  for (const url of entries.urls) {
    try {
      const entry = await entries.open(url);
      if (isSameAddress(entry.receiptKey, signer)) return entry;
    } catch {
      // Another one may be it.
    }
  }
  return fail("receipt_unknown", "the entry that signed the receipt is none of those in reach");
}

/**
 * Errors: `receipt_unknown` where its entry is gone or has forgotten it; `receipt_rejected` where the
 * contract does not have what the entry says; those of asking.
 */
export async function findAnchor(
  connection: Connection,
  receipt: ReceiptView,
  signal: AbortSignal,
): Promise<AnchorFound> {
  const { chain } = connection;
  if (chain === undefined) return fail("config_invalid", "the connected network has no chain");
  const signer = receipt.stages[0]?.node ?? "";
  const entry = await entryOf(connection, signer);
  const path = `/v1/receipts/${receipt.request}/anchor`;
  const answer = await entry.fetch({ method: "GET", path, signal }, paymentAnswerBytesMax);
  const anchor = parseReceiptAnchor(answer);
  const { state, place } = anchor;
  const entryNode = place?.entryNode;
  const receiptsRoot: Hex | undefined = place && `0x${toHex(place.receiptsRoot)}`;
  if (state !== "settled") return { state, anchoredAt: undefined, entryNode, receiptsRoot };
  const about = {
    deployment: {
      chainId: Number(receipt.chainId),
      contract: toAddress(receipt.contract, "receipt.contract"),
    },
    pool: BigInt(receipt.pool),
    digest: receipt.digest as Hex,
    entry: signer as Address,
  };
  const anchoredAt = await checkAnchor(chain.reader, about, anchor);
  return { state, anchoredAt, entryNode, receiptsRoot };
}
