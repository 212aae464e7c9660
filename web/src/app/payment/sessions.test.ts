// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { isUsable, leftOf, SessionStorage, type Session, type TextStorage } from "./sessions";

function memory(text?: string): TextStorage & { text: () => string | null } {
  let kept = text ?? null;
  return {
    getItem: () => kept,
    setItem: (_, value) => (kept = value),
    text: () => kept,
  };
}

const hex = (byte: string, bytes: number) => `0x${byte.repeat(bytes)}` as const;

function session(change: Partial<Session> = {}): Session {
  return {
    chainId: 84532,
    contract: hex("aa", 20),
    pool: 1n,
    payer: hex("bb", 20),
    voucher: hex("cc", 32),
    sessionKey: hex("dd", 32),
    ceiling: 20_000n,
    expiry: 2000,
    since: 1000,
    charged: {},
    ...change,
  };
}

describe("SessionStorage", () => {
  it("gives back what it was given, to its owner alone", () => {
    const storage = memory();
    const one = session({ charged: { [hex("ee", 20)]: 7n } });
    new SessionStorage(storage).keep(one);
    const again = new SessionStorage(storage);
    expect(again.of(one)).toEqual([one]);
    expect(again.of({ ...one, payer: hex("AA", 20) })).toEqual([]);
    expect(again.of({ ...one, pool: 2n })).toEqual([]);
    expect(again.of({ ...one, chainId: 1 })).toEqual([]);
    expect(again.of({ ...one, contract: hex("ab", 20) })).toEqual([]);
    expect(again.of({ ...one, payer: hex("BB", 20) })).toEqual([one]);
  });

  it("keeps one a voucher, the newest first, and drops it", () => {
    const sessions = new SessionStorage(memory());
    sessions.keep(session());
    sessions.keep(session({ voucher: hex("cd", 32) }));
    sessions.keep(session({ sessionKey: undefined }));
    const kept = sessions.of(session());
    expect(kept.map((one) => one.voucher)).toEqual([hex("cd", 32), hex("cc", 32)]);
    expect(kept[1]?.sessionKey).toBeUndefined();
    sessions.drop(hex("cd", 32));
    expect(sessions.of(session())).toHaveLength(1);
  });

  it("takes nothing that is no session", () => {
    for (const text of ["", "{", "{}", "[1,null,{}]", '[{"chainId":84532}]']) {
      expect(new SessionStorage(memory(text)).of(session())).toEqual([]);
    }
    const storage = memory();
    new SessionStorage(storage).keep(session());
    const text = storage.text() ?? "";
    const wrong = new SessionStorage(memory(text.replace("0xdddd", "0xddd")));
    expect(wrong.of(session())).toEqual([]);
  });
});

it("is usable with its key, until it expires", () => {
  expect(isUsable(session(), 1999)).toBe(true);
  expect(isUsable(session(), 2000)).toBe(false);
  expect(isUsable(session({ sessionKey: undefined }), 0)).toBe(false);
});

describe("leftOf", () => {
  const entry = hex("01", 20);
  const other = hex("02", 20);

  it("is the ceiling at first", () => {
    expect(leftOf(session(), new Map())).toBe(20_000n);
  });

  it("is less what every entry charged and holds", () => {
    const standings = new Map([[entry, { charged: 100n, held: 50n, claimable: 20_000n }]]);
    expect(leftOf(session({ charged: { [other]: 1000n } }), standings)).toBe(18_850n);
    // What the entry says now stands for what it said before.
    expect(leftOf(session({ charged: { [entry]: 90n } }), standings)).toBe(19_850n);
  });

  it("is no more than an entry could claim, and never below nothing", () => {
    const standings = new Map([[entry, { charged: 100n, held: 0n, claimable: 600n }]]);
    expect(leftOf(session(), standings)).toBe(500n);
    const spent = new Map([[entry, { charged: 700n, held: 0n, claimable: 600n }]]);
    expect(leftOf(session(), spent)).toBe(0n);
  });
});
