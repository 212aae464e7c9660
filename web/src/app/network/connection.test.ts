// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import type { Network, NetworkChain } from "../../client/entries";
import type { VerifiedEntry } from "../../client/verifiedEntry";
import { defineNetworkChain, heldAgainst, type Connection } from "./connection";
import type { NetworkSettings } from "./settings";
import { yardstickOf } from "./yardstick";

const chain: NetworkChain = {
  deployment: { chainId: 84532, contract: "0x00000000000000000000000000000000000000Aa" },
  fromBlock: 1n,
  pool: 3n,
  rpcUrls: [],
};

const said = (change: Partial<Network> = {}): Network => ({
  isSimulated: false,
  routes: [],
  model: { name: "a larger one", modelRoot: "0x01", layers: 80, shards: [] },
  policyHash: "0x02",
  chain,
  nodes: [],
  ...change,
});

const entry = {
  route: {
    isSimulated: true,
    modelName: "story",
    modelRoot: "0x0a",
    layerCount: 5,
    policyHash: "0x0b",
  },
} as unknown as VerifiedEntry;

describe("what an entry says of its network", () => {
  it("gives way to what was verified", () => {
    expect(heldAgainst(said(), entry, chain)).toMatchObject({
      isSimulated: true,
      policyHash: "0x0b",
      model: { name: "story", modelRoot: "0x0a", layers: 5 },
    });
  });

  it("may not name another contract or pool than before, nor none", () => {
    const other = { ...chain, pool: 4n };
    const deployment = { ...chain.deployment, chainId: 1 };
    for (const change of [other, { ...chain, deployment }, undefined]) {
      expect(() => heldAgainst(said({ chain: change }), entry, chain)).toThrow(
        "statement_mismatch",
      );
    }
    expect(() => heldAgainst(said(), entry, undefined)).toThrow("statement_mismatch");
    expect(heldAgainst(said({ chain: undefined }), entry, undefined).chain).toBeUndefined();
  });
});

describe("who names what nodes are held against", () => {
  const connection = (settings: NetworkSettings, known = true, chainId = 84532) =>
    ({
      chain: known ? { ...chain, definition: defineNetworkChain(chainId, []) } : undefined,
      settings,
    }) as unknown as Connection;
  const pool = { deployment: chain.deployment, pool: chain.pool };
  const rpcUrls = ["https://rpc.example"];

  it("is the user only with a pool and endpoints of the user's", () => {
    expect(yardstickOf(connection({ pool, rpcUrls }))).toEqual({
      isOwn: true,
      words:
        "Held against pool 3 of contract 0x00000000000000000000000000000000000000Aa on Base Sepolia (chain 84532), which you have set, read where you have set.",
    });
    expect(yardstickOf(connection({}))).toMatchObject({
      isOwn: false,
      words: expect.stringMatching(/which the entry names, read where the entry says\.$/) as string,
    });
    expect(yardstickOf(connection({ pool })).isOwn).toBe(false);
    expect(yardstickOf(connection({ rpcUrls })).isOwn).toBe(false);
    expect(yardstickOf(connection({ pool, rpcUrls }, false)).isOwn).toBe(false);
  });

  it("names a chain by its number where people do not know it", () => {
    expect(yardstickOf(connection({}, true, 4242)).words).toContain("on chain 4242,");
  });
});
