// SPDX-License-Identifier: Apache-2.0
import { createClient, custom, encodeFunctionResult, decodeFunctionData, type Hex } from "viem";
import { describe, expect, it } from "vitest";
import { concat, fromHex, sha256, toHex } from "../base/bytes";
import { teeTeeAbi } from "../chain/abi";
import { toAddress } from "../chain/deployment";
import type { ChainReader } from "../chain/reads";
import { type MerkleProof, merkleProofRoot } from "../attest/merkle";
import { type AnchorPlace, parseReceiptAnchor, receiptLeaf } from "../attest/receiptAnchor";
import { checkAnchor, ensureReceiptOf } from "./receipts";

const contract = toAddress(`0x${"c0".repeat(20)}`, "contract");
const entry = toAddress(`0x${"e1".repeat(20)}`, "entry");
const deployment = { chainId: 31337, contract };
const digest: Hex = `0x${"d1".repeat(32)}`;

const node = (left: Uint8Array, right: Uint8Array) =>
  sha256(concat(new Uint8Array([1]), left, right));

/** The tree of src/crypto/merkle.cpp, and the proof of one leaf. */
async function treeOf(leaves: readonly Uint8Array[], index: number) {
  const siblings: Uint8Array[] = [];
  let row = [...leaves];
  for (let at = index; row.length > 1; at = Math.floor(at / 2)) {
    const sibling = row[at ^ 1];
    if (sibling) siblings.push(sibling);
    const above: Uint8Array[] = [];
    for (let i = 0; i < row.length; i += 2) {
      const [left, right] = [row[i], row[i + 1]];
      if (left) above.push(right ? await node(left, right) : left);
    }
    row = above;
  }
  return {
    root: row[0] ?? new Uint8Array(0),
    proof: { index: BigInt(index), count: BigInt(leaves.length), siblings },
  };
}

const filled = (value: number) => new Uint8Array(32).fill(value);

describe("a proof that a receipt is anchored", () => {
  it("leads to the root from every leaf of every tree", async () => {
    for (let count = 1; count <= 17; count++) {
      const leaves = Array.from({ length: count }, (_, at) => filled(at + 1));
      for (let index = 0; index < count; index++) {
        const { root, proof } = await treeOf(leaves, index);
        expect(toHex(merkleProofRoot(filled(index + 1), proof))).toBe(toHex(root));
      }
    }
  });

  it("leads nowhere with a neighbour more, less or other, or another place", async () => {
    const leaves = Array.from({ length: 5 }, (_, at) => filled(at + 1));
    const { root, proof } = await treeOf(leaves, 2);
    const rootOf = async (change: Partial<MerkleProof>) =>
      toHex(merkleProofRoot(filled(3), { ...proof, ...change }));
    expect(await rootOf({})).toBe(toHex(root));
    expect(await rootOf({ index: 3n })).not.toBe(toHex(root));
    const [first, ...others] = proof.siblings;
    expect(await rootOf({ siblings: [filled(9), ...others] })).not.toBe(toHex(root));
    await expect(rootOf({ siblings: others })).rejects.toThrow("too few");
    await expect(rootOf({ siblings: [...proof.siblings, first ?? filled(1)] })).rejects.toThrow(
      "too many",
    );
    await expect(rootOf({ index: 5n })).rejects.toThrow("invalid_argument");
    await expect(rootOf({ count: 0n })).rejects.toThrow("invalid_argument");
  });
});

/** A contract with one node, and one anchor at the time 77. */
function readerOf(root: Hex, receiptKey = entry): ChainReader {
  const transport = custom({
    request: async ({ params }) => {
      const [{ data }] = params as [{ data: Hex }];
      const { functionName, args } = decodeFunctionData({ abi: teeTeeAbi, data });
      if (functionName === "nodeInfo") {
        return encodeFunctionResult({
          abi: teeTeeAbi,
          functionName,
          result: {
            receiptKey,
            expiry: 9,
            slot: 0,
            left: false,
            host: entry,
            pool: 1,
            measurement: digest,
          },
        });
      }
      const isIt = functionName === "anchoredAt" && args[0] === 4n && args[1] === root;
      return encodeFunctionResult({
        abi: teeTeeAbi,
        functionName: "anchoredAt",
        result: isIt ? 77n : 0n,
      });
    },
  });
  return { client: createClient({ transport }), deployment };
}

async function anchorJson() {
  const leaf = receiptLeaf(fromHex(digest.slice(2)));
  const { root, proof } = await treeOf([filled(1), leaf, filled(3)], 1);
  return {
    state: "settled",
    receipt: digest,
    chain_id: "31337",
    contract,
    entry_node: "4",
    receipts_root: `0x${toHex(root)}`,
    proof: {
      index: Number(proof.index),
      count: Number(proof.count),
      siblings: proof.siblings.map((one) => `0x${toHex(one)}`),
    },
  };
}

describe("a receipt's anchor", () => {
  it("is in the contract, or is rejected", async () => {
    const json = await anchorJson();
    const anchor = parseReceiptAnchor(JSON.stringify(json));
    const place = anchor.place!;
    const root = json.receipts_root as Hex;
    const receipt = { deployment, pool: 1n, digest, entry };
    expect(await checkAnchor(readerOf(root), receipt, anchor)).toBe(77);
    const other = { ...deployment, chainId: 1 };
    const otherReader = { ...readerOf(root), deployment: other };
    const at = (change: Partial<AnchorPlace>) => ({ ...anchor, place: { ...place, ...change } });
    const cases: (() => Promise<unknown>)[] = [
      () => checkAnchor(readerOf(`0x${"00".repeat(31)}01`), receipt, anchor),
      () => checkAnchor(readerOf(root, contract), receipt, anchor),
      () => checkAnchor(readerOf(root), { ...receipt, pool: 2n }, anchor),
      () => checkAnchor(readerOf(root), { ...receipt, deployment: other }, anchor),
      () => checkAnchor(readerOf(root), { ...receipt, digest: `0x${"d2".repeat(32)}` }, anchor),
      () => checkAnchor(readerOf(root), receipt, at({ receiptsRoot: filled(0xd1) })),
      () =>
        checkAnchor(readerOf(root), receipt, at({ proof: { index: 0n, count: 1n, siblings: [] } })),
      () => checkAnchor(otherReader, receipt, anchor),
    ];
    for (const one of cases) await expect(one()).rejects.toThrow("receipt_rejected");
    const early = { ...anchor, state: "settling" } as const;
    await expect(checkAnchor(readerOf(root), receipt, early)).rejects.toThrow("not_ready");
  });
});

describe("the receipt that was asked for", () => {
  const request = fromHex("00112233445566778899aabbccddeeff");

  it("is the one of its id, whatever stands before that", () => {
    const id = toHex(request);
    for (const one of [id, id.toUpperCase(), `chatcmpl-${id}`, `cmpl-${id}`]) {
      ensureReceiptOf(request, one);
    }
    for (const one of ["", id.slice(1), `${id}0`, `${id}-`, `f${id.slice(1)}`]) {
      expect(() => ensureReceiptOf(request, one)).toThrow(
        `receipt_rejected: receipt: have that of`,
      );
    }
  });
});
