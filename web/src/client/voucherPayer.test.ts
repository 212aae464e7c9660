// SPDX-License-Identifier: Apache-2.0
import type { Hex } from "viem";
import { privateKeyToAddress } from "viem/accounts";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { trustingVerifier } from "../../tests/support/statement";
import { errorOf, type Reply, TestEntry, testTerms } from "../../tests/support/testEntry";
import { sha256, toHex, utf8 } from "../base/bytes";
import { toAddress } from "../chain/deployment";
import { recoverSigner, requestDigest, spendDigest } from "../chain/typedData";
import { VerifiedEntry } from "./verifiedEntry";
import { VoucherPayer, type VoucherOptions } from "./voucherPayer";

const contract = toAddress(`0x${"c0".repeat(20)}`, "contract");
const deployment = { chainId: 31337, contract };
const sessionKey: Hex = `0x${"07".repeat(32)}`;
const voucher: Hex = `0x${"0f".repeat(32)}`;
const session = { deployment, pool: 3n, voucher, sessionKey, ceiling: 10_000n };
const body = '{"messages":[]}';

let server: TestEntry;
let entry: VerifiedEntry;
/** What the entry says. */
let terms: Record<string, unknown>;
let standing: Record<string, string>;
let raised: bigint[];

/** The members of a header, with the signatures checked. */
async function claimOf(header: string) {
  const match =
    /^voucher id=(0x[0-9a-f]{64}), amount=(\d+), signature=(0x[0-9a-f]{130})(?:, time=(\d+), request=(0x[0-9a-f]{130}))?$/.exec(
      header,
    );
  const [, id, amount, signature, time, request] = match ?? [];
  expect(id).toBe(voucher);
  const spend = { voucher, entry: server.address, amount: BigInt(amount ?? -1) };
  expect(await recoverSigner(spendDigest(deployment, spend), signature as Hex)).toBe(
    privateKeyToAddress(sessionKey),
  );
  if (time !== undefined) {
    const bodyHash: Hex = `0x${toHex(await sha256(utf8(body)))}`;
    const about = { voucher, entry: server.address, bodyHash, time: BigInt(time) };
    expect(await recoverSigner(requestDigest(deployment, about), request as Hex)).toBe(
      privateKeyToAddress(sessionKey),
    );
  }
  return { amount: BigInt(amount ?? -1), timeMs: Number(time) };
}

beforeEach(async () => {
  raised = [];
  server = await TestEntry.start(async ({ path, request }): Promise<Reply> => {
    if (path === "/v1/payment") return { pieces: [JSON.stringify(terms)] };
    if (path !== "/v1/payment/raise") {
      return { status: 404, pieces: [JSON.stringify(errorOf("route_unknown"))] };
    }
    const { amount } = await claimOf(request.headers["teetee-payment"] ?? "");
    raised.push(amount);
    if (amount > BigInt(standing["signed"] ?? 0)) standing["signed"] = amount.toString();
    return { pieces: [JSON.stringify(standing)] };
  });
  terms = {
    free: false,
    chain_id: "31337",
    contract,
    pool: "3",
    entry: server.address,
    lead_tokens: 16,
    prompt_price: "2",
    completion_price: "5",
  };
  standing = { charged: "100", held: "10", signed: "110", claimable: "9000" };
  entry = await VerifiedEntry.open({
    url: server.url,
    terms: testTerms,
    verifier: trustingVerifier,
  });
});

afterEach(() => server.stop());

const purchase = { body, promptBytes: 36, tokensMax: 0 };

function answerOf(options: VoucherOptions = {}) {
  return new VoucherPayer(session, { tokensAhead: 64, ...options }).begin();
}

describe("a payer by voucher", () => {
  it("signs for the prompt and the beginning of an answer", async () => {
    const claim = await claimOf((await answerOf().pay(entry, purchase)) ?? "");
    // Charged and held; 36 bytes and 64 of the template at 2; 64 tokens at 5.
    expect(claim.amount).toBe(110n + 200n + 320n);
    expect(Math.abs(claim.timeMs - Date.now())).toBeLessThan(5000);
    // Asking how it stands shows no more than before.
    expect(raised).toEqual([1n]);
  });

  it("says the time by the entry's clock, which decides", async () => {
    for (const ahead of [900, -900]) {
      server.aheadSeconds = ahead;
      const verified = await VerifiedEntry.open({
        url: server.url,
        terms: testTerms,
        verifier: trustingVerifier,
      });
      const { timeMs } = await claimOf((await answerOf().pay(verified, purchase)) ?? "");
      expect(Math.abs(timeMs - Date.now() - ahead * 1000)).toBeLessThan(5000);
    }
  });

  it("never signs for more than the voucher has, nor than it may", async () => {
    standing["claimable"] = "300";
    expect((await claimOf((await answerOf().pay(entry, purchase)) ?? "")).amount).toBe(300n);
    standing["claimable"] = "18446744073709551615";
    const payer = new VoucherPayer({ ...session, ceiling: 200n });
    expect((await claimOf((await payer.begin().pay(entry, purchase)) ?? "")).amount).toBe(200n);
    const bounded = answerOf({ spendMax: 50n });
    expect((await claimOf((await bounded.pay(entry, purchase)) ?? "")).amount).toBe(150n);
  });

  it("covers with one sum what all answers under way are about to take", async () => {
    const payer = new VoucherPayer(session, { tokensAhead: 64 });
    const [first, second] = [payer.begin(), payer.begin()];
    const one = await claimOf((await first.pay(entry, purchase)) ?? "");
    const both = await claimOf((await second.pay(entry, purchase)) ?? "");
    expect(both.amount - one.amount).toBe(520n);
    expect(both.timeMs).toBeGreaterThan(one.timeMs);
    first.end(true);
    second.end(true);
    const later = await claimOf((await payer.begin().pay(entry, purchase)) ?? "");
    expect(later.amount).toBe(one.amount);
  });

  it("signs for more as the answer comes, in steps that double", async () => {
    const answer = answerOf();
    await answer.pay(entry, purchase);
    standing = { charged: "100", held: "500", signed: "630", claimable: "9000" };
    const said = (held: bigint, signed: bigint) => ({
      charged: 100n,
      held,
      signed,
      claimable: 9000n,
    });
    // Half of what is ahead is left: no need yet.
    answer.onStanding(entry, said(370n, 630n));
    answer.onStanding(entry, said(400n, 630n));
    await expect.poll(() => raised).toEqual([1n, 500n + 640n]);
    // While one is on its way no other is sent, so comments may come until it has arrived.
    const third = () => {
      answer.onStanding(entry, said(900n, 1140n));
      return raised;
    };
    await expect.poll(third).toEqual([1n, 1140n, 1000n + 1280n]);
    answer.end(true);
    answer.onStanding(entry, said(2200n, 2280n));
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(raised.length).toBe(3);
  });

  it("pays more where the entry says that it lacks, but not for ever", async () => {
    const answer = answerOf();
    let last = 0n;
    let times = 0;
    do {
      const { amount } = await claimOf((await answer.pay(entry, purchase)) ?? "");
      expect(amount).toBeGreaterThan(last);
      last = amount;
      times++;
    } while (times < 9 && (await answer.triesAgain("payment_required")));
    expect(times).toBe(4);
    expect(await answer.triesAgain("voucher_ended")).toBe(false);
  });

  it("pays no entry that is another one, or of another pool", async () => {
    const cases = [
      [{ entry: contract }, "channel_unbound"],
      [{ pool: "4" }, "invalid_argument"],
      [{ chain_id: "1" }, "invalid_argument"],
      [{ contract: server.address }, "invalid_argument"],
      [{ prompt_price: undefined }, "not_ready"],
      [{ free: true }, "invalid_argument"],
    ] as const;
    const right = terms;
    for (const [change, code] of cases) {
      terms = { ...right, ...change };
      await expect(answerOf().pay(entry, purchase)).rejects.toThrow(code);
    }
    expect(raised).toEqual([]);
  });
});
