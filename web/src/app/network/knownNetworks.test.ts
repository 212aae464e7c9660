// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { formatPool, parsePool, type PoolOnChain } from "../../chain/deployment";
import { ensurePool } from "./connection";
import { KnownNetworks, NetworkChanged } from "./knownNetworks";
import { parseSettings } from "./settings";

const url = "https://entry.example";
const pool: PoolOnChain = {
  deployment: { chainId: 84532, contract: "0x00000000000000000000000000000000000000AA" },
  pool: 3n,
};
const others: readonly PoolOnChain[] = [
  { ...pool, pool: 4n },
  { ...pool, deployment: { ...pool.deployment, chainId: 8453 } },
  {
    ...pool,
    deployment: { chainId: 84532, contract: "0x00000000000000000000000000000000000000Ab" },
  },
];

class Memory {
  readonly items = new Map<string, string>();
  getItem(key: string) {
    return this.items.get(key) ?? null;
  }
  setItem(key: string, value: string) {
    this.items.set(key, value);
  }
}

describe("what an entry is known by", () => {
  it("is what it named first, in every later visit", () => {
    const memory = new Memory();
    const known = new KnownNetworks(memory);
    ensurePool(url, pool, {}, known);
    expect(known.of(url)).toBeUndefined();
    known.keep(url, pool);
    const later = new KnownNetworks(memory);
    ensurePool(url, pool, {}, later);
    // As many write it: the case of letters says nothing.
    const lower = {
      ...pool,
      deployment: { ...pool.deployment, contract: "0x00000000000000000000000000000000000000aa" },
    } as const;
    ensurePool(url, lower, {}, later);
    for (const other of [...others, "none" as const]) {
      expect(() => ensurePool(url, other, {}, later)).toThrow(NetworkChanged);
      // Another entry is somebody else.
      ensurePool("https://other.example", other, {}, later);
    }
  });

  it("may be that there is no contract", () => {
    const known = new KnownNetworks(new Memory());
    known.keep(url, "none");
    ensurePool(url, "none", {}, known);
    expect(() => ensurePool(url, pool, {}, known)).toThrow("statement_mismatch");
    known.keep(url, pool);
    ensurePool(url, pool, {}, known);
  });

  it("is what the user has set, whatever it was", () => {
    const known = new KnownNetworks(new Memory());
    known.keep(url, others[0]!);
    ensurePool(url, pool, { pool }, known);
    for (const other of [...others, "none" as const]) {
      expect(() => ensurePool(url, other, { pool }, known)).toThrow("your settings have");
    }
  });

  it("is forgotten for those that were used the longest ago, and where it was written otherwise", () => {
    const memory = new Memory();
    const known = new KnownNetworks(memory);
    known.keep(url, pool);
    for (let i = 0; i < 255; i++) known.keep(`https://${i}.example`, "none");
    expect(known.of(url)).toEqual(pool);
    known.keep(url, pool);
    for (let i = 255; i < 510; i++) known.keep(`https://${i}.example`, "none");
    expect(known.of(url)).toEqual(pool);
    known.keep("https://one-more.example", "none");
    expect(known.of(url)).toBeUndefined();
    for (const text of ["", "{", "{}", "[1]", '[["https://entry.example",1]]']) {
      memory.setItem("teetee.known", text);
      expect(known.of(url)).toBeUndefined();
    }
    memory.setItem("teetee.known", '[["https://entry.example","1:0x0:1"]]');
    expect(known.of(url)).toBeUndefined();
  });
});

describe("a pool, written", () => {
  it("is read again", () => {
    expect(formatPool(pool)).toBe("84532:0x00000000000000000000000000000000000000AA:3");
    expect(parsePool(formatPool(pool))).toMatchObject({ pool: 3n, deployment: { chainId: 84532 } });
    expect(parseSettings(JSON.stringify({ pool: formatPool(pool) })).pool?.pool).toBe(3n);
  });

  it.each([
    "",
    "84532:0x00000000000000000000000000000000000000AA",
    "0:0x00000000000000000000000000000000000000AA:3",
    "9999999999999999:0x00000000000000000000000000000000000000AA:3",
    "84532:0x00000000000000000000000000000000000000A:3",
    "84532:00000000000000000000000000000000000000AA00:3",
    "84532:0x00000000000000000000000000000000000000AA:-3",
    "84532:0x00000000000000000000000000000000000000AA:3:4",
    " 84532:0x00000000000000000000000000000000000000AA:3",
  ])("is not read from %j", (text) => {
    expect(() => parsePool(text)).toThrow();
    expect(parseSettings(JSON.stringify({ pool: text })).pool).toBeUndefined();
  });
});
