// SPDX-License-Identifier: Apache-2.0
import { formatEther } from "viem";

/** ETH to so many significant digits, rounded down: nobody is told that they have more. */
export function ethText(wei: bigint, digits = 4): string {
  const length = wei.toString().length;
  const unit = length > digits ? 10n ** BigInt(length - digits) : 1n;
  return `${formatEther((wei / unit) * unit)} ETH`;
}

/** The two largest units of a span: "3 d 4 h", "12 min 5 s", "0 s". */
export function spanText(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const parts = [
    [Math.floor(whole / 86_400), "d"],
    [Math.floor(whole / 3600) % 24, "h"],
    [Math.floor(whole / 60) % 60, "min"],
    [whole % 60, "s"],
  ] as const;
  const first = parts.findIndex(([count]) => count > 0);
  if (first < 0) return "0 s";
  return parts
    .slice(first, first + 2)
    .filter(([count], i) => i === 0 || count > 0)
    .map(([count, unit]) => `${count} ${unit}`)
    .join(" ");
}

/** "in 3 d 4 h", "2 h ago", "now"; times are Unix seconds. */
export function whenText(time: number, now: number): string {
  if (Math.abs(time - now) < 1) return "now";
  return time > now ? `in ${spanText(time - now)}` : `${spanText(now - time)} ago`;
}

/** "98.7%"; all and nothing only where it is so. */
export function shareText(part: number, whole: number): string {
  if (whole <= 0) return "not measured";
  const percent = (100 * part) / whole;
  if (part === whole) return "100%";
  if (part === 0) return "0%";
  return `${Math.min(99.9, Math.max(0.1, percent)).toFixed(1)}%`;
}
