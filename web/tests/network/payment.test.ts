// SPDX-License-Identifier: Apache-2.0
// How the page pays, on a real network whose RPC endpoint comes and goes: `npm run test:network`.
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { parseEventLogs } from "viem";
import { getTransactionReceipt, waitForTransactionReceipt } from "viem/actions";
import { teeTeeAbi } from "../../src/chain/abi";
import { payQueryCall, queryPrice } from "../../src/chain/calls";
import { readBalance, readHead, readPool, readWeiPerCredit } from "../../src/chain/reads";
import { ask, type Question } from "../../src/client/ask";
import { attestVerifier } from "../../src/client/attestVerifier";
import { findPayment, type PaidQuery } from "../../src/client/paidQueries";
import type { UnservedPayment } from "../../src/client/payers";
import { VoucherPayer } from "../../src/client/voucherPayer";
import {
  reach,
  verify,
  type ConnectedChain,
  type Connection,
} from "../../src/app/network/connection";
import type { Money } from "../../src/app/payment/payment";
import { PaymentDesk } from "../../src/app/payment/paymentDesk";
import { FrontProxy } from "../browser/network/frontProxy";
import { giveEth, newAccount } from "../browser/network/testWallet";
import { noneKnown } from "../support/noneKnown";
import { NodeWallet } from "./nodeWallet";
import { hasBinary, hasContracts, UpNetwork } from "./upNetwork";

const port = 5490;
const day = 86_400;

type RpcAnswer = { readonly result?: unknown };

/** Answers of an RPC endpoint, one or several at a time, of which some are others. */
function answered(change: (answer: RpcAnswer) => object | undefined) {
  const changed = (answer: RpcAnswer) => {
    const other = change(answer);
    if (!other) return answer;
    const { result: _, ...rest } = answer;
    return { ...rest, ...other };
  };
  return (_: string, body: Buffer): Buffer => {
    const value = JSON.parse(body.toString()) as RpcAnswer | RpcAnswer[];
    return Buffer.from(JSON.stringify(Array.isArray(value) ? value.map(changed) : changed(value)));
  };
}

/** As the browser's, of one page after another. */
class MemoryStorage {
  private readonly items = new Map<string, string>();
  getItem(key: string): string | null {
    return this.items.get(key) ?? null;
  }
  setItem(key: string, value: string): void {
    this.items.set(key, value);
  }
  get text(): string {
    return [...this.items.values()].join("\n");
  }
}

describe.skipIf(!hasBinary || !hasContracts)("the page's payment", { timeout: 120_000 }, () => {
  let network: UpNetwork;
  let rpc: FrontProxy;
  let connection: Connection;
  let chain: ConnectedChain;
  let wallet: NodeWallet;
  let storage: MemoryStorage;
  let desk: PaymentDesk;
  let money: Money;
  let unserved: UnservedPayment | undefined;

  beforeAll(async () => {
    network = await UpNetwork.start(port, "--shards", "1", "--replicas", "2");
    rpc = await FrontProxy.start(port + 15, network.rpcUrl);
    const settings = { entryUrl: network.urls[0] ?? "", rpcUrls: [rpc.url] };
    connection = await verify(
      await reach(settings, noneKnown, new AbortController().signal),
      attestVerifier,
    );
    if (!connection.chain) throw new Error("the network has no chain");
    ({ chain } = connection);
  }, 240_000);

  afterAll(async () => {
    await rpc.stop();
    await network.stop();
  });

  beforeEach(async () => {
    rpc.isDown = false;
    rpc.change = undefined;
    const account = newAccount();
    await giveEth(network.rpcUrl, account.address, 10n ** 18n);
    wallet = new NodeWallet(account, chain, network.rpcUrl);
    storage = new MemoryStorage();
    openPage();
    await desk.refresh();
  });

  /** Another visit of the same browser. */
  function openPage(): void {
    desk?.stop();
    desk = new PaymentDesk(
      chain,
      () => connection.entries,
      wallet,
      (next) => (money = next),
      storage as unknown as Storage,
    );
    desk.setAccount(wallet.account.address);
  }

  async function asked(body: Question["body"], signal?: AbortSignal): Promise<string> {
    let text = "";
    unserved = undefined;
    const question: Question = {
      path: "/v1/completions",
      body: { prompt: "Once upon a time", max_tokens: 12, ...body },
      ...(signal ? { signal } : {}),
    };
    const payer = await desk.payer();
    await ask(
      { entries: connection.entries, payer, patienceMs: 5000, allowsSimulated: true },
      question,
      {
        onText: (more) => (text += more),
        onUnserved: (payment) => (unserved = payment),
      },
    );
    return text;
  }

  const cutOnce = () => {
    wallet.onSent = () => {
      wallet.onSent = undefined;
      rpc.isDown = true;
    };
  };

  describe("of a question", () => {
    beforeEach(() => (desk.mode = "query"));

    function openPageForQueries(): void {
      openPage();
      desk.mode = "query";
    }

    it("is made once, though the chain cannot be read behind it", async () => {
      cutOnce();
      await expect(asked({})).rejects.toThrow(wallet.sent[0]);
      expect(wallet.sent).toHaveLength(1);
      expect(unserved).toMatchObject({ transaction: wallet.sent[0], isGood: true });
      // Nothing is known of it yet, and nothing is paid in its place.
      await expect(asked({})).rejects.toThrow("rpc_unavailable");
      await desk.refresh();
      expect(money.queries).toHaveLength(1);
      rpc.isDown = false;
      openPageForQueries();
      expect(money.queries).toHaveLength(1);
      expect(await asked({})).not.toBe("");
      expect(wallet.sent).toHaveLength(1);
      await desk.refresh();
      expect(money.queries).toEqual([]);
      // What was answered is paid anew when it is asked again.
      expect(await asked({})).not.toBe("");
      expect(wallet.sent).toHaveLength(2);
      expect(storage.text).not.toContain("Once");
    });

    it("is found by what the contract says, where the page was gone before it knew", async () => {
      wallet.isSilent = true;
      await expect(asked({ max_tokens: 9 })).rejects.toThrow("what it did is not known");
      wallet.isSilent = false;
      openPageForQueries();
      await expect
        .poll(
          async () => {
            await desk.refresh();
            return money.queries[0]?.query;
          },
          { timeout: 20_000 },
        )
        .toBeGreaterThan(0n);
      // Another question is another payment.
      expect(await asked({ max_tokens: 10 })).not.toBe("");
      expect(wallet.sent).toHaveLength(2);
      expect(await asked({ max_tokens: 9 })).not.toBe("");
      expect(wallet.sent).toHaveLength(2);
    });

    it("asks no wallet again that may still be asking its user", async () => {
      wallet.isLost = true;
      await expect(asked({})).rejects.toThrow("what it did is not known");
      wallet.isLost = false;
      openPageForQueries();
      await expect(asked({})).rejects.toThrow("may still be open");
      expect(wallet.sent).toEqual([]);
      await desk.refresh();
      expect(money.queries).toHaveLength(1);
      const later = JSON.parse(storage.getItem("teetee.queries")!) as { askedAt: number }[];
      for (const note of later) note.askedAt -= 601;
      storage.setItem("teetee.queries", JSON.stringify(later));
      expect(await asked({})).not.toBe("");
      expect(wallet.sent).toHaveLength(1);
    });

    it("leaves the rest known where its events cannot be read", async () => {
      wallet.isSilent = true;
      await expect(asked({ max_tokens: 8 })).rejects.toThrow("what it did is not known");
      await waitForTransactionReceipt(chain.reader.client, { hash: wallet.sent[0]! });
      rpc.change = answered(({ result }) =>
        Array.isArray(result) ? { error: { code: -32601, message: "no events here" } } : undefined,
      );
      openPageForQueries();
      await desk.refresh();
      expect(money).toMatchObject({ balance: 0n, isHost: false });
      expect(money.problem).toBeUndefined();
      const [note] = money.queries;
      expect(note?.query).toBeUndefined();
      expect(() => desk.forgetQuery(note!)).toThrow("not_ready");
    });

    it("is none where the user stops before, and goes on where they stop behind it", async () => {
      wallet.isRefusing = true;
      await expect(asked({})).rejects.toThrow("cancelled");
      expect(unserved).toBeUndefined();
      await desk.refresh();
      expect(money.queries).toEqual([]);
      wallet.isRefusing = false;
      const controller = new AbortController();
      wallet.onSent = () => controller.abort();
      await expect(asked({}, controller.signal)).rejects.toThrow("cancelled");
      expect(unserved).toMatchObject({ isGood: true });
      wallet.onSent = undefined;
      openPageForQueries();
      expect(await asked({})).not.toBe("");
      expect(wallet.sent).toHaveLength(1);
    });

    it("locks the most that a request may cost, once for each of several at a time", async () => {
      const texts = await Promise.all([asked({ max_tokens: 5 }), asked({ max_tokens: 5 })]);
      expect(texts.every((text) => text !== "")).toBe(true);
      expect(wallet.sent).toHaveLength(2);
      const { prices } = await readPool(chain.reader, chain.pool);
      for (const hash of wallet.sent) {
        const { logs } = await getTransactionReceipt(chain.reader.client, { hash });
        const [paid] = parseEventLogs({ abi: teeTeeAbi, eventName: "QueryPaid", logs });
        expect(paid?.args.maxCompletionTokens).toBe(5);
        expect(paid?.args.locked).toBe(queryPrice(prices, paid!.args));
      }
    });

    it("is made to one entry for one question, unless that is asked again", async () => {
      const [first, second] = await Promise.all(
        network.urls.map((url) => connection.entries.open(url)),
      );
      if (!first || !second) throw new Error("need two entries");
      const payer = await desk.payer();
      const answer = payer!.begin();
      const members = await answer.bodyMembers((some) => JSON.stringify({ prompt: "a", ...some }));
      const body = JSON.stringify({ prompt: "a", ...members });
      const purchase = { body, promptBytes: 1, tokensMax: 4 };
      const claim = await answer.pay(first, purchase);
      expect(await answer.pay(first, purchase)).toBe(claim);
      await expect(answer.pay(second, purchase)).rejects.toThrow("ask again");
      // What has begun is another request.
      const more = JSON.stringify({ prompt: "a", answer_token_ids: [1], ...members });
      expect(await answer.pay(second, { ...purchase, body: more })).not.toBe(claim);
      answer.end(false);
      const again = payer!.begin();
      expect(await again.pay(second, purchase)).not.toBe(claim);
      expect(wallet.sent).toHaveLength(3);
      // What does not pay for its request is not tried again.
      expect(again.unserved()?.isGood).toBe(true);
      expect(await again.triesAgain("query_mismatch")).toBe(false);
      expect(again.unserved()?.isGood).toBe(false);
      again.end(false);
      await payer!.begin().pay(second, purchase);
      expect(wallet.sent).toHaveLength(4);
    });

    it("is looked for under whatever transaction it has", async () => {
      await desk.buy(5n);
      const head = await readHead(chain.reader);
      const about: PaidQuery = {
        ...chain.deployment,
        pool: chain.pool,
        payer: wallet.account.address,
        entry: connection.entry.receiptKey,
        requestHash: `0x${"ab".repeat(32)}`,
        salt: "00".repeat(16),
        seed: 1,
        locked: 1n,
        fromBlock: head.number + 1n,
        askedAt: head.timestamp,
        deadline: head.timestamp + 3600,
        isUsed: false,
      };
      const stateOf = async (change: Partial<PaidQuery>) =>
        (await findPayment(chain.reader, { ...about, ...change })).state;
      const unknown = `0x${"cd".repeat(32)}` as const;
      expect(await stateOf({})).toBe("unsent");
      expect(await stateOf({ transaction: unknown })).toBe("pending");
      // It paid for something else.
      const [bought] = wallet.sent;
      expect(await stateOf({ transaction: bought! })).toBe("none");
      // Another one has its place.
      await expect
        .poll(() => stateOf({ transaction: unknown, nonce: 0 }), { timeout: 20_000 })
        .toBe("none");
      expect(await stateOf({ transaction: unknown, nonce: 1 })).toBe("pending");
      expect(await stateOf({ transaction: unknown, deadline: head.timestamp - 100 })).toBe("none");
      // Sent again for a higher fee, as wallets do.
      const terms = { ...about, maxPromptTokens: 1, maxCompletionTokens: 1 };
      const { prices } = await readPool(chain.reader, chain.pool);
      const wei = await readWeiPerCredit(chain.reader);
      const query = { ...terms, deadline: BigInt(about.deadline) };
      await wallet.send(payQueryCall(chain.deployment, query, prices, wei));
      expect(await stateOf({ transaction: unknown })).toBe("paid");
      expect(await stateOf({})).toBe("paid");
    });
  });

  describe("by session", () => {
    beforeEach(async () => {
      desk.mode = "session";
      await desk.buy(200_000n);
    });

    it("keeps the key of one whose opening is not seen", async () => {
      // So little that the entry opens none: the wallet does.
      cutOnce();
      await expect(desk.openSession(700n, 7)).rejects.toThrow("is signed");
      expect(wallet.sent).toHaveLength(2);
      expect(money.session).toBeUndefined();
      expect(money.opening).toHaveLength(1);
      rpc.isDown = false;
      openPage();
      await expect
        .poll(
          async () => {
            await desk.refresh();
            return money.session?.ceiling;
          },
          { timeout: 20_000 },
        )
        .toBe(700n);
      expect(money.opening).toEqual([]);
    });

    it("opens one later with the same signature, by the entry or by the wallet", async () => {
      for (const byWallet of [false, true]) {
        const controller = new AbortController();
        wallet.isRefusing = false;
        const stop = () => {
          wallet.isRefusing = true;
          controller.abort();
        };
        const ceiling = byWallet ? 700n : 60_000n;
        const onPhase = (phase: string) => (phase === "signing" ? undefined : stop());
        const opening = desk.openSession(ceiling, 7, onPhase, controller.signal);
        await expect(opening).rejects.toThrow("is signed");
        openPage();
        await desk.refresh();
        const [signed] = money.opening;
        if (!signed) throw new Error("nothing is kept");
        const { signatures } = wallet;
        const sent = wallet.sent.length;
        wallet.isRefusing = !byWallet;
        await desk.openSigned(signed, byWallet);
        expect(money.session).toMatchObject({ voucher: signed.voucher, ceiling });
        expect(wallet.signatures).toBe(signatures);
        expect(wallet.sent.length - sent).toBe(byWallet ? 1 : 0);
        wallet.isRefusing = false;
        await desk.endSession();
        expect(money.session).toBeUndefined();
        expect(storage.text).not.toContain(signed.sessionKey);
      }
    });

    it("keeps nothing where the wallet was told not to sign", async () => {
      wallet.isRefusing = true;
      await expect(desk.openSession(60_000n, 7)).rejects.toThrow("cancelled");
      expect(money.opening).toEqual([]);
      expect(storage.text).not.toContain("sessionKey");
    });

    it("keeps what a session before had apart from the one after it", async () => {
      await desk.openSession(100_000n, 7);
      await asked({});
      const entry = await connection.entries.open(connection.entries.preferred);
      const payer = await desk.payer();
      if (!(payer instanceof VoucherPayer)) throw new Error("no payer by voucher");
      await expect
        .poll(async () => (await payer.standing(entry)).charged, { timeout: 20_000 })
        .toBeGreaterThan(0n);
      await desk.openSession(50_000n, 7);
      expect(money.session?.ceiling).toBe(50_000n);
      expect(money.left).toBe(50_000n);
      // An answer that was begun with the one before ends now.
      await payer.standing(entry);
      expect(money.left).toBe(50_000n);
      expect(money.session?.charged).toEqual({});
    });

    it("is there again behind an endpoint that lied", async () => {
      await desk.openSession(700n, 7);
      const { voucher, sessionKey } = money.session!;
      // No voucher is known to it, and its clock is a year ahead.
      const noVoucher = `0x${"0".repeat(5 * 64)}`;
      rpc.change = answered(({ result }) => {
        if (typeof result === "string" && result.length === noVoucher.length) {
          return { result: noVoucher };
        }
        const { timestamp } = (result ?? {}) as { timestamp?: string };
        if (timestamp === undefined) return undefined;
        const ahead = `0x${(Number(timestamp) + 365 * day).toString(16)}`;
        return { result: { ...(result as object), timestamp: ahead } };
      });
      openPage();
      await desk.refresh();
      expect(money).toMatchObject({ opening: [], ended: [] });
      expect(money.session).toBeUndefined();
      await expect(desk.payer()).rejects.toThrow("payment_required");
      rpc.change = undefined;
      await desk.refresh();
      expect(money.session).toMatchObject({ voucher, sessionKey });
    });

    it("goes by the chain's clock where the browser's is wrong", async () => {
      const now = Date.now;
      for (const wrongMs of [40 * day * 1000, -40 * day * 1000]) {
        try {
          const isPayment = () => new Error().stack?.split("\n")[3]?.includes("/app/payment/");
          Date.now = () => now() + (isPayment() === true ? wrongMs : 0);
          await desk.openSession(60_000n, 29);
          await desk.refresh();
          const head = await readHead(chain.reader);
          expect(Math.abs(money.session!.expiry - head.timestamp - 29 * day)).toBeLessThan(60);
          expect(money.ended.every((one) => one.sessionKey === undefined)).toBe(true);
          await desk.endSession();
        } finally {
          Date.now = now;
        }
      }
    });
  });

  it("asks no account that another one's payment was made for", async () => {
    await desk.buy(1000n);
    const { sent, signatures } = wallet;
    wallet.other = newAccount().address;
    const another = "on another account now";
    await expect(desk.buy(5n)).rejects.toThrow(another);
    await expect(desk.openSession(700n, 7)).rejects.toThrow(another);
    desk.mode = "query";
    await expect(asked({})).rejects.toThrow(another);
    await desk.refresh();
    expect(money).toMatchObject({ opening: [], queries: [] });
    expect([sent.length, wallet.signatures]).toEqual([1, signatures]);
  });

  // What comes last has moved the clock of the chain: its entries' evidence has ended.
  it("keeps no keys of what has ended, and takes back what nobody used", async () => {
    await desk.buy(100_000n);
    await desk.openSession(60_000n, 1);
    const session = money.session!;
    await desk.openSession(700n, 2, undefined, undefined);
    const other = money.session!;
    // One that is signed and never opened.
    wallet.onSent = undefined;
    const refuse = (phase: string) => (wallet.isRefusing = phase === "sending");
    await expect(desk.openSession(600n, 1, refuse)).rejects.toThrow("is signed");
    wallet.isRefusing = false;
    const [never] = money.opening;
    desk.mode = "query";
    const controller = new AbortController();
    wallet.onSent = () => controller.abort();
    await expect(asked({}, controller.signal)).rejects.toThrow("cancelled");
    wallet.onSent = undefined;
    await desk.refresh();
    const locked = money.queries[0]!.locked;
    const before = await readBalance(chain.reader, wallet.account.address);
    const { now } = Date;

    await wallet.passSeconds(day + 700);
    await desk.refresh();
    expect(money.session?.voucher).toBe(other.voucher);
    expect(money.opening).toEqual([]);
    expect(money.ended.map((one) => one.voucher)).toEqual([session.voucher]);
    expect(money.ended[0]?.sessionKey).toBeUndefined();
    // This browser's clock does not say so yet.
    for (const ended of [session, never!]) expect(storage.text).toContain(ended.sessionKey);
    vi.spyOn(Date, "now").mockImplementation(() => now() + aheadMs);
    let aheadMs = (day + 700) * 1000;
    await desk.refresh();
    for (const ended of [session, never!]) expect(storage.text).not.toContain(ended.sessionKey);
    expect(storage.text).toContain(other.sessionKey);
    expect(storage.text).toContain(session.voucher);
    expect(money.ended).toHaveLength(1);
    expect(money.queries).toHaveLength(1);
    await expect(desk.reclaimQuery(money.queries[0]!)).rejects.toThrow("TooEarly");

    await wallet.passSeconds(day);
    await desk.refresh();
    await desk.reclaimQuery(money.queries[0]!);
    expect(await readBalance(chain.reader, wallet.account.address)).toBe(before + locked);
    expect(money.queries).toEqual([]);

    await wallet.passSeconds(7 * day);
    aheadMs += 8 * day * 1000;
    await desk.refresh();
    expect(storage.text).not.toContain(never!.voucher);
    expect(storage.text).not.toContain(other.sessionKey);
    for (const one of money.ended) await desk.reclaim(one);
    expect(money.ended).toEqual([]);
    const all = await readBalance(chain.reader, wallet.account.address);
    expect(all).toBe(100_000n + locked);
    desk.stop();
    vi.restoreAllMocks();
  });
});
