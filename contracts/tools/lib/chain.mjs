// SPDX-License-Identifier: Apache-2.0
// As much of Ethereum as a deployment takes: JSON-RPC, and transactions of EIP-1559 that create a contract.
import { secp256k1 } from "@noble/curves/secp256k1";
import { keccak_256 } from "@noble/hashes/sha3";

const CALL_MS_MAX = 30_000;
const RECEIPT_MS_MAX = 180_000;
const RECEIPT_POLL_MS = 100;

const wait = (ms) => new Promise((done) => setTimeout(done, ms));
const bytesOf = (hex) => Uint8Array.from(Buffer.from(hex.replace(/^0x/, ""), "hex"));
const hexOf = (bytes) => "0x" + Buffer.from(bytes).toString("hex");
export const quantity = (value) => "0x" + value.toString(16);
export const keccak = (hex) => hexOf(keccak_256(bytesOf(hex)));

/// Errors name the host and no more of the URL, which may hold an API key.
export class Rpc {
  #url;
  #host;
  #id = 0;

  constructor(url) {
    this.#url = new URL(url);
    this.#host = this.#url.host;
  }

  async call(method, ...params) {
    let answer;
    try {
      const response = await fetch(this.#url, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ jsonrpc: "2.0", id: ++this.#id, method, params }),
        signal: AbortSignal.timeout(CALL_MS_MAX),
      });
      answer = await response.json();
    } catch (error) {
      const why = error.cause?.code ?? error.name;
      throw new Error(`${method}: no answer from ${this.#host} (${why})`);
    }
    if (answer.error) {
      const refusal = new Error(`${method}: ${answer.error.message}`);
      refusal.data = answer.error.data;
      throw refusal;
    }
    return answer.result;
  }

  async number(method, ...params) {
    return BigInt(await this.call(method, ...params));
  }

  async receipt(hash) {
    const until = Date.now() + RECEIPT_MS_MAX;
    while (Date.now() < until) {
      // The transaction is out: an endpoint that fails for a while must not hide what became of it.
      const receipt = await this.call("eth_getTransactionReceipt", hash).catch(() => null);
      if (receipt) return receipt;
      await wait(RECEIPT_POLL_MS);
    }
    throw new Error(`transaction ${hash}: not mined in ${RECEIPT_MS_MAX / 1000} s; it may be yet`);
  }
}

export class Account {
  #key;

  /// `hex`: 32 bytes. It stays in here.
  constructor(hex) {
    if (!/^(0x)?[0-9a-fA-F]{64}$/.test(hex ?? "")) throw new Error("the key: need 32 bytes in hex");
    this.#key = bytesOf(hex);
    if (!secp256k1.utils.isValidPrivateKey(this.#key)) throw new Error("the key: is none of secp256k1");
    const point = secp256k1.getPublicKey(this.#key, false);
    this.address = hexOf(keccak_256(point.subarray(1)).subarray(12));
  }

  /// The encoded transaction that creates a contract, signed.
  signCreation({ chainId, nonce, tip, maxFee, gas, data }) {
    const fields = [chainId, nonce, tip, maxFee, gas, "0x", 0n, data, []];
    const { r, s, recovery } = secp256k1.sign(keccak_256(typed(fields)), this.#key);
    return hexOf(typed([...fields, BigInt(recovery), r, s]));
  }
}

/// Where the account's transaction number `nonce` creates a contract.
export function addressOfCreation(from, nonce) {
  return hexOf(keccak_256(rlp([from, nonce])).subarray(12));
}

/// As it goes over the wire, but for the signature.
export function unsignedCreation({ chainId, nonce, tip, maxFee, gas, data }) {
  return hexOf(typed([chainId, nonce, tip, maxFee, gas, "0x", 0n, data, []]));
}

const typed = (fields) => Buffer.concat([Buffer.of(2), rlp(fields)]);

/// Of lists, 0x-hex bytes and integers.
function rlp(item) {
  if (Array.isArray(item)) return withLength(0xc0, Buffer.concat(item.map(rlp)));
  const bytes = typeof item === "bigint" ? bigEndian(item) : Buffer.from(bytesOf(item));
  if (bytes.length === 1 && bytes[0] < 0x80) return bytes;
  return withLength(0x80, bytes);
}

function withLength(base, bytes) {
  if (bytes.length < 56) return Buffer.concat([Buffer.of(base + bytes.length), bytes]);
  const length = bigEndian(BigInt(bytes.length));
  return Buffer.concat([Buffer.of(base + 55 + length.length), length, bytes]);
}

function bigEndian(value) {
  if (value === 0n) return Buffer.alloc(0);
  const hex = value.toString(16);
  return Buffer.from(hex.length % 2 ? "0" + hex : hex, "hex");
}
