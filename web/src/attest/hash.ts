// SPDX-License-Identifier: Apache-2.0
// Hashes of small things. A receipt or a manifest has thousands of leaves of 70 bytes, for which a
// call of WebCrypto, asynchronous as it is, costs many times the hash itself.
import { keccak256 as viemKeccak256, sha256 as viemSha256 } from "viem";

export function sha256Sync(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(viemSha256(bytes, "bytes"));
}

export function keccak256(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(viemKeccak256(bytes, "bytes"));
}
