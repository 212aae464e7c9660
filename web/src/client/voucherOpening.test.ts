// SPDX-License-Identifier: Apache-2.0
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Hex } from "viem";
import { privateKeyToAddress } from "viem/accounts";
import { afterEach, describe, expect, it } from "vitest";
import { toAddress } from "../chain/deployment";
import { voucherId } from "../chain/typedData";
import { draftVoucher, encodeSession, openByEntry, parseSession } from "./voucherOpening";

const contract = toAddress(`0x${"c0".repeat(20)}`, "contract");
const payer = toAddress(`0x${"ab".repeat(20)}`, "payer");
const deployment = { chainId: 31337, contract };
const terms = { payer, pool: 3n, ceiling: 20_000n, expiry: 1_800_000_000 };
const signature: Hex = `0x${"0a".repeat(65)}`;

let server: Server | undefined;

afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

/** An entry that answers POST /v1/vouchers with these, one after another. */
async function serve(
  answers: readonly [number, unknown][],
): Promise<{ url: string; bodies: unknown[] }> {
  const bodies: unknown[] = [];
  server = createServer((request, response) => {
    let body = "";
    request.on("data", (data: Buffer) => (body += data.toString()));
    request.on("end", () => {
      const [status, answer] = answers[Math.min(bodies.length, answers.length - 1)] ?? [500, {}];
      bodies.push(JSON.parse(body));
      response.writeHead(status, { "content-type": "application/json" });
      response.end(JSON.stringify(answer));
    });
  });
  await new Promise<void>((done) => server?.listen(0, "127.0.0.1", done));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, bodies };
}

describe("a voucher that an entry opens", () => {
  it("is one of a new key each time", () => {
    const [one, other] = [draftVoucher(deployment, terms), draftVoucher(deployment, terms)];
    expect(one.session.voucher).toBe(voucherId(deployment, one.voucher));
    expect(privateKeyToAddress(one.session.sessionKey)).toBe(one.voucher.sessionKey);
    expect(one.session.voucher).not.toBe(other.session.voucher);
    expect(() => draftVoucher(deployment, { ...terms, ceiling: 0n })).toThrow("amount_malformed");
  });

  it("is waited for until it is open", async () => {
    const draft = draftVoucher(deployment, terms);
    const { voucher } = draft.session;
    const { url, bodies } = await serve([
      [202, { voucher, state: "opening" }],
      [202, { voucher, state: "open" }],
    ]);
    await openByEntry(url, draft, signature);
    expect(bodies.length).toBe(2);
    expect(bodies[0]).toEqual({
      payer,
      pool: "3",
      session_key: draft.voucher.sessionKey,
      ceiling: "20000",
      expiry: 1_800_000_000,
      salt: draft.voucher.salt,
      signature,
    });
  });

  it("is the one that was asked for, or an error by name", async () => {
    const draft = draftVoucher(deployment, terms);
    const other = await serve([[202, { voucher: `0x${"00".repeat(32)}`, state: "open" }]]);
    await expect(openByEntry(other.url, draft, signature)).rejects.toThrow("voucher_unknown");
    server?.close();
    const error = {
      code: "call_reverted",
      message: "InsufficientCredits(3, 10)",
      type: "payment_error",
    };
    const refusing = await serve([[400, { error }]]);
    await expect(openByEntry(refusing.url, draft, signature)).rejects.toMatchObject({
      code: "call_reverted",
      status: 400,
    });
    server?.close();
    const slow = await serve([[202, { voucher: draft.session.voucher, state: "opening" }]]);
    await expect(openByEntry(slow.url, draft, signature, { patienceMs: 0 })).rejects.toThrow(
      "timed_out",
    );
  });
});

describe("a payment session", () => {
  const { session } = draftVoucher(deployment, terms);
  const text = encodeSession(session, terms.expiry);

  it("comes out as it went in", () => {
    expect(parseSession(text)).toEqual({ session, expiry: terms.expiry });
  });

  it("is refused where a member is none, without a word of its key", () => {
    const members = JSON.parse(text) as Record<string, unknown>;
    const wrong = [
      {},
      { ...members, version: 2 },
      { ...members, more: 1 },
      { ...members, chain_id: 0 },
      { ...members, contract: "0x" },
      { ...members, pool: 0 },
      { ...members, voucher: "0x12" },
      { ...members, session_key: "0x12" },
      { ...members, session_key: `0x${"00".repeat(32)}` },
      { ...members, session_key: `0x${"ff".repeat(32)}` },
      { ...members, ceiling: -1 },
      { ...members, expiry: "soon" },
    ];
    for (const one of wrong) {
      expect(() => parseSession(JSON.stringify(one))).toThrow("config_invalid");
    }
    const broken = () => parseSession(JSON.stringify({ ...members, session_key: "0xsecret" }));
    expect(broken).not.toThrow("secret");
    expect(() => parseSession("x".repeat(5000))).toThrow("limit_exceeded");
  });
});
