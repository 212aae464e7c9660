// SPDX-License-Identifier: Apache-2.0
// Scales of charts: whole numbers up to 2^53, from 0.

/** 1, 2 or 5 times a power of ten: the smallest step by which `count` of them reach `most`. */
export function niceStep(most: number, count: number): number {
  if (!(most > 0)) return 1;
  const rough = most / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const factor = [1, 2, 5, 10].find((one) => one * power >= rough * (1 - 1e-9)) ?? 10;
  return factor * power;
}

/**
 * Values for lines across a chart, 0 among them, the last at or above `most`. `isWhole`: no fractions
 * between whole numbers, as of things that are counted.
 */
export function ticksFor(most: number, count = 4, isWhole = true): number[] {
  const step = isWhole ? Math.max(1, niceStep(most, count)) : niceStep(most, count);
  const last = Math.max(1, Math.ceil(most / step - 1e-9));
  return Array.from({ length: last + 1 }, (_, i) => Number((i * step).toPrecision(12)));
}

/** Maps [0, most] to [height, 0], as SVG counts from the top. */
export function heightScale(most: number, height: number): (value: number) => number {
  return (value) => height - (most > 0 ? (Math.min(value, most) / most) * height : 0);
}

/** "1.2 M", "35 k", "7": for the labels of lines. */
export function shortCount(value: number): string {
  const units = [
    [1e9, " G"],
    [1e6, " M"],
    [1e3, " k"],
  ] as const;
  const unit = units.find(([size]) => value >= size);
  if (unit === undefined) return String(Number(value.toPrecision(3)));
  return `${Number((value / unit[0]).toPrecision(3))}${unit[1]}`;
}
