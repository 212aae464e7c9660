// SPDX-License-Identifier: Apache-2.0
import { formatEther } from "viem";
import { countText } from "../ui/amounts";

/** ETH to so many significant digits, rounded up: nobody is told less than it costs. */
export function ethText(wei: bigint, digits = 3): string {
  const length = wei.toString().length;
  const unit = length > digits ? 10n ** BigInt(length - digits) : 1n;
  return `${formatEther(((wei + unit - 1n) / unit) * unit)} ETH`;
}

/** Hundredths of a percent: "5%", "0.25%". */
export function feeText(feeBps: number): string {
  return `${(feeBps / 100).toString()}%`;
}

/** Tokens a second: "0", "3.4", "120". */
export function rateText(perSecond: number): string {
  if (perSecond === 0) return "0";
  if (perSecond < 0.05) return "under 0.1";
  return perSecond < 10 ? perSecond.toFixed(1) : countText(Math.round(perSecond));
}

const units: readonly (readonly [name: string, seconds: number])[] = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
];

/** "in 6 days", "3 hours ago", "now"; times are Unix seconds. */
export function whenText(time: number, now: number): string {
  const distance = Math.abs(time - now);
  const [name, seconds] = units.find(([, length]) => distance >= length) ?? ["", 0];
  if (seconds === 0) return "now";
  const count = Math.floor(distance / seconds);
  const span = `${count} ${name}${count === 1 ? "" : "s"}`;
  return time > now ? `in ${span}` : `${span} ago`;
}
