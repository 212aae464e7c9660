// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { utf8 } from "../base/bytes";
import {
  parseEntryList,
  parseEntryTerms,
  parseHealth,
  parseModels,
  parseNetwork,
  parsePools,
  parseStanding,
  parseVoucherOpened,
} from "./entries";
import { baseUrlOf, ensureBaseUrl, parseJson, quoteForeign } from "./fields";

const hash = "ab".repeat(32);
const address = `0x${"12".repeat(20)}`;
const checksummed = "0x1212121212121212121212121212121212121212";

type Json = Record<string, unknown>;

/** The same with one member, by its path, put or taken away (undefined). */
function changed(value: unknown, path: readonly (string | number)[], to: unknown): unknown {
  const [name, ...rest] = path;
  if (name === undefined) return to;
  const copy = (Array.isArray(value) ? [...value] : { ...(value as Json) }) as Json;
  const member = changed(copy[name], rest, to);
  if (member === undefined) delete copy[name];
  else copy[name] = member;
  return copy;
}

const network = {
  object: "network",
  model: {
    name: "Story",
    model_root: hash,
    layers: 5,
    shards: [
      [0, 3],
      [3, 5],
    ],
  },
  policy_hash: hash,
  chain: {
    chain_id: 84532,
    contract: address,
    from_block: 7,
    pool: 1,
    rpc_urls: ["http://127.0.0.1:8545/", "file:///etc/passwd"],
  },
  nodes: [
    {
      node: "12".repeat(20),
      receipt_key: address,
      layers: [0, 3],
      entry: true,
      api_url: "http://127.0.0.1:5002/",
      linked: true,
      round_trip_ms: null,
      history: { seconds: 300, from: 100, buckets: [{ probes: 3, answered: 2, tokens: 9 }] },
    },
    { node: "34".repeat(20), layers: [3, 5], entry: false, api_url: null, round_trip_ms: 1.5 },
  ],
};

const pools = {
  object: "list",
  block: 12,
  data: [
    {
      pool: 1,
      creator: address,
      model_root: hash,
      manifest_uri: "",
      policy_hash: hash,
      policy_uri: "https://a.example/policy.json",
      prompt_price: "2",
      completion_price: "18446744073709551615",
      fee_bps: 100,
      verifier: address,
      open: true,
      slots: [
        {
          slot: 0,
          layers: [0, 3],
          nodes: [
            {
              node: 4,
              host: address,
              endpoint: "tls://a.example:5010",
              receipt_key: address,
              measurement: hash,
              expires: 1_800_000_000,
              live: true,
            },
          ],
        },
      ],
    },
  ],
};

const terms = {
  free: false,
  chain_id: "84532",
  contract: address,
  pool: "1",
  entry: address,
  lead_tokens: 16,
  prompt_price: "2",
  completion_price: "5",
};

const health = {
  status: "unavailable",
  detail: "waiting",
  model: "teetee-story",
  simulated: true,
  route: [{ node: "00", layers: [0, 5] }],
  routes: 1,
  unregistered: [{ node: "01", why: "its registration has expired" }],
  round_trip_us: 1500,
  active_requests: 1,
  queued_requests: 2,
};

describe("what entries say", () => {
  it("is read as it is", () => {
    const read = parseNetwork(network);
    expect(read.model.shards).toEqual([
      { begin: 0, end: 3 },
      { begin: 3, end: 5 },
    ]);
    expect(read.chain).toEqual({
      deployment: { chainId: 84532, contract: checksummed },
      fromBlock: 7n,
      pool: 1n,
      rpcUrls: ["http://127.0.0.1:8545"],
    });
    expect(read.nodes[0]).toMatchObject({
      receiptKey: checksummed,
      isEntry: true,
      apiUrl: "http://127.0.0.1:5002",
      roundTripMs: undefined,
      history: { seconds: 300, buckets: [{ probes: 3, answered: 2, tokens: 9 }] },
    });
    expect(read.nodes[1]).toMatchObject({
      receiptKey: undefined,
      apiUrl: undefined,
      roundTripMs: 1.5,
    });
    expect(parseNetwork(changed(network, ["chain"], null)).chain).toBeUndefined();
    const [pool] = parsePools(pools).pools;
    expect(pool?.prices).toEqual({ prompt: 2n, completion: 2n ** 64n - 1n });
    expect(pool?.slots[0]?.nodes[0]).toMatchObject({ node: 4n, isLive: true });
    expect(parseEntryTerms(terms)).toMatchObject({ pool: 1n, prices: { prompt: 2n } });
    expect(parseEntryTerms({ free: true })).toEqual({ isFree: true });
    const unpriced = parseEntryTerms(changed(terms, ["prompt_price"], undefined));
    expect(unpriced).toMatchObject({ isFree: false, prices: undefined });
    expect(parseHealth(health)).toMatchObject({ isReady: false, roundTripMs: 1.5 });
    expect(parseModels({ data: [{ id: "a" }, { id: "b" }] })).toEqual(["a", "b"]);
    const standing = { charged: "1", held: "2", signed: "3", claimable: "4" };
    expect(parseStanding(standing)).toEqual({ charged: 1n, held: 2n, signed: 3n, claimable: 4n });
    const opened = { voucher: `0x${hash}`, state: "opening" };
    expect(parseVoucherOpened(opened)).toEqual({ voucher: `0x${hash}`, isOpen: false });
  });

  it("is refused where a member is none", () => {
    const cases: [(value: unknown) => unknown, unknown, (string | number)[], unknown][] = [
      [parseNetwork, network, [], []],
      [parseNetwork, network, ["model"], undefined],
      [parseNetwork, network, ["model", "name"], "x".repeat(513)],
      [parseNetwork, network, ["model", "model_root"], "ab"],
      [parseNetwork, network, ["model", "layers"], -1],
      [parseNetwork, network, ["model", "shards", 0], [3, 3]],
      [parseNetwork, network, ["model", "shards", 0], [0, 1, 2]],
      [parseNetwork, network, ["model", "shards", 0], [0, 1e9]],
      [parseNetwork, network, ["policy_hash"], `${hash}00`],
      [parseNetwork, network, ["chain", "chain_id"], 0],
      [parseNetwork, network, ["chain", "chain_id"], 1.5],
      [parseNetwork, network, ["chain", "contract"], "0x12"],
      [parseNetwork, network, ["chain", "pool"], "01"],
      [parseNetwork, network, ["chain", "pool"], "18446744073709551616"],
      [parseNetwork, network, ["chain", "rpc_urls"], "http://a"],
      [parseNetwork, network, ["nodes"], {}],
      [parseNetwork, network, ["nodes", 0], 1],
      [parseNetwork, network, ["nodes", 0, "layers"], "0-3"],
      [parseNetwork, network, ["nodes", 0, "entry"], "yes"],
      [parseNetwork, network, ["nodes", 0, "history", "seconds"], 0],
      [parseNetwork, network, ["nodes", 0, "history", "buckets", 0, "probes"], -1],
      [parseNetwork, network, ["nodes"], Array.from({ length: 4097 }, () => network.nodes[1])],
      [parseNetwork, network, ["routes"], [[1]]],
      [parsePools, pools, ["has_more"], 1],
      [parsePools, pools, ["data"], undefined],
      [parsePools, pools, ["data", 0, "creator"], hash],
      [parsePools, pools, ["data", 0, "prompt_price"], "2.5"],
      [parsePools, pools, ["data", 0, "fee_bps"], 10_001],
      [parsePools, pools, ["data", 0, "slots", 0, "slot"], 64],
      [parsePools, pools, ["data", 0, "slots", 0, "nodes", 0, "measurement"], "ab"],
      [parsePools, pools, ["data", 0, "slots", 0, "nodes", 0, "live"], 1],
      [parseEntryTerms, terms, ["free"], undefined],
      [parseEntryTerms, terms, ["entry"], ""],
      [parseEntryTerms, terms, ["completion_price"], undefined],
      [parseHealth, health, ["simulated"], undefined],
      [parseHealth, health, ["route"], [{ node: "00", layers: [2, 1] }]],
      [parseModels, { data: [{ id: "a" }] }, ["data", 0, "id"], 1],
      [parseStanding, { charged: "1", held: "2", signed: "3", claimable: "4" }, ["held"], -2],
      [parseVoucherOpened, { voucher: `0x${hash}`, state: "open" }, ["state"], "closed"],
      [parseVoucherOpened, { voucher: `0x${hash}`, state: "open" }, ["voucher"], hash],
      [parseEntryList, { data: [] }, ["data"], {}],
      [parseEntryList, { data: [] }, ["data"], [1]],
    ];
    for (const [parse, value, path, to] of cases) {
      const wrong = changed(value, path, to);
      expect(() => parse(wrong), `${path.join(".")} = ${String(to).slice(0, 40)}`).toThrow(
        "invalid_json",
      );
    }
  });

  it("lists other entries as far as they can be asked", () => {
    const list = parseEntryList({
      model_root: hash,
      data: [
        { node: "00", api_url: "http://a.example:5002//" },
        { node: "01", api_url: "javascript:alert(1)" },
        { node: "02" },
        { node: "03", api_url: 7, api_tls_url: "https://b.example" },
      ],
    });
    expect(list.entries).toEqual([
      { node: "00", apiUrl: "http://a.example:5002", apiTlsUrl: undefined },
      { node: "03", apiUrl: undefined, apiTlsUrl: "https://b.example" },
    ]);
    const many = Array.from({ length: 100 }, (_, at) => ({ api_url: `http://h${at}` }));
    expect(parseEntryList({ data: many }).entries.length).toBe(64);
  });
});

describe("foreign JSON", () => {
  it("has limits", () => {
    const parse = (text: string) => parseJson(utf8(text), "it", { bytesMax: 100, depthMax: 3 });
    expect(parse('{"a":[[1]],"b":"[[[[{{{{"}')).toEqual({ a: [[1]], b: "[[[[{{{{" });
    expect(parse('"\\"[[[["')).toBe('"[[[[');
    expect(() => parse("[[[[1]]]]")).toThrow("limit_exceeded");
    expect(() => parse(" ".repeat(101))).toThrow("limit_exceeded");
    for (const text of ["", "{", "[1,]", "{'a':1}", "nul", "\ufeff{}"]) {
      expect(() => parse(text)).toThrow("invalid_json");
    }
    const limits = { bytesMax: 9, depthMax: 1 };
    expect(() => parseJson(new Uint8Array([0x22, 0xff, 0x22]), "it", limits)).toThrow(
      "invalid_utf8",
    );
  });

  it("is quoted so that it does no harm", () => {
    expect(quoteForeign("a\u001b[1m\n\u202e")).toBe('"a?[1m??"');
    expect(quoteForeign("x".repeat(70))).toBe(`"${"x".repeat(64)}"..`);
  });

  it("has URLs of entries alone", () => {
    expect(baseUrlOf("https://a.example:5003/api/")).toBe("https://a.example:5003/api");
    for (const url of [
      "",
      "a.example",
      "ftp://a",
      "data:,x",
      "http://u:p@a",
      "http://a?x",
      "http://a#x",
    ]) {
      expect(baseUrlOf(url)).toBeUndefined();
    }
    expect(() => ensureBaseUrl("nowhere")).toThrow("address_invalid");
  });
});
