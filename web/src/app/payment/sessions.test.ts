// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import type { TextStorage } from "../../client/storedList";
import {
  isOpening,
  isUsable,
  leftOf,
  SessionStorage,
  withCharge,
  withoutKey,
  type Session,
} from "./sessions";

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
    isOpen: true,
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

  it("keeps what opens one that is not open, and takes those of older pages as open", () => {
    const storage = memory();
    const opening = { salt: hex("0a", 32), signature: hex("0b", 65) };
    const one = session({ isOpen: false, opening });
    new SessionStorage(storage).keep(one);
    expect(new SessionStorage(storage).of(one)).toEqual([one]);
    const older = (storage.text() ?? "").replace('"isOpen":false,', "").replace("0x0b0b", "0b0b");
    expect(new SessionStorage(memory(older)).of(one)).toEqual([session()]);
  });

  it("changes what is stored, and nothing that is gone", () => {
    const sessions = new SessionStorage(memory());
    sessions.keep(session());
    sessions.keep(session({ sessionKey: undefined }));
    sessions.change(session().voucher, (kept) => withCharge(kept, hex("ee", 20), 3n));
    const [kept] = sessions.of(session());
    // Whoever had read it before it ended does not bring its key back.
    expect(kept?.sessionKey).toBeUndefined();
    expect(kept?.charged).toEqual({ [hex("ee", 20)]: 3n });
    expect(sessions.withKeys()).toEqual([]);
    sessions.drop(session().voucher);
    sessions.change(session().voucher, () => session());
    expect(sessions.of(session())).toEqual([]);
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

it("is usable with its key once it is open, until it expires", () => {
  expect(isUsable(session(), 1999)).toBe(true);
  expect(isUsable(session(), 2000)).toBe(false);
  expect(isUsable(session({ sessionKey: undefined }), 0)).toBe(false);
  expect(isUsable(session({ isOpen: false }), 1999)).toBe(false);
  // The chain's time is not known yet: entries refuse what has ended.
  expect(isUsable(session(), undefined)).toBe(true);
});

it("is opening while it is signed and not open", () => {
  expect(isOpening(session({ isOpen: false }), 1999)).toBe(true);
  expect(isOpening(session({ isOpen: false }), undefined)).toBe(true);
  expect(isOpening(session({ isOpen: false }), 2000)).toBe(false);
  expect(isOpening(session(), 1999)).toBe(false);
});

it("keeps nothing that spends or opens once it has ended", () => {
  const opening = { salt: hex("0a", 32), signature: hex("0b", 65) };
  const ended = withoutKey(session({ opening }), 1500);
  expect(ended).toEqual({ ...session(), sessionKey: undefined, expiry: 1500 });
});

it("knows what an entry has charged, which only rises", () => {
  const entry = hex("AB", 20);
  const charged = withCharge(session(), entry, 7n);
  expect(charged.charged).toEqual({ [hex("ab", 20)]: 7n });
  expect(withCharge(charged, entry, 5n)).toBe(charged);
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
