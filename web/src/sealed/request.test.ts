// SPDX-License-Identifier: Apache-2.0
import { beforeAll, describe, expect, it } from "vitest";
import { openRequest } from "../../tests/support/sealedEntry";
import { sha256, toBase64, toHex, utf8 } from "../base/bytes";
import { encodeHeaders } from "./fields";
import { type InnerRequest, type Recipient, sealRequest } from "./request";

const chat = { method: "POST", path: "/v1/chat/completions" } as const;

function requestOf(body: string): InnerRequest {
  return {
    sentAt: 1_764_128_347,
    headers: { "content-type": "application/json", authorization: "Bearer abc" },
    body: utf8(body),
  };
}

/** RFC 8410: the prefix of a PKCS #8 private key of X25519. */
const pkcs8Prefix = "302e020100300506032b656e04220420";

async function keyPairOf(seed: Uint8Array): Promise<CryptoKeyPair> {
  const pkcs8 = Uint8Array.from(Buffer.from(pkcs8Prefix + toHex(seed), "hex"));
  const algorithm = { name: "X25519" };
  const privateKey = await crypto.subtle.importKey("pkcs8", pkcs8, algorithm, true, ["deriveBits"]);
  const { x } = await crypto.subtle.exportKey("jwk", privateKey);
  const jwk = { kty: "OKP", crv: "X25519", x: x ?? "" };
  const publicKey = await crypto.subtle.importKey("jwk", jwk, algorithm, true, []);
  return { privateKey, publicKey };
}

async function rawOf(key: CryptoKey): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.exportKey("raw", key));
}

/** 0, 1, 2, .. as src/sealed/test_support.hpp gives. */
function counting(from: number): Uint8Array {
  return Uint8Array.from({ length: 32 }, (_, at) => from + at);
}

let keys: CryptoKeyPair;
let recipient: Recipient;

beforeAll(async () => {
  keys = await keyPairOf(counting(0));
  const statementHash = await sha256(utf8("a statement"));
  recipient = { hpkeKey: await rawOf(keys.publicKey), statementHash };
});

describe("a sealed request", () => {
  it("comes out as it went in, with one secret on both sides", async () => {
    for (const length of [0, 1, 5000, 900_000]) {
      const request = requestOf("x".repeat(length));
      const sealed = await sealRequest(recipient, chat, request);
      const opened = await openRequest(sealed.body, chat.path, keys);
      expect(opened.sentAt).toBe(request.sentAt);
      expect(opened.headers).toEqual(request.headers);
      expect(opened.body.length).toBe(length);
      expect(toHex(opened.answerSecret)).toBe(toHex(sealed.answerSecret));
      const again = await sealRequest(recipient, chat, request);
      expect(toHex(again.answerSecret)).not.toBe(toHex(sealed.answerSecret));
    }
  });

  // Made by tests/e2e/sealed_reference.py; src/sealed/request_test.cpp has the same.
  it("has the bytes of other implementations", async () => {
    const ephemeral = await keyPairOf(counting(32));
    const request = requestOf('{"messages":[]}');
    const sealed = await sealRequest(recipient, chat, request, ephemeral);
    expect(toHex(await sha256(sealed.body))).toBe(
      "235c4f37f1f134ad135b5e4cb881aeb9b545561b12fce76cfcb8328e03cdf4ae",
    );
    expect(toHex(sealed.answerSecret)).toBe(
      "ec90ef90ef96db9c42358ed78e2519bdca389fc03d18c324fc9fc45e39a1a1b9",
    );
  });

  it("tells only the class of its length", async () => {
    const sizeOf = async (length: number) =>
      (await sealRequest(recipient, chat, requestOf("x".repeat(length)))).body.length;
    expect(await sizeOf(0)).toBe(4096);
    expect(await sizeOf(3900)).toBe(4096);
    expect(await sizeOf(4000)).toBe(8192);
    expect(await sizeOf(600_000)).toBe(1 << 20);
    await expect(sizeOf(1 << 20)).rejects.toThrow("limit_exceeded");
  });

  it("shows nothing of what is inside", async () => {
    const { body } = await sealRequest(recipient, chat, requestOf("a secret prompt"));
    const text = atob(toBase64(body));
    for (const inside of ["secret", "Bearer", "json"]) expect(text).not.toContain(inside);
  });

  it("is refused with a byte changed, and for another path or key", async () => {
    const { body } = await sealRequest(recipient, chat, requestOf("hello"));
    for (const at of [7, 38, 39, 70, 71, 2000, body.length - 1]) {
      const changed = body.slice();
      changed[at] = (changed[at] ?? 0) ^ 0x40;
      await expect(openRequest(changed, chat.path, keys)).rejects.toThrow();
    }
    await expect(openRequest(body, "/generate", keys)).rejects.toThrow();
    const other = await keyPairOf(counting(7));
    await expect(openRequest(body, chat.path, other)).rejects.toThrow();
  });

  it("is sealed to no key that is none", async () => {
    for (const length of [0, 31, 33]) {
      const wrong = { ...recipient, hpkeKey: new Uint8Array(length) };
      await expect(sealRequest(wrong, chat, requestOf(""))).rejects.toThrow("key_invalid");
    }
    // Of low order: the agreed secret would be known to all.
    const zero = { ...recipient, hpkeKey: new Uint8Array(32) };
    await expect(sealRequest(zero, chat, requestOf(""))).rejects.toThrow("key_invalid");
    const hash = { ...recipient, statementHash: new Uint8Array(31) };
    await expect(sealRequest(hash, chat, requestOf(""))).rejects.toThrow("key_invalid");
  });

  it("takes no time that is none", async () => {
    for (const sentAt of [-1, 0.5, Number.NaN, 2 ** 60]) {
      const request = { ...requestOf(""), sentAt };
      await expect(sealRequest(recipient, chat, request)).rejects.toThrow("invalid_argument");
    }
  });
});

describe("headers", () => {
  it("are refused where the other side would", () => {
    const wrong = [
      { Upper: "x" },
      { "": "x" },
      { a: "line\r\nbreak" },
      { a: "\u00e4" },
      { a: "x".repeat(4097) },
      { ["x".repeat(65)]: "" },
      Object.fromEntries(Array.from({ length: 17 }, (_, at) => [`h${at}`, ""])),
    ];
    for (const headers of wrong) expect(() => encodeHeaders(headers)).toThrow("invalid_argument");
  });

  it("never stand in an error", () => {
    expect(() => encodeHeaders({ authorization: "Bearer secret\n" })).not.toThrow("secret");
  });
});
