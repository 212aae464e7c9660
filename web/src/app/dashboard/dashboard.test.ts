// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { ethText, shareText, spanText, whenText } from "./amounts";
import { countText, creditsText, timeText } from "../ui/amounts";
import { heightScale, niceStep, shortCount, ticksFor } from "./scale";
import { interpolateTime, perDay, spread, usageSeries } from "./series";
import { isQueryReclaimable, refundPhase, settleGraceSeconds, voucherPhase } from "./vouchers";

describe("amounts", () => {
  it("have separators", () => {
    expect([0, 999, 1000, 1234567].map(countText)).toEqual(["0", "999", "1,000", "1,234,567"]);
    expect(countText(12345678901234567890n)).toBe("12,345,678,901,234,567,890");
    expect([0n, 1n, 2n].map(creditsText)).toEqual(["0 credits", "1 credit", "2 credits"]);
  });

  it("in ETH are never more than they are", () => {
    expect(ethText(0n)).toBe("0 ETH");
    expect(ethText(10n ** 18n)).toBe("1 ETH");
    expect(ethText(1_999_999_999_999_999_999n)).toBe("1.999 ETH");
    expect(ethText(123n)).toBe("0.000000000000000123 ETH");
  });

  it("of time have two units", () => {
    expect([0, 59, 60, 3661, 90_000, 86_400 * 30 + 59].map(spanText)).toEqual([
      "0 s",
      "59 s",
      "1 min",
      "1 h 1 min",
      "1 d 1 h",
      "30 d",
    ]);
    expect(spanText(-5)).toBe("0 s");
    expect(whenText(100, 100)).toBe("now");
    expect(whenText(400, 100)).toBe("in 5 min");
    expect(whenText(100, 400)).toBe("5 min ago");
    expect(timeText(0)).toBe("1970-01-01 00:00 UTC");
    expect(timeText(1e15)).toBe("1000000000000000");
  });

  it("as shares are all or nothing only where they are", () => {
    expect(shareText(0, 0)).toBe("not measured");
    expect(shareText(5, 5)).toBe("100%");
    expect(shareText(99_999, 100_000)).toBe("99.9%");
    expect(shareText(1, 100_000)).toBe("0.1%");
    expect(shareText(0, 9)).toBe("0%");
  });
});

describe("scales", () => {
  it("have steps of 1, 2 and 5", () => {
    expect(niceStep(100, 4)).toBe(50);
    expect(niceStep(80, 4)).toBe(20);
    expect(niceStep(0.7, 4)).toBeCloseTo(0.2);
    expect(niceStep(0, 4)).toBe(1);
  });

  it("reach the highest value, from 0", () => {
    for (const most of [0, 1, 3, 7, 99, 100, 101, 12_345, 9_007_199_254_740_991]) {
      const ticks = ticksFor(most);
      expect(ticks[0]).toBe(0);
      expect(ticks.at(-1)).toBeGreaterThanOrEqual(most * (1 - 1e-9));
      expect(ticks.length).toBeLessThanOrEqual(6);
      expect(new Set(ticks).size).toBe(ticks.length);
      expect(ticks.every((tick) => Number.isInteger(tick))).toBe(true);
    }
    expect(ticksFor(100)).toEqual([0, 50, 100]);
  });

  it("map to heights", () => {
    const height = heightScale(200, 100);
    expect([0, 100, 200, 300].map(height)).toEqual([100, 50, 0, 0]);
    expect(heightScale(0, 100)(0)).toBe(100);
    expect([7, 1500, 25_000, 3.5e6, 2e9].map(shortCount)).toEqual([
      "7",
      "1.5 k",
      "25 k",
      "3.5 M",
      "2 G",
    ]);
  });
});

const bucket = (probes: number, answered: number, tokens: number) => ({ probes, answered, tokens });

describe("usage", () => {
  it("of several nodes is put together by time", () => {
    const usage = usageSeries([
      { seconds: 300, from: 0, buckets: [bucket(10, 10, 5), bucket(10, 5, 7)] },
      { seconds: 300, from: 300, buckets: [bucket(10, 10, 1), bucket(0, 0, 2)] },
    ]);
    expect(usage?.tokens.slice(-3)).toEqual([
      { from: 0, value: 5 },
      { from: 300, value: 8 },
      { from: 600, value: 2 },
    ]);
    // Bars of nothing stand before them.
    expect(usage?.tokens).toHaveLength(12);
    expect(usage?.tokens[0]).toEqual({ from: -2700, value: undefined });
    expect(usage?.measuredSeconds).toBe(900);
    expect(usage?.uptime.slice(-3).map((one) => one.value)).toEqual([100, 75, undefined]);
    expect([usage?.tokensInAll, usage?.probes, usage?.answered]).toEqual([15, 30, 25]);
  });

  it("of a day has bars that can be told apart, and loses nothing", () => {
    const buckets = Array.from({ length: 288 }, (_, i) => bucket(1, 1, i));
    const usage = usageSeries([{ seconds: 300, from: 0, buckets }]);
    expect(usage?.tokens.length).toBeLessThanOrEqual(48);
    expect(usage?.tokens.reduce((all, one) => all + (one.value ?? 0), 0)).toBe((287 * 288) / 2);
    expect(usageSeries([])).toBeUndefined();
  });
});

describe("earnings", () => {
  const day = 86_400;
  it("are added up by day", () => {
    const events = [
      { time: 10 * day + 5, amount: 3n },
      { time: 10 * day + 80_000, amount: 4n },
      { time: 12 * day, amount: 5n },
    ];
    const points = perDay(events, 12 * day + 10);
    expect(points).toHaveLength(7);
    expect(points.slice(-3)).toEqual([
      { from: 10 * day, value: 7 },
      { from: 11 * day, value: 0 },
      { from: 12 * day, value: 5 },
    ]);
    expect(perDay([], 15 * day).map((one) => one.value)).toEqual([0, 0, 0, 0, 0, 0, 0]);
    expect(perDay([{ time: 0, amount: 1n }], 100 * day)).toHaveLength(30);
  });

  it("have times between those of known blocks", () => {
    const known = [
      [10n, 100],
      [20n, 200],
      [40n, 300],
    ] as const;
    expect([10n, 15n, 20n, 30n, 40n].map((one) => interpolateTime(known, one))).toEqual([
      100, 150, 200, 250, 300,
    ]);
    const list = Array.from({ length: 100 }, (_, i) => i);
    const some = spread(list, 10);
    expect([some[0], some.at(-1), some.length]).toEqual([0, 99, 10]);
    expect(spread([1, 2], 10)).toEqual([1, 2]);
  });
});

describe("what a payer has", () => {
  it("goes through its phases", () => {
    const voucher = { remaining: 5n, expiry: 1000 };
    const end = 1000 + settleGraceSeconds;
    expect([999, 1000, end, end + 1].map((now) => voucherPhase(voucher, now))).toEqual([
      "open",
      "ending",
      "ending",
      "reclaimable",
    ]);
    expect(voucherPhase({ remaining: 0n, expiry: 1000 }, 5)).toBe("empty");
    expect(refundPhase({ amount: 0n, readyAt: 0 }, 5)).toBe("none");
    expect(refundPhase({ amount: 1n, readyAt: 6 }, 5)).toBe("waiting");
    expect(refundPhase({ amount: 1n, readyAt: 5 }, 5)).toBe("ready");
    expect([isQueryReclaimable(0, 86_400), isQueryReclaimable(0, 86_401)]).toEqual([false, true]);
  });
});
