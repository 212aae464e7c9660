// SPDX-License-Identifier: Apache-2.0
import { type Address, type Hex, keccak256, stringToHex } from "viem";
import { privateKeyToAddress } from "viem/accounts";
import { describe, expect, it } from "vitest";
import {
  makeSessionKey,
  randomSalt,
  recoverSigner,
  registrationDigest,
  requestDigest,
  signDigest,
  spendDigest,
  type Voucher,
  voucherId,
} from "./typedData";

const address = (byte: number): Address =>
  `0x${byte.toString(16).padStart(2, "0")}${"00".repeat(19)}`;
const word = (byte: number): Hex => `0x${byte.toString(16).padStart(2, "0")}${"00".repeat(31)}`;
const deployment = { chainId: 84532, contract: address(0xc0) };
const voucher: Voucher = {
  payer: address(1),
  pool: 2n,
  sessionKey: address(3),
  ceiling: 4n,
  expiry: 5n,
  salt: word(6),
};
const key: Hex = `0x${"07".repeat(32)}`;

describe("typed data", () => {
  it("counts each field", () => {
    const seen = new Set<string>();
    const add = (digest: string) => {
      expect(seen.has(digest)).toBe(false);
      seen.add(digest);
    };
    add(voucherId(deployment, voucher));
    add(voucherId({ ...deployment, chainId: 84533 }, voucher));
    add(voucherId({ ...deployment, contract: address(0xc1) }, voucher));
    add(voucherId(deployment, { ...voucher, payer: address(2) }));
    add(voucherId(deployment, { ...voucher, pool: 3n }));
    add(voucherId(deployment, { ...voucher, sessionKey: address(4) }));
    add(voucherId(deployment, { ...voucher, ceiling: 1n << 127n }));
    add(voucherId(deployment, { ...voucher, expiry: 6n }));
    add(voucherId(deployment, { ...voucher, salt: word(7) }));
    const spend = { voucher: word(1), entry: address(2), amount: 3n };
    add(spendDigest(deployment, spend));
    add(spendDigest(deployment, { ...spend, entry: address(3) }));
    add(spendDigest(deployment, { ...spend, amount: 4n }));
    const request = { voucher: word(1), entry: address(2), bodyHash: word(3), time: 4n };
    add(requestDigest(deployment, request));
    add(requestDigest(deployment, { ...request, time: 5n }));
    const registration = {
      host: address(1),
      pool: 2n,
      slot: 3,
      statementHash: word(4),
      endpoint: "https://a.example",
    };
    add(registrationDigest(deployment, registration));
    add(registrationDigest(deployment, { ...registration, endpoint: "https://b.example" }));
    add(registrationDigest(deployment, { ...registration, slot: 4 }));
  });

  it("is what EIP-712 says, written out by hand", () => {
    const hash = (text: string) => keccak256(stringToHex(text)).slice(2);
    const padded = (hex: string) => hex.replace(/^0x/, "").padStart(64, "0");
    const domain = keccak256(
      `0x${hash("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)")}${hash("TeeTee")}${hash("1")}${padded((84532).toString(16))}${padded(deployment.contract)}`,
    );
    const struct = keccak256(
      `0x${hash("Spend(bytes32 voucher,address entry,uint128 amount)")}${word(1).slice(2)}${padded(address(2))}${padded("03")}`,
    );
    const digest = keccak256(`0x1901${domain.slice(2)}${struct.slice(2)}`);
    const spend = { voucher: word(1), entry: address(2), amount: 3n };
    expect(spendDigest(deployment, spend)).toBe(digest);
  });
});

describe("signatures", () => {
  it("are in one form and of one signer", async () => {
    const digest = voucherId(deployment, voucher);
    const signature = await signDigest(digest, key);
    expect(signature).toMatch(/^0x[0-9a-f]{128}(1b|1c)$/);
    expect(await recoverSigner(digest, signature)).toBe(privateKeyToAddress(key));
    expect(await recoverSigner(word(9), signature)).not.toBe(privateKeyToAddress(key));
  });

  it("are refused in another form", async () => {
    const digest = voucherId(deployment, voucher);
    const signature = await signDigest(digest, key);
    const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
    const highS = (order - BigInt(`0x${signature.slice(66, 130)}`)).toString(16).padStart(64, "0");
    const v = signature.endsWith("1b") ? "1c" : "1b";
    const wrong = [
      "0x",
      signature.slice(0, -2),
      `${signature}00`,
      `${signature.slice(0, 130)}00`,
      `${signature.slice(0, 66)}${highS}${v}`,
      `0x${"00".repeat(64)}1b`,
    ] as Hex[];
    for (const one of wrong) {
      await expect(recoverSigner(digest, one)).rejects.toThrow("signature_invalid");
    }
  });

  it("are made by keys that nobody has had before", () => {
    const made = makeSessionKey();
    expect(privateKeyToAddress(made.key)).toBe(made.address);
    expect(makeSessionKey().key).not.toBe(made.key);
    expect(randomSalt()).not.toBe(randomSalt());
  });
});
