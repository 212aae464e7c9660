// SPDX-License-Identifier: Apache-2.0
// Who signed a digest, as Ethereum's accounts do; src/crypto/secp256k1.hpp.
import { recoverAddress as viemRecoverAddress } from "viem";
import { fromHex, toHex } from "../base/bytes";
import { fail } from "../base/error";

const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
const signatureBytes = 65;

function numberOf(bytes: Uint8Array): bigint {
  return BigInt(`0x${toHex(bytes)}`);
}

/**
 * The account of 20 bytes whose key made the signature r || s || v over the digest.
 * Error: `signature_invalid` on a wrong length, v, range, or a high s (the same signature must not
 * have two forms).
 */
export async function recoverAddress(
  digest: Uint8Array,
  signature: Uint8Array,
): Promise<Uint8Array> {
  const invalid = (what: string) => fail("signature_invalid", `secp256k1 signature: ${what}`);
  if (signature.length !== signatureBytes) {
    return invalid(`have ${signature.length} bytes, need 65`);
  }
  const v = signature[64]!;
  if (v !== 27 && v !== 28) return invalid(`have v ${v}, need 27 or 28`);
  const r = numberOf(signature.subarray(0, 32));
  const s = numberOf(signature.subarray(32, 64));
  if (r === 0n || r >= order || s === 0n || s >= order) return invalid("r or s out of range");
  if (s > order / 2n) return invalid("s is in the upper half");
  let address: string;
  try {
    address = await viemRecoverAddress({
      hash: `0x${toHex(digest)}`,
      signature: `0x${toHex(signature)}`,
    });
  } catch {
    return invalid("recovers to no key");
  }
  return fromHex(address.slice(2));
}
