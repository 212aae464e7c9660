// SPDX-License-Identifier: Apache-2.0
import { type Address, hashTypedData, type Hex, recoverAddress, serializeSignature } from "viem";
import { privateKeyToAddress, sign } from "viem/accounts";
import { toHex } from "../base/bytes";
import { fail } from "../base/error";
import type { Deployment } from "./deployment";

// What is signed for the contract and its entries: EIP-712 under the domain "TeeTee", "1", chain id
// and contract (docs/contracts.md, "What is signed").

export const voucherTypes = {
  Voucher: [
    { name: "payer", type: "address" },
    { name: "pool", type: "uint64" },
    { name: "sessionKey", type: "address" },
    { name: "ceiling", type: "uint128" },
    { name: "expiry", type: "uint64" },
    { name: "salt", type: "bytes32" },
  ],
} as const;

const spendTypes = {
  Spend: [
    { name: "voucher", type: "bytes32" },
    { name: "entry", type: "address" },
    { name: "amount", type: "uint128" },
  ],
} as const;

const requestTypes = {
  Request: [
    { name: "voucher", type: "bytes32" },
    { name: "entry", type: "address" },
    { name: "bodyHash", type: "bytes32" },
    { name: "time", type: "uint64" },
  ],
} as const;

const registrationTypes = {
  Registration: [
    { name: "host", type: "address" },
    { name: "pool", type: "uint64" },
    { name: "slot", type: "uint16" },
    { name: "statementHash", type: "bytes32" },
    { name: "endpoint", type: "string" },
  ],
} as const;

export function domainOf(deployment: Deployment) {
  return {
    name: "TeeTee",
    version: "1",
    chainId: deployment.chainId,
    verifyingContract: deployment.contract,
  } as const;
}

/** What a payer signs: credits set aside for a session key, in one pool, until it expires. */
export interface Voucher {
  readonly payer: Address;
  readonly pool: bigint;
  readonly sessionKey: Address;
  /** Credits, below 2^64. */
  readonly ceiling: bigint;
  /** Unix seconds. */
  readonly expiry: bigint;
  readonly salt: Hex;
}

/** For `signTypedData` of the payer's wallet. */
export function voucherTypedData(deployment: Deployment, voucher: Voucher) {
  return {
    domain: domainOf(deployment),
    types: voucherTypes,
    primaryType: "Voucher",
    message: voucher,
  } as const;
}

/** A voucher's id: the digest that its payer signs. */
export function voucherId(deployment: Deployment, voucher: Voucher): Hex {
  return hashTypedData(voucherTypedData(deployment, voucher));
}

/** How much, in credits and in all so far, the entry with this receipt key may claim. */
export interface Spend {
  readonly voucher: Hex;
  readonly entry: Address;
  readonly amount: bigint;
}

export function spendDigest(deployment: Deployment, spend: Spend): Hex {
  return hashTypedData({
    domain: domainOf(deployment),
    types: spendTypes,
    primaryType: "Spend",
    message: spend,
  });
}

/** That the session's holder asks for this very request. The contract never sees it. */
export interface RequestTerms {
  readonly voucher: Hex;
  readonly entry: Address;
  /** SHA-256. */
  readonly bodyHash: Hex;
  /** Unix milliseconds. */
  readonly time: bigint;
}

export function requestDigest(deployment: Deployment, terms: RequestTerms): Hex {
  return hashTypedData({
    domain: domainOf(deployment),
    types: requestTypes,
    primaryType: "Request",
    message: terms,
  });
}

/** What a node's receipt key signs, so that `host` may register it. */
export interface RegistrationTerms {
  readonly host: Address;
  readonly pool: bigint;
  readonly slot: number;
  /** SHA-256 of the node's statement. */
  readonly statementHash: Hex;
  readonly endpoint: string;
}

export function registrationDigest(deployment: Deployment, terms: RegistrationTerms): Hex {
  return hashTypedData({
    domain: domainOf(deployment),
    types: registrationTypes,
    primaryType: "Registration",
    message: terms,
  });
}

/** Half the order of secp256k1: a signature's s above it is the same signature in another form. */
const sMax = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0n;

/**
 * Who signed a digest, by a signature of 65 bytes in the one form that the contract takes (v 27 or
 * 28, low s). Error: `signature_invalid`.
 */
export async function recoverSigner(digest: Hex, signature: Hex): Promise<Address> {
  const isForm = /^0x[0-9a-fA-F]{128}(1b|1c|1B|1C)$/.test(signature);
  if (!isForm || BigInt(`0x${signature.slice(66, 130)}`) > sMax) {
    fail("signature_invalid", "signature: need 65 bytes, v 27 or 28 and s in its lower half");
  }
  try {
    return await recoverAddress({ hash: digest, signature });
  } catch {
    return fail("signature_invalid", "signature: nobody's");
  }
}

/** 65 bytes: r, s, and 27 or 28. `key` is 32 bytes in hex. */
export async function signDigest(digest: Hex, key: Hex): Promise<Hex> {
  return serializeSignature(await sign({ hash: digest, privateKey: key }));
}

/**
 * A key that spends a voucher, and nothing else. Whoever holds it can spend what is left: keep it as
 * you keep money, and never in a log.
 */
export interface SessionKey {
  readonly key: Hex;
  readonly address: Address;
}

export function makeSessionKey(): SessionKey {
  // A number of 32 bytes is no key with a chance of 2^-128.
  const key: Hex = `0x${toHex(crypto.getRandomValues(new Uint8Array(32)))}`;
  return { key, address: privateKeyToAddress(key) };
}

export function randomSalt(): Hex {
  return `0x${toHex(crypto.getRandomValues(new Uint8Array(32)))}`;
}
