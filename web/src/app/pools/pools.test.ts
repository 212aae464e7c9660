// SPDX-License-Identifier: Apache-2.0
import type { Address, Hex } from "viem";
import { describe, expect, it } from "vitest";
import { TeeTeeError } from "../../base/error";
import type { NodeInfo, PoolInfo } from "../../chain/reads";
import { parseNetwork, parsePools, type Network, type Pool } from "../../client/entries";
import { ethText, feeText, rateText, whenText } from "./amounts";
import { countText, creditsText } from "../ui/amounts";
import { callsOf, checkPool, type PoolReads, Turnstile, waitingCheck } from "./chainCheck";
import { nextOrder, searchPools, sortPools } from "./poolOrder";
import { freeView, poolView, titleOf } from "./poolView";
import { networkThroughput } from "./throughput";

const address = (digit: string): Address => `0x${digit.repeat(40)}`;
const hash = (digit: string): Hex => `0x${digit.repeat(64)}`;

/** As an entry writes it. */
function poolJson(pool: number, more: Record<string, unknown> = {}) {
  const node = (number: number, live: boolean) => ({
    node: number,
    host: address("a"),
    endpoint: "tls://node.example:5010",
    receipt_key: address(String(number)),
    measurement: hash("b"),
    expires: 2_000_000_000,
    live,
  });
  return {
    pool,
    creator: address("c"),
    model_root: hash("d"),
    manifest_uri: "",
    policy_hash: hash("e"),
    policy_uri: "",
    prompt_price: "2",
    completion_price: "5",
    fee_bps: 500,
    verifier: address("f"),
    open: true,
    slots: [
      { slot: 0, layers: [0, 3], nodes: [node(1, true), node(2, true)] },
      { slot: 1, layers: [3, 8], nodes: [node(3, false)] },
    ],
    ...more,
  };
}

function pools(...list: object[]): readonly Pool[] {
  return parsePools({ object: "list", block: 7, data: list }).pools;
}

function pool(more: Record<string, unknown> = {}): Pool {
  return pools(poolJson(1, more))[0]!;
}

function network(more: Record<string, unknown> = {}): Network {
  return parseNetwork({
    object: "network",
    simulated: true,
    routes: [["aa", "bb"]],
    model: {
      name: "story",
      model_root: "d".repeat(64),
      layers: 8,
      shards: [
        [0, 3],
        [3, 8],
      ],
    },
    policy_hash: "e".repeat(64),
    chain: {
      chain_id: 84532,
      contract: address("1"),
      from_block: 0,
      pool: 1,
      rpc_urls: ["http://127.0.0.1:1"],
    },
    nodes: [
      { node: "aa", receipt_key: address("1"), layers: [0, 3], entry: true },
      { node: "bb", receipt_key: address("3"), layers: [3, 8], entry: false },
    ],
    ...more,
  });
}

/** The contract, as the pool was told or otherwise. */
function contract(told: Pool, other: { pool?: Partial<PoolInfo>; node?: Partial<NodeInfo> } = {}) {
  let running = 0;
  const seen = { most: 0, calls: 0 };
  const answer = async <T>(value: T): Promise<T> => {
    seen.calls++;
    seen.most = Math.max(seen.most, ++running);
    await new Promise((done) => setTimeout(done, 1));
    running--;
    return value;
  };
  const nodes = told.slots.flatMap(({ slot, nodes }) => nodes.map((node) => ({ slot, ...node })));
  const reads: PoolReads = {
    pool: () =>
      answer({
        creator: told.creator,
        nextCreator: address("0"),
        modelRoot: told.modelRoot,
        policyHash: told.policyHash,
        verifier: told.verifier,
        prices: told.prices,
        feeBps: told.feeBps,
        closed: false,
        slotLayers: told.slots.map(({ layers }) => layers.end - layers.begin),
        ...other.pool,
      }),
    node: (number) => {
      const node = nodes.find((one) => one.node === number)!;
      const { receiptKey, slot, host, measurement, expires } = node;
      return answer({
        receiptKey,
        slot,
        host,
        measurement,
        expiry: expires,
        left: false,
        pool: told.pool,
        ...other.node,
      });
    },
    isLive: (number) => answer(nodes.find((one) => one.node === number)!.isLive),
  };
  return { reads, seen };
}

function checking(reads: PoolReads, atOnceMax = 4) {
  const controller = new AbortController();
  const progress: number[] = [];
  return {
    controller,
    progress,
    checking: {
      reads,
      turnstile: new Turnstile(atOnceMax),
      signal: controller.signal,
      onProgress: (done: number) => progress.push(done),
    },
  };
}

describe("amounts", () => {
  it("have separators, and units that people know", () => {
    expect(countText(0n)).toBe("0");
    expect(countText(1234567n)).toBe("1,234,567");
    expect(creditsText(1n)).toBe("1 credit");
    expect(creditsText(2000n)).toBe("2,000 credits");
    expect(feeText(500)).toBe("5%");
    expect(feeText(25)).toBe("0.25%");
    expect([0, 0.01, 3.42, 1234.4].map(rateText)).toEqual(["0", "under 0.1", "3.4", "1,234"]);
  });

  it("never tell less ETH than it is", () => {
    expect(ethText(10n ** 18n)).toBe("1 ETH");
    expect(ethText(2_000n * 10n ** 9n)).toBe("0.000002 ETH");
    expect(ethText(123_456_789n)).toBe("0.000000000124 ETH");
    expect(ethText(0n)).toBe("0 ETH");
  });

  it("say when", () => {
    expect(whenText(1000, 1010)).toBe("now");
    expect(whenText(1000, 1130)).toBe("2 minutes ago");
    expect(whenText(90_000, 1000)).toBe("in 1 day");
    expect(whenText(1000 + 7 * 86_400, 1000)).toBe("in 7 days");
  });
});

describe("throughput", () => {
  const history = (tokens: number[]) => ({
    seconds: 300,
    from: 10_000,
    buckets: tokens.map((count) => ({ probes: 1, answered: 1, tokens: count })),
  });
  const withHistory = (tokens: number[]) =>
    network({
      nodes: [{ node: "aa", layers: [0, 3], entry: true, history: history(tokens) }],
    });

  it("is of the span under way and the one before it", () => {
    const now = 10_000 + 2 * 300 + 100;
    expect(networkThroughput(withHistory([900, 600, 200]), now)).toEqual({
      lately: 2,
      busiest: 3,
      spanSeconds: 300,
    });
  });

  it("takes a clock that is wrong", () => {
    expect(networkThroughput(withHistory([30]), 0)?.lately).toBe(30);
    expect(networkThroughput(withHistory([30]), 1e9)?.lately).toBe(0.1);
  });

  it("is unknown where nothing was counted", () => {
    expect(networkThroughput(network(), 0)).toBeUndefined();
    expect(networkThroughput(withHistory([]), 0)).toBeUndefined();
  });
});

describe("a pool that is held against the contract", () => {
  it("is checked, by no more calls at once than allowed", async () => {
    const told = pool();
    const { reads, seen } = contract(told);
    const run = checking(reads, 2);
    const check = await checkPool(told, run.checking);
    expect(check.state).toBe("checked");
    expect(check.notes).toEqual([]);
    expect(check.facts?.nodes.get(3n)).toEqual({ expiry: 2_000_000_000, isLive: false });
    expect(seen).toEqual({ most: 2, calls: callsOf(told) });
    expect(run.progress).toEqual([1, 2, 3, 4, 5, 6, 7]);
  });

  it("shows the contract's word for what has changed since", async () => {
    const told = pool();
    const prices = { prompt: 3n, completion: 6n };
    const { reads } = contract(told, { pool: { prices, closed: true } });
    const check = await checkPool(told, checking(reads).checking);
    expect(check.state).toBe("checked");
    expect(check.notes.join()).toContain("price of the prompt is 3 by now");
    const view = poolView(told, check, { network: network(), trust: "verified", now: 0 });
    expect(view.prices).toEqual(prices);
    expect(view.isOpen).toBe(false);
  });

  it.each([
    ["model root", { pool: { modelRoot: hash("1") } }],
    ["verifier", { pool: { verifier: address("1") } }],
    ["fee", { pool: { feeBps: 1 } }],
    ["layers of slots", { pool: { slotLayers: [4, 4] } }],
    ["host of node 1", { node: { host: address("1") } }],
    ["receipt key of node 2", { node: { receiptKey: address("9") } }],
    ["slot of node 3", { node: { slot: 7 } }],
    ["measurement of node 1", { node: { measurement: hash("1") } }],
    ["pool of node 1", { node: { pool: 9n } }],
  ])("differs where the entry made up the %s", async (what, other) => {
    const told = pool();
    const check = await checkPool(told, checking(contract(told, other).reads).checking);
    expect(check.state).toBe("differs");
    expect(check.notes.some((note) => note.startsWith(what))).toBe(true);
  });

  it("fails, and says why, where the contract cannot be asked", async () => {
    const told = pool();
    const reads = contract(told).reads;
    const broken: PoolReads = {
      ...reads,
      node: () => Promise.reject(new TeeTeeError("rpc_unavailable", "away")),
    };
    const check = await checkPool(told, checking(broken).checking);
    expect(check).toMatchObject({ state: "failed", error: { code: "rpc_unavailable" } });
  });

  it("asks no more when nobody looks any more", async () => {
    const told = pool();
    const { reads, seen } = contract(told);
    const run = checking(reads, 1);
    const check = checkPool(told, run.checking);
    run.controller.abort();
    expect((await check).state).toBe("failed");
    expect(seen.calls).toBeLessThanOrEqual(1);
  });
});

describe("what a row shows", () => {
  const around = { network: network(), trust: "simulated", now: 0 } as const;

  it("is verified only of the entry's own pool", () => {
    const [own, other] = pools(poolJson(1), poolJson(2, { model_root: hash("9") }));
    const view = poolView(own!, waitingCheck(own!), around);
    expect(view).toMatchObject({ name: "story", trust: "simulated", isConnected: true });
    expect(view.slots.map((slot) => slot.live)).toEqual([2, 0]);
    expect([view.filled, view.layers]).toEqual([1, 8]);
    const elsewhere = poolView(other!, waitingCheck(other!), around);
    expect(elsewhere).toMatchObject({ name: undefined, trust: "unchecked", isConnected: false });
    expect(titleOf(elsewhere)).toBe("Model 0x99999999");
  });

  it("is the one model of a network without a chain, free", () => {
    const free = network({ chain: null });
    const view = freeView({ ...around, network: free });
    expect(view).toMatchObject({ pool: undefined, prices: undefined, name: "story", filled: 2 });
    expect(view.terms).toBeUndefined();
    expect(view.check).toBeUndefined();
  });
});

describe("order and search", () => {
  const around = { network: network(), trust: "verified", now: 0 } as const;
  const views = pools(
    poolJson(1),
    poolJson(2, { model_root: hash("9"), prompt_price: "1", completion_price: "1", fee_bps: 100 }),
    poolJson(3, { model_root: hash("8"), open: false, slots: [] }),
  ).map((one) => poolView(one, waitingCheck(one), around));
  const keys = (list: readonly { key: string }[]) => list.map(({ key }) => key);

  it("sorts by every column, either way, ties by number", () => {
    expect(keys(sortPools(views, { key: "price", isDescending: false }))).toEqual(["2", "1", "3"]);
    expect(keys(sortPools(views, { key: "price", isDescending: true }))).toEqual(["1", "3", "2"]);
    expect(keys(sortPools(views, { key: "trust", isDescending: true }))).toEqual(["1", "2", "3"]);
    expect(keys(sortPools(views, { key: "slots", isDescending: false }))).toEqual(["3", "1", "2"]);
    expect(keys(sortPools(views, { key: "fee", isDescending: false }))).toEqual(["2", "1", "3"]);
    expect(keys(sortPools(views, { key: "name", isDescending: false }))).toEqual(["3", "2", "1"]);
  });

  it("turns round at a second press", () => {
    const once = nextOrder({ key: "name", isDescending: false }, "slots");
    expect(once).toEqual({ key: "slots", isDescending: true });
    expect(nextOrder(once, "slots")).toEqual({ key: "slots", isDescending: false });
  });

  it("finds all words, in names, roots, creators and numbers", () => {
    const find = (words: string, isOpenOnly = false) =>
      keys(searchPools(views, { words, isOpenOnly }));
    expect(find("")).toEqual(["1", "2", "3"]);
    expect(find("STORY")).toEqual(["1"]);
    expect(find("pool 2")).toEqual(["2"]);
    expect(find(`0x8888 ${"c".repeat(40)}`)).toEqual(["3"]);
    expect(find("story 0x8888")).toEqual([]);
    expect(find("", true)).toEqual(["1", "2"]);
  });
});
