// SPDX-License-Identifier: Apache-2.0
// What charts show, out of what an entry has seen and what the contract's events say.
import type { HistoryBucket, NodeHistory } from "../../client/entries";

/** One bar. */
export interface Point {
  /** Unix seconds, of its beginning. */
  readonly from: number;
  /** Undefined where nothing was measured. */
  readonly value: number | undefined;
}

export interface UsageSeries {
  /** Of each bar. */
  readonly seconds: number;
  /** Of all bars in which something was measured. */
  readonly measuredSeconds: number;
  readonly tokens: readonly Point[];
  /** Percent of probes that were answered. */
  readonly uptime: readonly Point[];
  readonly tokensInAll: number;
  readonly probes: number;
  readonly answered: number;
}

const barsMax = 48;
/** Fewer stand at the right, behind bars of nothing: one alone would fill the picture. */
const barsMin = 12;
const daySeconds = 86_400;
const weekDays = 7;

function sum(buckets: readonly HistoryBucket[]): HistoryBucket {
  const total = { probes: 0, answered: 0, tokens: 0 };
  for (const bucket of buckets) {
    total.probes += bucket.probes;
    total.answered += Math.min(bucket.answered, bucket.probes);
    total.tokens += bucket.tokens;
  }
  return total;
}

/** Buckets of one or several nodes, joined so that there are 48 bars at most. */
export function usageSeries(histories: readonly NodeHistory[]): UsageSeries | undefined {
  const first = histories[0];
  if (first === undefined) return undefined;
  const from = Math.min(...histories.map((one) => one.from));
  const end = Math.max(...histories.map((one) => one.from + one.seconds * one.buckets.length));
  const count = Math.max(1, Math.ceil((end - from) / first.seconds));
  const joined = Math.ceil(count / barsMax);
  const seconds = first.seconds * joined;
  const bars: HistoryBucket[][] = Array.from({ length: Math.ceil(count / joined) }, () => []);
  for (const history of histories) {
    history.buckets.forEach((bucket, i) => {
      const at = history.from + i * history.seconds;
      bars[Math.min(bars.length - 1, Math.floor((at - from) / seconds))]?.push(bucket);
    });
  }
  const totals = bars.map(sum);
  const all = sum(totals);
  const before: Point[] = Array.from({ length: Math.max(0, barsMin - bars.length) }, (_, i) => ({
    from: from - (barsMin - bars.length - i) * seconds,
    value: undefined,
  }));
  const pointsOf = (valueOf: (total: HistoryBucket) => number | undefined): Point[] => [
    ...before,
    ...totals.map((total, i) => ({ from: from + i * seconds, value: valueOf(total) })),
  ];
  return {
    seconds,
    measuredSeconds: seconds * bars.length,
    tokens: pointsOf(({ tokens }) => tokens),
    uptime: pointsOf(({ probes, answered }) =>
      probes > 0 ? (100 * answered) / probes : undefined,
    ),
    tokensInAll: all.tokens,
    probes: all.probes,
    answered: all.answered,
  };
}

/** An amount that came at a time. */
export interface TimedAmount {
  /** Unix seconds. */
  readonly time: number;
  readonly amount: bigint;
}

/** A bar a day (UTC) up to today: from the first event on, a week at least and `daysMax` at most. */
export function perDay(events: readonly TimedAmount[], now: number, daysMax = 30): Point[] {
  const today = Math.floor(now / daySeconds);
  const first = events.reduce(
    (day, one) => Math.min(day, Math.floor(one.time / daySeconds)),
    today,
  );
  const begin = Math.max(Math.min(first, today - weekDays + 1), today - daysMax + 1);
  const days = Array.from({ length: today - begin + 1 }, () => 0n);
  for (const { time, amount } of events) {
    const at = Math.floor(time / daySeconds) - begin;
    if (at >= 0 && at < days.length) days[at]! += amount;
  }
  return days.map((amount, i) => ({ from: (begin + i) * daySeconds, value: Number(amount) }));
}

/**
 * Times of blocks between those whose times are known, as if they came at equal distances. `known`
 * MUST be ascending and hold the first and the last of what is asked for.
 */
export function interpolateTime(
  known: readonly (readonly [block: bigint, time: number])[],
  block: bigint,
): number {
  let low = known[0] ?? ([0n, 0] as const);
  for (const one of known) {
    if (one[0] === block) return one[1];
    if (one[0] > block) {
      const share = Number(block - low[0]) / Number(one[0] - low[0]);
      return Math.floor(low[1] + share * (one[1] - low[1]));
    }
    low = one;
  }
  return low[1];
}

/** At most `count` of them, the first and the last among them, evenly spread. */
export function spread<T>(list: readonly T[], count: number): T[] {
  if (list.length <= count) return [...list];
  const step = (list.length - 1) / (count - 1);
  return Array.from({ length: count }, (_, i) => list[Math.round(i * step)]!);
}
