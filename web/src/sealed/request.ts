// SPDX-License-Identifier: Apache-2.0
import { Aes256Gcm, CipherSuite, DhkemX25519HkdfSha256, HkdfSha256 } from "@hpke/core";
import { concat, utf8 } from "../base/bytes";
import { fail } from "../base/error";
import { encodeHeaders, prefixed, type SealedHeaders, u16, u64 } from "./fields";
import { requestBytesMax, requestBytesMin, sizeClass, tagBytes } from "./limits";

// A request that only the TEE of one entry can read (docs/api.md, "Sealed requests").

export const sealedContentType = "application/teetee-sealed";
/** A request that is sent here says inside, by the header `path`, where it is meant to go. */
export const blindPath = "/sealed";

export const answerSecretBytes = 32;
export const answerLabel = "teetee sealed answer v1";
const requestLabel = "teetee sealed request v1";
const version = 1;
/** DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM (RFC 9180, section 7). */
const suiteIds = [0x0020, 0x0001, 0x0002] as const;
const keyBytes = 32;
const hashBytes = 32;
export const outsideBytes = 1 + 3 * 2 + hashBytes + keyBytes;

/** The entry that a request is for, from evidence that has been verified. */
export interface Recipient {
  /** X25519, 32 bytes. */
  readonly hpkeKey: Uint8Array;
  /** SHA-256 of the encoded statement that names the key. */
  readonly statementHash: Uint8Array;
}

/** Where a request is sent: its method and path (without query) are bound into it. */
export interface SealedTarget {
  readonly method: "POST";
  readonly path: string;
}

/** What is inside. */
export interface InnerRequest {
  /** Unix seconds by the entry's clock, 120 off at most. */
  readonly sentAt: number;
  readonly headers: SealedHeaders;
  readonly body: Uint8Array;
}

export interface SealedRequest {
  readonly body: Uint8Array<ArrayBuffer>;
  /** Opens the answer to this request, and no other. */
  readonly answerSecret: Uint8Array<ArrayBuffer>;
}

/** HPKE in base mode, of the one suite that sealed requests have. */
export function sealedSuite(): CipherSuite {
  return new CipherSuite({
    kem: new DhkemX25519HkdfSha256(),
    kdf: new HkdfSha256(),
    aead: new Aes256Gcm(),
  });
}

export function requestInfo(statementHash: Uint8Array): Uint8Array<ArrayBuffer> {
  return concat(prefixed(utf8(requestLabel)), statementHash);
}

export function requestAad(outside: Uint8Array, target: SealedTarget): Uint8Array<ArrayBuffer> {
  return concat(outside, prefixed(utf8(target.method)), prefixed(utf8(target.path)));
}

/** What stands in front of the ciphertext; the encapsulated key is its end. */
export function requestOutside(
  statementHash: Uint8Array,
  encapsulatedKey: Uint8Array,
): Uint8Array<ArrayBuffer> {
  return concat(
    new Uint8Array([version]),
    ...suiteIds.map((id) => u16(id)),
    statementHash,
    encapsulatedKey,
  );
}

function encode(request: InnerRequest): Uint8Array<ArrayBuffer> {
  if (!Number.isSafeInteger(request.sentAt) || request.sentAt < 0) {
    fail("invalid_argument", "sealed request: need a time in whole Unix seconds");
  }
  const plain = concat(u64(request.sentAt), encodeHeaders(request.headers), prefixed(request.body));
  const overhead = outsideBytes + tagBytes;
  const have = plain.length + overhead;
  if (have > requestBytesMax) {
    fail("limit_exceeded", `sealed request: have ${have} bytes, need at most ${requestBytesMax}`);
  }
  const padded = new Uint8Array(sizeClass(have, requestBytesMin) - overhead);
  padded.set(plain);
  return padded;
}

/**
 * Seals a request to a verified entry. Errors: `key_invalid` for a recipient's key that is none,
 * `limit_exceeded` beyond 1 MiB, `invalid_argument` (headers, time).
 */
export async function sealRequest(
  recipient: Recipient,
  target: SealedTarget,
  request: InnerRequest,
  /** Of X25519, for tests whose bytes are known; else one that nobody has seen. */
  ephemeral?: CryptoKeyPair,
): Promise<SealedRequest> {
  if (recipient.statementHash.length !== hashBytes || recipient.hpkeKey.length !== keyBytes) {
    fail("key_invalid", "sealed request: need a key and a hash of 32 bytes each");
  }
  const plain = encode(request);
  const suite = sealedSuite();
  let sender: Awaited<ReturnType<CipherSuite["createSenderContext"]>>;
  try {
    const recipientPublicKey = await suite.kem.deserializePublicKey(
      new Uint8Array(recipient.hpkeKey).buffer,
    );
    sender = await suite.createSenderContext({
      recipientPublicKey,
      info: requestInfo(recipient.statementHash).buffer,
      ...(ephemeral ? { ekm: ephemeral } : {}),
    });
  } catch {
    return fail("key_invalid", "sealed request: the entry's HPKE key is none");
  }
  const outside = requestOutside(recipient.statementHash, new Uint8Array(sender.enc));
  const ciphertext = await sender.seal(plain.buffer, requestAad(outside, target).buffer);
  const secret = await sender.export(utf8(answerLabel).buffer, answerSecretBytes);
  return {
    body: concat(outside, new Uint8Array(ciphertext)),
    answerSecret: new Uint8Array(secret),
  };
}
