// SPDX-License-Identifier: Apache-2.0
// Typed structured data (EIP-712) for records and receipts; src/crypto/eip712.hpp.
import { concat, utf8 } from "../base/bytes";
import { keccak256 } from "./hash";

const wordBytes = 32;

/** Which contract on which chain a signature is meant for. */
export interface Eip712Domain {
  chainId: bigint;
  /** 20 bytes. */
  contract: Uint8Array;
}

/** The members of one struct, encoded in the order of its type. */
export class Eip712Struct {
  #encoded: Uint8Array[] = [];

  /** As encodeType gives it: "Mail(Person from,Person to)Person(..)". */
  constructor(type: string) {
    this.bytes32(keccak256(utf8(type)));
  }
  /** uint8 to uint256. */
  integer(value: bigint | number): this {
    const word = new Uint8Array(wordBytes);
    let rest = BigInt(value);
    for (let i = wordBytes - 1; rest > 0n; i--, rest >>= 8n) word[i] = Number(rest & 0xffn);
    return this.bytes32(word);
  }
  address(value: Uint8Array): this {
    return this.bytes32(concat(new Uint8Array(wordBytes - value.length), value));
  }
  bytes32(value: Uint8Array): this {
    this.#encoded.push(value);
    return this;
  }
  /** bytesN with N below 32. */
  bytesN(value: Uint8Array): this {
    return this.bytes32(concat(value, new Uint8Array(wordBytes - value.length)));
  }
  /** bytes32[]. */
  array(values: readonly Uint8Array[]): this {
    return this.bytes32(keccak256(concat(...values)));
  }
  hash(): Uint8Array {
    return keccak256(concat(...this.#encoded));
  }
}

/** What is signed: name "TeeTee", version "1", chain and contract. */
export function eip712Digest(domain: Eip712Domain, structHash: Uint8Array): Uint8Array {
  const separator = new Eip712Struct(
    "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)",
  )
    .bytes32(keccak256(utf8("TeeTee")))
    .bytes32(keccak256(utf8("1")))
    .integer(domain.chainId)
    .address(domain.contract)
    .hash();
  return keccak256(concat(Uint8Array.of(0x19, 0x01), separator, structHash));
}
