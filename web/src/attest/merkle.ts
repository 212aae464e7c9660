// SPDX-License-Identifier: Apache-2.0
// Merkle trees over SHA-256, as Certificate Transparency separates leaves from nodes (RFC 9162,
// section 2.1); src/crypto/merkle.hpp. All integers are little-endian.
import { utf8 } from "../base/bytes";
import { fail } from "../base/error";
import { ByteWriter } from "../base/reader";
import { sha256Sync } from "./hash";

/**
 * SHA-256(0x00 || field(tag) || field(fields[0]) || ..), where field(x) = u32 length of x || x. The
 * tag says what kind of leaf it is.
 */
export function merkleLeaf(tag: string, fields: readonly Uint8Array[]): Uint8Array {
  const leaf = new ByteWriter().u8(0).lengthPrefixed(utf8(tag));
  for (const field of fields) leaf.lengthPrefixed(field);
  return sha256Sync(leaf.view());
}

function joined(left: Uint8Array, right: Uint8Array): Uint8Array {
  return sha256Sync(new ByteWriter().u8(1).bytes(left).bytes(right).view());
}

/**
 * The leaves are the lowest row. Each row's neighbours are joined to SHA-256(0x01 || left || right)
 * in the row above; a last one without neighbour moves up unchanged. There MUST be a leaf.
 */
export function merkleRoot(leaves: readonly Uint8Array[]): Uint8Array {
  let row = [...leaves];
  while (row.length > 1) {
    const above: Uint8Array[] = [];
    for (let i = 0; i < row.length; i += 2) {
      const right = row[i + 1];
      above.push(right === undefined ? row[i]! : joined(row[i]!, right));
    }
    row = above;
  }
  return row[0]!;
}

/** That a leaf is one of those under a root. */
export interface MerkleProof {
  index: bigint;
  /** Of all leaves. */
  count: bigint;
  /** Neighbours on the way up, where there is one. */
  siblings: readonly Uint8Array[];
}

/**
 * The root that leaf and proof lead to. Error: `invalid_argument` when the index is none of the
 * count's, or its way up has another number of neighbours.
 */
export function merkleProofRoot(leaf: Uint8Array, proof: MerkleProof): Uint8Array {
  if (proof.index >= proof.count) {
    fail("invalid_argument", `leaf ${proof.index} of ${proof.count}`);
  }
  let out = leaf;
  let used = 0;
  let index = proof.index;
  for (let count = proof.count; count > 1n; count = (count + 1n) / 2n, index /= 2n) {
    if ((index ^ 1n) >= count) continue;
    const sibling = proof.siblings[used++];
    if (sibling === undefined) {
      return fail("invalid_argument", "the proof has too few neighbours");
    }
    out = index % 2n === 0n ? joined(out, sibling) : joined(sibling, out);
  }
  if (used !== proof.siblings.length) {
    fail("invalid_argument", "the proof has too many neighbours");
  }
  return out;
}
