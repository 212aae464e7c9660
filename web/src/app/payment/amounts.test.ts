// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { formatEth, parseCredits, parseEth } from "./amounts";
import { countText, creditsText } from "../ui/amounts";

describe("amounts that are shown", () => {
  it("have separators", () => {
    expect(countText(1234567n)).toBe("1,234,567");
    expect(creditsText(1n)).toBe("1 credit");
    expect(creditsText(0)).toBe("0 credits");
  });

  it("keep the digits of ETH that say something", () => {
    expect(formatEth(10n ** 18n)).toBe("1 ETH");
    expect(formatEth(1500000000000000000n)).toBe("1.5 ETH");
    expect(formatEth(12345678900000000n)).toBe("0.01234 ETH");
    expect(formatEth(20_000_000_000_000n)).toBe("0.00002 ETH");
    expect(formatEth(1n)).toBe("< 0.000001 ETH");
    expect(formatEth(0n)).toBe("0 ETH");
    expect(formatEth(10_000n * 10n ** 18n)).toBe("10,000 ETH");
  });
});

describe("amounts that are typed", () => {
  it("are credits with or without separators", () => {
    for (const text of ["20000", "20,000", " 20 000 ", "20'000"]) {
      expect(parseCredits(text)).toBe(20000n);
    }
    for (const text of ["", "0", "-1", "1.5", "x", "1e5", "18446744073709551616"]) {
      expect(parseCredits(text)).toBeUndefined();
    }
  });

  it("are ETH to the wei", () => {
    expect(parseEth("0.25")).toBe(250000000000000000n);
    expect(parseEth(".5")).toBe(500000000000000000n);
    expect(parseEth("0,000000000000000001")).toBe(1n);
    for (const text of ["", ".", "0", "1.", "-1", "1e3", "0.0000000000000000001"]) {
      expect(parseEth(text)).toBeUndefined();
    }
  });
});
