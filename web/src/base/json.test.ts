// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { equal, fromBase64, toBase64, utf8 } from "./bytes";
import { JsonNumber, isJsonObject, parseJson, rawMember, type JsonValue } from "./json";

const limits = { bytesMax: 4096, depthMax: 3 };

function parse(text: string): JsonValue {
  return parseJson(text, limits);
}

describe("strict JSON", () => {
  it("keeps numbers as they are written", () => {
    const number = (text: string) => parse(text) as JsonNumber;
    expect(number("9007199254740993").whole()).toBe(9007199254740993n);
    expect(number("18446744073709551615").whole()).toBe(18446744073709551615n);
    expect(number("18446744073709551616").whole()).toBeUndefined();
    expect(number("-9223372036854775808").whole()).toBe(-9223372036854775808n);
    expect(number("-9223372036854775809").whole()).toBeUndefined();
    expect(number("1.0").whole()).toBeUndefined();
    expect(number("1e2").whole()).toBeUndefined();
    expect(number("1e2").real()).toBe(100);
    expect(number("-0.5E-1").real()).toBe(-0.05);
  });

  it("reads strings with their escapes", () => {
    expect(parse(String.raw`"a\"\\\/\b\f\n\r\t\u0041\ud83d\ude00é"`)).toBe(
      'a"\\/\b\f\n\r\tA\u{1f600}é',
    );
    expect(parse('"\u2028"')).toBe("\u2028");
  });

  it("reads objects in their order, and nests as deep as allowed", () => {
    const value = parse(' {"b":[true,false,null,[]], "a" : {}} ');
    expect(isJsonObject(value) && [...value.keys()]).toEqual(["b", "a"]);
    expect(parse("[[[]]]")).toEqual([[[]]]);
  });

  it.each([
    ["nothing", ""],
    ["white space", " "],
    ["two documents", "1 2"],
    ["a key twice", '{"a":1,"a":1}'],
    ["a key twice by an escape", String.raw`{"a":1,"\u0061":1}`],
    ["a comma too many", "[1,]"],
    ["a comma too many in an object", '{"a":1,}'],
    ["a comment", "[1/**/]"],
    ["single quotes", "'a'"],
    ["a key without quotes", "{a:1}"],
    ["a leading zero", "01"],
    ["a sign", "+1"],
    ["a bare minus", "-"],
    ["a bare dot", "1."],
    ["a bare exponent", "1e"],
    ["an exponent beyond all", "1e99999999999"],
    ["not a number", "NaN"],
    ["half a word", "tru"],
    ["a word too long", "nullx"],
    ["an open string", '"a'],
    ["an open array", "[1"],
    ["an open object", '{"a":1'],
    ["a value without a key", "{1}"],
    ["a key without a value", '{"a"}'],
    ["a control character", '"\n"'],
    ["an unknown escape", String.raw`"\x"`],
    ["half an escape", String.raw`"\u12"`],
    ["a lone surrogate", String.raw`"\ud800"`],
    ["a second surrogate alone", String.raw`"\udc00"`],
    ["two first surrogates", String.raw`"\ud800\ud800"`],
    ["a lone surrogate, unescaped", '"\ud800"'],
    ["a byte order mark", "\ufeff1"],
    ["too deep", "[[[[]]]]"],
  ])("refuses %s", (_, text) => {
    expect(() => parse(text)).toThrow(expect.objectContaining({ code: "invalid_json" }));
  });

  it("refuses what is no UTF-8, and what is too long", () => {
    const code = (value: string) => expect.objectContaining({ code: value });
    expect(() => parseJson(Uint8Array.of(0x22, 0xff, 0x22), limits)).toThrow(code("invalid_json"));
    expect(() => parse(" ".repeat(4097))).toThrow(code("limit_exceeded"));
    expect(() => parse(`"${"é".repeat(2048)}"`)).toThrow(code("limit_exceeded"));
  });

  it("says where", () => {
    expect(() => parse('"é" x')).toThrow("at byte 5");
  });

  it("finds the exact text of a member", () => {
    const text = '{ "a" : {"b": [1, "}"] } , "c":1.50,"\\u0064":2, "e":"x\\"y" }';
    expect(rawMember(text, "a")).toBe('{"b": [1, "}"] }');
    expect(rawMember(text, "c")).toBe("1.50");
    expect(rawMember(text, "e")).toBe('"x\\"y"');
    expect(() => rawMember(text, "b")).toThrow(expect.objectContaining({ code: "not_found" }));
    expect(() => rawMember(text, "d")).toThrow(expect.objectContaining({ code: "not_found" }));
  });
});

describe("base64", () => {
  it("has one text for the same bytes", () => {
    for (const text of ["", "AA==", "AAA=", "AAAA", "AP8=", "+/+/"]) {
      expect(toBase64(fromBase64(text))).toBe(text);
    }
    for (const text of [
      "A",
      "AA",
      "AA=",
      "AB==",
      "AAB=",
      "A===",
      "====",
      "AA==AAAA",
      "A-==",
      " AA=",
    ]) {
      expect(() => fromBase64(text), text).toThrow(
        expect.objectContaining({ code: "invalid_argument" }),
      );
    }
  });

  it("takes long texts", () => {
    const bytes = utf8("long ".repeat(1 << 20));
    expect(equal(fromBase64(toBase64(bytes)), bytes)).toBe(true);
  });
});
