// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it, vi } from "vitest";
import { PaidQueries, type PaidQuery } from "./paidQueries";
import type { TextStorage } from "./storedList";

function memory(text?: string): TextStorage & { text: () => string } {
  let kept = text ?? null;
  return {
    getItem: () => kept,
    setItem: (_, value) => (kept = value),
    text: () => kept ?? "",
  };
}

const hex = (byte: string, bytes: number) => `0x${byte.repeat(bytes)}` as const;

function paid(change: Partial<PaidQuery> = {}): PaidQuery {
  return {
    chainId: 84532,
    contract: hex("aa", 20),
    pool: 1n,
    payer: hex("bb", 20),
    entry: hex("cc", 20),
    requestHash: hex("dd", 32),
    salt: "0e".repeat(16),
    seed: 7,
    locked: 1234n,
    fromBlock: 99n,
    askedAt: 1000,
    deadline: 4600,
    transaction: hex("ff", 32),
    nonce: 0,
    query: 12n,
    isUsed: false,
    ...change,
  };
}

describe("PaidQueries", () => {
  it("gives back what it was given, to its owner alone", () => {
    const storage = memory();
    const bare = paid({ requestHash: hex("de", 32) });
    delete (bare as { transaction?: unknown }).transaction;
    delete (bare as { nonce?: unknown }).nonce;
    delete (bare as { query?: unknown }).query;
    new PaidQueries(storage).keep(paid());
    new PaidQueries(storage).keep(bare);
    const queries = new PaidQueries(storage);
    expect(queries.of(paid())).toEqual([bare, paid()]);
    expect(queries.of(paid({ payer: hex("BB", 20) }))).toHaveLength(2);
    const others = [
      { payer: hex("b0", 20) },
      { pool: 2n },
      { chainId: 1 },
      { contract: hex("a0", 20) },
    ];
    for (const other of others) expect(queries.of(paid(other))).toEqual([]);
  });

  it("finds what pays for a request at an entry, until it is used", () => {
    const queries = new PaidQueries(memory());
    const { entry, requestHash } = paid();
    queries.keep(paid());
    expect(queries.find(paid(), hex("CC", 20), requestHash)).toEqual(paid());
    expect(queries.find(paid(), hex("c0", 20), requestHash)).toBeUndefined();
    expect(queries.find(paid(), entry, hex("d0", 32))).toBeUndefined();
    queries.keep(paid({ isUsed: true }));
    expect(queries.of(paid())).toHaveLength(1);
    expect(queries.find(paid(), entry, requestHash)).toBeUndefined();
    // Paid anew, later.
    queries.keep(paid({ fromBlock: 100n }));
    expect(queries.of(paid())).toHaveLength(2);
    queries.drop(paid());
    expect(queries.of(paid())).toEqual([paid({ fromBlock: 100n })]);
  });

  it("changes what is stored, and nothing that is gone", () => {
    const storage = memory();
    const queries = new PaidQueries(storage);
    const unpaid = paid();
    delete (unpaid as { query?: unknown }).query;
    queries.keep(unpaid);
    // Another tab, meanwhile.
    new PaidQueries(storage).keep({ ...unpaid, isUsed: true });
    queries.change(unpaid, (kept) => ({ ...kept, query: 12n }));
    expect(queries.of(paid())).toEqual([paid({ isUsed: true })]);
    queries.drop(paid());
    queries.change(paid(), () => paid());
    expect(queries.of(paid())).toEqual([]);
  });

  it("lets one answer at a time have a query", async () => {
    const queries = new PaidQueries(memory());
    const { requestHash } = paid();
    const taken = [queries.take(requestHash), queries.take(requestHash)];
    expect(await Promise.all(taken)).toEqual([true, false]);
    expect(queries.isBusy(paid())).toBe(true);
    queries.giveBack(requestHash);
    expect(queries.isBusy(paid())).toBe(false);
    expect(await queries.take(requestHash)).toBe(true);
  });

  it("lets one tab at a time have a query, where the browser has locks", async () => {
    const held = new Set<string>();
    // As the browser has it.
    const request = async (
      name: string,
      _: LockOptions,
      run: (lock: object | null) => Promise<void>,
    ) => {
      if (held.has(name)) return run(null);
      held.add(name);
      await run({ name });
      held.delete(name);
    };
    vi.stubGlobal("navigator", { locks: { request } });
    const [one, other] = [new PaidQueries(memory()), new PaidQueries(memory())];
    const { requestHash } = paid();
    expect(await one.take(requestHash)).toBe(true);
    expect(await other.take(requestHash)).toBe(false);
    expect(await other.take(hex("d0", 32))).toBe(true);
    one.giveBack(requestHash);
    await Promise.resolve();
    expect(await other.take(requestHash)).toBe(true);
    vi.unstubAllGlobals();
  });

  it("takes nothing that is none", () => {
    for (const text of ["", "{", "{}", "[1,null,{}]", '[{"chainId":84532}]']) {
      expect(new PaidQueries(memory(text)).of(paid())).toEqual([]);
    }
    const storage = memory();
    new PaidQueries(storage).keep(paid());
    const changes = [
      ["0xdddd", "0xddd"],
      ["0xffff", "0xfff"],
      ['"0e0e', '"0g0e'],
      ['"12"', '"-1"'],
      ['"seed":7', '"seed":"7"'],
      ['"nonce":0', '"nonce":-1'],
    ] as const;
    for (const [from, to] of changes) {
      expect(storage.text()).toContain(from);
      const queries = new PaidQueries(memory(storage.text().replace(from, to)));
      expect(queries.of(paid())).toEqual([]);
    }
  });

  it("has room for what is not used, and says where nothing can be kept", () => {
    const queries = new PaidQueries(memory());
    queries.keep(paid());
    for (let i = 0; i < 80; i++) queries.keep(paid({ fromBlock: 100n + BigInt(i), isUsed: true }));
    expect(queries.of(paid())).toContainEqual(paid());
    expect(queries.of(paid())).toHaveLength(64);
    const full: TextStorage = {
      getItem: () => null,
      setItem: () => {
        throw new RangeError("full");
      },
    };
    expect(() => new PaidQueries(full).keep(paid())).toThrow("io_failed");
  });
});
