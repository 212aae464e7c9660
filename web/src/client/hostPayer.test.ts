// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { toAddress } from "../chain/deployment";
import { ensureSignIn } from "./hostPayer";
import { encodeHostClaim, encodeQueryClaim, encodeVoucherClaim } from "./payers";

const wallet = toAddress(`0x${"ab".repeat(20)}`, "wallet");
const entry = toAddress(`0x${"e1".repeat(20)}`, "entry");
const other = toAddress(`0x${"0c".repeat(20)}`, "other");

/** As src/api/sign_ins.cpp writes it. */
function messageOf(domain: string, from: string, to: string, chainId = 31337, more = ""): string {
  return (
    `${domain} wants you to sign in with your Ethereum account:\n${from}\n\n` +
    "Use, free of charge, a model that you host.\n\n" +
    `URI: teetee:${to}\nVersion: 1\nChain ID: ${chainId}\nNonce: ${"0f".repeat(64)}\n` +
    `Issued At: 2026-11-28T06:00:00Z\nExpiration Time: 2026-11-28T06:05:00Z${more}`
  );
}

describe("a sign-in", () => {
  const about = { domains: ["teetee", "localhost:5002"], wallet, entry, chainId: 31337 };

  it("is signed for this entry", () => {
    ensureSignIn(messageOf("teetee", wallet, entry), about);
    ensureSignIn(messageOf("localhost:5002", wallet, entry), about);
  });

  it("is nothing else", () => {
    const wrong = [
      "",
      "I owe you everything",
      messageOf("bank.example", wallet, entry),
      messageOf("localhostx5002", wallet, entry),
      messageOf("teetee", other, entry),
      messageOf("teetee", wallet, other),
      messageOf("teetee", wallet, entry, 1),
      messageOf("teetee", wallet, entry, 31337, "\nResources:\n- everything"),
      `x\n${messageOf("teetee", wallet, entry)}`,
      messageOf("teetee", wallet, entry).replace("free of charge", "at any price"),
      messageOf("teetee", wallet, entry).replace("Nonce: 0f", "Nonce: XX"),
    ];
    for (const message of wrong) {
      expect(() => ensureSignIn(message, about)).toThrow("sign_in_rejected");
    }
  });
});

describe("the header of a payment", () => {
  it("is written as entries read it", () => {
    const voucher = `0x${"0".repeat(63)}7` as const;
    const signature = `0x${"a".repeat(128)}1b` as const;
    const text = `voucher id=${voucher}, amount=120, signature=${signature}`;
    expect(encodeVoucherClaim({ voucher, amount: 120n, signature })).toBe(text);
    const proof = { timeMs: 17, signature };
    expect(encodeVoucherClaim({ voucher, amount: 120n, signature, proof })).toBe(
      `${text}, time=17, request=${signature}`,
    );
    expect(encodeQueryClaim(9n)).toBe("query id=9");
    expect(encodeHostClaim("b".repeat(64))).toBe(`host token=${"b".repeat(64)}`);
  });
});
