// SPDX-License-Identifier: Apache-2.0
import { createClient, custom, decodeFunctionData, encodeFunctionResult, type Hex } from "viem";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { trustingVerifier } from "../../tests/support/statement";
import { TestEntry, testManifest, testPolicy, testTerms } from "../../tests/support/testEntry";
import { sha256, toHex } from "../base/bytes";
import { teeTeeAbi } from "../chain/abi";
import { toAddress } from "../chain/deployment";
import type { ChainReader } from "../chain/reads";
import { EntryPool } from "./entryPool";
import type { Network } from "./entries";
import { RouteRejected } from "./routeVerifier";
import { TeeTeeError } from "../base/error";
import { fetchNetworkTerms, VerifiedEntry } from "./verifiedEntry";

const contract = toAddress(`0x${"c0".repeat(20)}`, "contract");
const modelRoot: Hex = `0x${"11".repeat(32)}`;

/** What the contract says. */
interface Said {
  chainId: number;
  node: bigint;
  isLive: boolean;
  pool: number;
  slot: number;
  slotLayers: number[];
  policyHash: Hex;
  modelRoot: Hex;
  expiry: number;
}

const nowSeconds = () => Math.floor(Date.now() / 1000);
let server: TestEntry;
let said: Said;

function answerOf(data: Hex): Hex {
  const { functionName, args } = decodeFunctionData({ abi: teeTeeAbi, data });
  const abi = teeTeeAbi;
  switch (functionName) {
    case "nodeOfKey":
      return encodeFunctionResult({ abi, functionName, result: said.node });
    case "isLive":
      return encodeFunctionResult({ abi, functionName, result: said.isLive && args[0] === 7n });
    case "nodeInfo": {
      const { slot, pool, expiry } = said;
      const rest = { expiry, left: false, host: contract, measurement: modelRoot };
      const result = { receiptKey: server.address, slot, pool, ...rest };
      return encodeFunctionResult({ abi, functionName, result });
    }
    case "poolInfo": {
      const { slotLayers, policyHash } = said;
      const result = {
        creator: contract,
        nextCreator: contract,
        verifier: contract,
        prices: { prompt: 1n, completion: 1n },
        feeBps: 0,
        closed: false,
        modelRoot: said.modelRoot,
        policyHash,
        slotLayers,
      };
      return encodeFunctionResult({ abi, functionName, result });
    }
    default:
      throw new Error(`no ${functionName} here`);
  }
}

function reader(): ChainReader {
  const transport = custom({
    request: async ({ method, params }) => {
      if (method === "eth_chainId") return `0x${said.chainId.toString(16)}`;
      if (method === "eth_getCode") return "0x60";
      const [{ data }] = params as [{ data: Hex }];
      return answerOf(data);
    },
  });
  const client = createClient({ transport });
  return { client, deployment: { chainId: 31337, contract } };
}

function network(): Network {
  return {
    isSimulated: true,
    routes: [],
    model: { name: "test", modelRoot, layers: 2, shards: [] },
    policyHash: said.policyHash,
    chain: { deployment: { chainId: 31337, contract }, fromBlock: 0n, pool: 3n, rpcUrls: [] },
    nodes: [],
  };
}

beforeEach(async () => {
  server = await TestEntry.start(() => ({ pieces: [] }));
  said = {
    chainId: 31337,
    node: 7n,
    isLive: true,
    pool: 3,
    slot: 0,
    slotLayers: [2],
    policyHash: `0x${toHex(await sha256(testPolicy))}`,
    modelRoot,
    expiry: nowSeconds() + 600,
  };
});

afterEach(() => server.stop());

describe("what nodes are held against", () => {
  it("is the pool's, whatever the entry says", async () => {
    const terms = await fetchNetworkTerms(server.url, network(), reader());
    expect(terms.policy).toEqual(testPolicy);
    expect(terms.manifest).toEqual(testManifest);
    expect(terms.expectation).toEqual({
      deployment: { chainId: 31337, contract },
      pool: 3n,
      modelRoot,
      policyHash: said.policyHash,
    });
    said.policyHash = `0x${"00".repeat(32)}`;
    await expect(fetchNetworkTerms(server.url, network(), reader())).rejects.toThrow(
      "statement_mismatch",
    );
    said.chainId = 1;
    await expect(fetchNetworkTerms(server.url, network(), reader())).rejects.toThrow(
      "chain_mismatch",
    );
  });

  it("is what the user pinned, with a chain or without", async () => {
    const pins = { modelRoot: `0x${"12".repeat(32)}` } as const;
    await expect(fetchNetworkTerms(server.url, network(), reader(), pins)).rejects.toThrow(
      "statement_mismatch",
    );
    const free = { ...network(), chain: undefined };
    const terms = await fetchNetworkTerms(server.url, free, undefined, pins);
    expect(terms.expectation).toMatchObject({ pool: 0n, modelRoot: pins.modelRoot });
    const other = { policyHash: `0x${"00".repeat(32)}` } as const;
    await expect(fetchNetworkTerms(server.url, free, undefined, other)).rejects.toThrow(
      "statement_mismatch",
    );
  });
});

describe("a verified entry", () => {
  const open = () =>
    VerifiedEntry.open({
      url: server.url,
      terms: { ...testTerms, expectation: { ...testTerms.expectation }, reader: reader() },
      verifier: trustingVerifier,
    });

  it("is a live node of the pool, of the slot with its layers", async () => {
    said.pool = 0;
    const entry = await open();
    expect(entry.registered).toEqual([{ node: 7n, host: contract, slot: 0, expiry: said.expiry }]);
    said.node = 0n;
    await expect(open()).rejects.toThrow("not_ready");
    said.node = 7n;
    said.isLive = false;
    await expect(open()).rejects.toThrow("not_ready");
    said.isLive = true;
    said.pool = 4;
    await expect(open()).rejects.toThrow("not_ready");
    said.pool = 0;
    said.slotLayers = [1, 1];
    await expect(open()).rejects.toThrow("statement_mismatch");
  });

  it("is none of a pool that asks for another policy or model by now", async () => {
    said.pool = 0;
    const { policyHash } = said;
    const terms = {
      ...testTerms,
      expectation: { ...testTerms.expectation, policyHash },
      reader: reader(),
    };
    const pool = new EntryPool({
      urls: [server.url],
      terms,
      verifier: trustingVerifier,
      verifiedForMs: 0,
    });
    await pool.open(server.url);
    said.policyHash = `0x${"99".repeat(32)}`;
    await expect(pool.open(server.url)).rejects.toThrow("statement_mismatch: pool: has policy");
    said = { ...said, policyHash, modelRoot: `0x${"12".repeat(32)}` };
    await expect(pool.open(server.url)).rejects.toThrow("statement_mismatch: pool: has model root");
  });

  it("is known no longer than its nodes are registered", async () => {
    said.pool = 0;
    const terms = { ...testTerms, reader: reader() };
    const pool = new EntryPool({ urls: [server.url], terms, verifier: trustingVerifier });
    said.expiry = nowSeconds() + 2;
    const entry = await pool.open(server.url);
    expect(entry.expiresAtMs).toBe(said.expiry * 1000);
    // Statements that end first are what it ends with.
    said.expiry = nowSeconds() + 7200;
    pool.forget(entry);
    const other = await pool.open(server.url);
    expect(other.expiresAtMs).toBe(other.node.notAfter * 1000);
    said.expiry = nowSeconds() - 1;
    pool.forget(other);
    await expect(pool.open(server.url)).rejects.toThrow("its registration in the contract has");
  });

  it("is asked by nobody where its evidence is rejected, with every check at hand", async () => {
    const why = new TeeTeeError("measurement_rejected", "code: have a, need b");
    const report = { receiptKey: server.address, layers: undefined, checks: [], error: why };
    const verifier = {
      ...trustingVerifier,
      verifyRoute: async () => {
        throw new RouteRejected(why, [report]);
      },
    };
    const pool = new EntryPool({ urls: [server.url], terms: testTerms, verifier });
    const thrown = await pool.open(server.url).catch((one: unknown) => one);
    expect(thrown).toBeInstanceOf(RouteRejected);
    expect(thrown).toMatchObject({ code: "measurement_rejected", nodes: [report] });
  });
});

describe("a pool of entries", () => {
  const poolOf = (...urls: string[]) =>
    new EntryPool({ urls, terms: testTerms, verifier: trustingVerifier });

  it("verifies once, however many ask, and anew when it is told or the route changes", async () => {
    const pool = poolOf(`${server.url}/`);
    const [one, other] = await Promise.all([pool.open(server.url), pool.open(server.url)]);
    expect(one).toBe(other);
    expect(server.attestations).toBe(1);
    expect(await pool.isUnchanged(one)).toBe(true);
    expect(pool.verified(server.url)).toBe(one);
    server.otherNode = "ab".repeat(20);
    expect(await pool.isUnchanged(one)).toBe(false);
    expect(pool.verified(server.url)).toBeUndefined();
    const again = await pool.open(server.url);
    expect(server.attestations).toBe(2);
    // What is known by now is not forgotten for what was.
    pool.forget(one);
    expect(pool.verified(server.url)).toBe(again);
  });

  it("verifies anew for whoever uses an entry that has other keys by now", async () => {
    const pool = poolOf(server.url);
    await pool.open(server.url);
    await server.renew();
    const call = { method: "GET", path: "/v1/payment" } as const;
    await pool.use(server.url, (entry) => entry.fetch(call, 100));
    expect(server.attestations).toBe(2);
    server.refusal = { status: 409, code: "sealed_key_unknown" };
    const refused = pool.use(server.url, (entry) => entry.fetch(call, 100));
    await expect(refused).rejects.toThrow("channel_unbound");
    expect(server.attestations).toBe(3);
  });

  it("does not count what is old", async () => {
    const old = new EntryPool({
      urls: [server.url],
      terms: testTerms,
      verifier: trustingVerifier,
      verifiedForMs: 0,
    });
    await old.open(server.url);
    await old.open(server.url);
    expect(server.attestations).toBe(2);
  });

  it("leaves out for a while what it learned and could not verify", async () => {
    server.others = ["http://127.0.0.1:1"];
    const pool = poolOf(server.url);
    const entry = await pool.open(server.url);
    await pool.learn(entry);
    expect(pool.urls).toEqual([server.url, "http://127.0.0.1:1"]);
    await expect(pool.open("http://127.0.0.1:1")).rejects.toThrow("connect_failed");
    expect(pool.urls).toEqual([server.url]);
    expect(pool.isNamed(server.url)).toBe(true);
    expect(() => poolOf()).toThrow("invalid_argument");
    expect(() => poolOf("nowhere")).toThrow("address_invalid");
  });
});
