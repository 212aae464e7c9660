// SPDX-License-Identifier: Apache-2.0
// Strict JSON: RFC 8259 and nothing more. No key twice in an object, no bytes behind the document,
// limits on size and depth, numbers kept as they are written. The counterpart of
// src/base/strict_json.hpp; JSON.parse keeps the last of equal keys in silence and rounds numbers.
import { fail } from "./error";
import { fromUtf8 } from "./bytes";
import { inContext, utf8Length } from "./text";

export type JsonObject = ReadonlyMap<string, JsonValue>;
export type JsonArray = readonly JsonValue[];
export type JsonValue = null | boolean | string | JsonNumber | JsonArray | JsonObject;

/** A number as it was written. */
export class JsonNumber {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
  /** Where it is written without fraction and exponent, and fits 64 bits with or without a sign. */
  whole(): bigint | undefined {
    if (!/^-?\d+$/.test(this.text)) return undefined;
    const value = BigInt(this.text);
    return value >= -(1n << 63n) && value < 1n << 64n ? value : undefined;
  }
  /** The nearest double. */
  real(): number {
    return Number(this.text);
  }
}

export interface JsonLimits {
  bytesMax: number;
  depthMax: number;
}

export function isJsonObject(value: JsonValue): value is JsonObject {
  return value instanceof Map;
}

export function isJsonArray(value: JsonValue): value is JsonArray {
  return Array.isArray(value);
}

/** Errors: `invalid_json`, `limit_exceeded`. */
export function parseJson(source: string | Uint8Array, limits: JsonLimits): JsonValue {
  const bytes = typeof source === "string" ? utf8Length(source) : source.length;
  if (bytes > limits.bytesMax) {
    fail("limit_exceeded", `JSON: have ${bytes} bytes, need at most ${limits.bytesMax}`);
  }
  const text =
    typeof source === "string" ? source : inContext("JSON", () => fromUtf8(source), "invalid_json");
  // A lone surrogate has no form in UTF-8.
  if (typeof source === "string" && /\p{Surrogate}/u.test(text)) {
    fail("invalid_json", "JSON: text is no UTF-8");
  }
  return new Parser(text, limits.depthMax).document();
}

const escapes: Readonly<Record<string, string>> = {
  '"': '"',
  "\\": "\\",
  "/": "/",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
};

/** More than any exponent that means anything. */
const exponentMax = 2147483647;

class Parser {
  readonly #text: string;
  readonly #number = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?(\d+))?/y;
  #at = 0;
  #depthLeft: number;

  constructor(text: string, depthMax: number) {
    this.#text = text;
    this.#depthLeft = depthMax;
  }

  document(): JsonValue {
    const value = this.#value();
    this.#skipSpace();
    if (this.#at < this.#text.length) this.#wrong("extra data");
    return value;
  }

  #wrong(what: string): never {
    const bytes = utf8Length(this.#text.slice(0, this.#at));
    return fail("invalid_json", `JSON: ${what} at byte ${bytes}`);
  }

  #skipSpace(): void {
    for (; this.#at < this.#text.length; this.#at++) {
      const unit = this.#text.charCodeAt(this.#at);
      if (unit !== 0x20 && unit !== 0x0a && unit !== 0x0d && unit !== 0x09) return;
    }
  }

  #peek(): string {
    this.#skipSpace();
    return this.#text.charAt(this.#at);
  }

  #value(): JsonValue {
    const first = this.#peek();
    if (first === "") this.#wrong("incomplete");
    if (first === '"') return this.#string();
    if (first === "{") return this.#nested(() => this.#object());
    if (first === "[") return this.#nested(() => this.#array());
    if (first === "t") return this.#word("true", true);
    if (first === "f") return this.#word("false", false);
    if (first === "n") return this.#word("null", null);
    return this.#numberValue();
  }

  #nested<T>(read: () => T): T {
    if (this.#depthLeft === 0) this.#wrong("too deep");
    this.#depthLeft--;
    this.#at++;
    const value = read();
    this.#depthLeft++;
    return value;
  }

  #word<T>(word: string, value: T): T {
    if (!this.#text.startsWith(word, this.#at)) this.#wrong("syntax error");
    this.#at += word.length;
    return value;
  }

  #numberValue(): JsonNumber {
    this.#number.lastIndex = this.#at;
    const match = this.#number.exec(this.#text);
    if (match === null) this.#wrong("syntax error");
    if (match[1] !== undefined && Number(match[1]) > exponentMax) this.#wrong("exponent overflow");
    this.#at += match[0].length;
    // "01" and "1." end here, before what no value may be followed by.
    return new JsonNumber(match[0]);
  }

  #object(): JsonObject {
    const members = new Map<string, JsonValue>();
    if (this.#peek() === "}") {
      this.#at++;
      return members;
    }
    for (;;) {
      if (this.#peek() !== '"') this.#wrong("syntax error");
      const key = this.#string();
      if (members.has(key)) this.#wrong("a key twice before this");
      if (this.#peek() !== ":") this.#wrong("syntax error");
      this.#at++;
      members.set(key, this.#value());
      const next = this.#peek();
      this.#at++;
      if (next === "}") return members;
      if (next !== ",") this.#wrong("syntax error");
    }
  }

  #array(): JsonArray {
    const elements: JsonValue[] = [];
    if (this.#peek() === "]") {
      this.#at++;
      return elements;
    }
    for (;;) {
      elements.push(this.#value());
      const next = this.#peek();
      this.#at++;
      if (next === "]") return elements;
      if (next !== ",") this.#wrong("syntax error");
    }
  }

  #string(): string {
    this.#at++;
    let out = "";
    let plainFrom = this.#at;
    for (;;) {
      const unit = this.#text.charCodeAt(this.#at);
      if (unit === 0x22) {
        out += this.#text.slice(plainFrom, this.#at++);
        return out;
      }
      if (unit === 0x5c) {
        out += this.#text.slice(plainFrom, this.#at) + this.#escape();
        plainFrom = this.#at;
      } else if (unit >= 0x20) {
        this.#at++;
      } else {
        // A control character, or NaN at the end.
        this.#wrong(unit < 0x20 ? "syntax error" : "incomplete");
      }
    }
  }

  #escape(): string {
    const letter = this.#text.charAt(this.#at + 1);
    if (letter !== "u") {
      const meaning = escapes[letter];
      if (meaning === undefined || letter === "") this.#wrong("syntax error");
      this.#at += 2;
      return meaning;
    }
    const unit = this.#unit();
    if (unit < 0xd800 || unit > 0xdfff) return String.fromCharCode(unit);
    // Beyond U+FFFF JSON writes two surrogates; either of them alone is no character.
    if (unit > 0xdbff) this.#wrong("illegal surrogate");
    if (!this.#text.startsWith("\\u", this.#at)) this.#wrong("illegal surrogate");
    const second = this.#unit();
    if (second < 0xdc00 || second > 0xdfff) this.#wrong("illegal surrogate");
    return String.fromCharCode(unit, second);
  }

  #unit(): number {
    const digits = this.#text.slice(this.#at + 2, this.#at + 6);
    if (!/^[0-9a-fA-F]{4}$/.test(digits)) this.#wrong("syntax error");
    this.#at += 6;
    return parseInt(digits, 16);
  }
}

/**
 * The exact text of the value that stands under `key` in an object, for signatures over it. The text
 * MUST be an object that parseJson takes; a key written with escapes is not found.
 * Error: `not_found`.
 */
export function rawMember(objectText: string, key: string): string {
  const scanner = new Scanner(objectText);
  const quoted = `"${key}"`;
  // Behind the brace and every comma stand a key, a colon and a value.
  for (let c = scanner.peek(); c === "{" || c === ","; c = scanner.peek()) {
    scanner.step();
    if (scanner.peek() !== '"') break;
    const name = scanner.value();
    scanner.peek();
    scanner.step();
    const value = scanner.value();
    if (name === quoted) return value;
  }
  return fail("not_found", `JSON: no key ${quoted}`);
}

const structural = '{}[]:," \t\r\n';

/** Steps through the text of valid JSON. */
class Scanner {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }
  peek(): string {
    while (this.#at < this.#text.length && " \t\r\n".includes(this.#text.charAt(this.#at)))
      this.step();
    return this.#text.charAt(this.#at);
  }
  step(): void {
    this.#at++;
  }
  value(): string {
    this.peek();
    const begin = this.#at;
    let depth = 0;
    do {
      const c = this.peek();
      if (c === '"') {
        this.#skipString();
        continue;
      }
      if (c === "{" || c === "[") depth++;
      if (c === "}" || c === "]") depth--;
      if (structural.includes(c)) {
        this.step();
        continue;
      }
      while (this.#at < this.#text.length && !structural.includes(this.#text.charAt(this.#at))) {
        this.step();
      }
    } while (depth > 0 && this.#at < this.#text.length);
    return this.#text.slice(begin, this.#at);
  }
  #skipString(): void {
    for (
      this.step();
      this.#at < this.#text.length && this.#text.charAt(this.#at) !== '"';
      this.step()
    ) {
      if (this.#text.charAt(this.#at) === "\\") this.step();
    }
    this.step();
  }
}
