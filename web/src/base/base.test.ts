// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { everyErrorCode, isErrorCode } from "./errorCodes";
import { ByteReader, ByteWriter } from "./reader";
import { quoteForeign, utf8Length } from "./text";
import { describeTime, formatUtc, parseUtc } from "./time";

describe("reader and writer", () => {
  it("read what was written", () => {
    const bytes = new ByteWriter()
      .u8(0xff)
      .u32(0xfffffffe)
      .u64(0xfffffffffffffffdn)
      .f32(1.5)
      .lengthPrefixed(Uint8Array.of(1, 2))
      .bytes(new Uint8Array(1000))
      .view();
    const reader = new ByteReader(bytes.subarray(0));
    expect(reader.u8()).toBe(0xff);
    expect(reader.u32()).toBe(0xfffffffe);
    expect(reader.u64()).toBe(0xfffffffffffffffdn);
    expect(reader.u32()).toBe(0x3fc00000);
    expect([...reader.bytes(reader.u32())]).toEqual([1, 2]);
    expect(reader.position).toBe(23);
    expect(reader.rest()).toEqual(new Uint8Array(1000));
    expect(reader.remaining).toBe(0);
  });

  it("stay within their bytes", () => {
    const reader = new ByteReader(new Uint8Array(8).subarray(2, 5));
    expect(() => reader.u32()).toThrow("at byte 0: have 3 bytes, need 4");
    expect(reader.u16()).toBe(0);
    expect(() => reader.bytes(2)).toThrow(expect.objectContaining({ code: "limit_exceeded" }));
  });
});

describe("times", () => {
  it("have one form", () => {
    expect(parseUtc("2026-01-12T16:27:21Z")).toBe(1768235241);
    expect(formatUtc(1768235241)).toBe("2026-01-12T16:27:21Z");
    expect(describeTime(-1)).toBe("-1 (-1)");
    expect(parseUtc("9999-12-31T23:59:59Z")).toBe(253402300799);
    expect(parseUtc("2024-02-29T00:00:00Z")).toBe(1709164800);
  });

  it.each([
    "",
    "2026-01-12",
    "2026-01-12T16:27:21",
    "2026-01-12 16:27:21Z",
    "2026-1-12T16:27:21Z",
    "2026-02-29T00:00:00Z",
    "2026-13-01T00:00:00Z",
    "2026-00-01T00:00:00Z",
    "2026-01-32T00:00:00Z",
    "2026-01-12T24:00:00Z",
    "2026-01-12T16:60:21Z",
    "2026-01-12T16:27:60Z",
    "1969-12-31T23:59:59Z",
    "0050-01-01T00:00:00Z",
    "2026-01-12T16:27:21Z\n",
  ])("refuse %j", (text) => {
    expect(() => parseUtc(text)).toThrow(expect.objectContaining({ code: "invalid_argument" }));
  });
});

describe("texts", () => {
  it("are safe to quote", () => {
    expect(quoteForeign("a\n\u001b[é")).toBe("'a??[??'");
    expect(quoteForeign("x".repeat(65))).toBe(`'${"x".repeat(64)}...'`);
  });

  it("are counted in bytes", () => {
    for (const text of ["", "a", "é", "€", "\u{1f600}"]) {
      expect(utf8Length(text)).toBe(new TextEncoder().encode(text).length);
    }
  });
});

describe("error codes", () => {
  it("are those of the C++ side", () => {
    const header = readFileSync(
      resolve(import.meta.dirname, "../../../src/base/error.hpp"),
      "utf8",
    );
    const names = [...header.matchAll(/^ +(\w+) = \d+,$/gm)].map((match) => match[1]);
    expect(names.length).toBeGreaterThan(100);
    expect(everyErrorCode()).toEqual(names);
    expect(isErrorCode("quote_malformed")).toBe(true);
    expect(isErrorCode("quote")).toBe(false);
  });
});
