// SPDX-License-Identifier: Apache-2.0
import { countText } from "../ui/amounts";

// Amounts as people read and type them. Credits are whole numbers, ETH is counted in wei.

const weiPerEth = 10n ** 18n;
const creditsLimit = 1n << 64n;

/** Four digits that say something: `0.01234 ETH`, `1.5 ETH`; never 0 for what is not. */
export function formatEth(wei: bigint): string {
  const whole = wei / weiPerEth;
  const fraction = (wei % weiPerEth).toString().padStart(18, "0");
  const zeros = /^0*/.exec(fraction)?.[0].length ?? 0;
  if (whole === 0n && wei > 0n && zeros > 12) return "< 0.000001 ETH";
  const digits = whole > 0n ? 4 : zeros + 4;
  const shown = fraction.slice(0, digits).replace(/0+$/, "");
  return `${countText(whole)}${shown === "" ? "" : `.${shown}`} ETH`;
}

/** Credits that a text says, with or without separators; undefined for what is no amount above 0. */
export function parseCredits(text: string): bigint | undefined {
  const digits = text.trim().replace(/[,\s_']/g, "");
  if (!/^\d{1,20}$/.test(digits)) return undefined;
  const credits = BigInt(digits);
  return credits > 0n && credits < creditsLimit ? credits : undefined;
}

/** Wei that a text of ETH says: `0.25`. undefined for what is no amount above 0. */
export function parseEth(text: string): bigint | undefined {
  const parts = /^(\d{0,9})(?:[.,](\d{1,18}))?$/.exec(text.trim());
  if (!parts) return undefined;
  const [, whole = "", fraction = ""] = parts;
  if (whole === "" && fraction === "") return undefined;
  const wei = BigInt(whole || "0") * weiPerEth + BigInt(fraction.padEnd(18, "0"));
  return wei > 0n ? wei : undefined;
}
