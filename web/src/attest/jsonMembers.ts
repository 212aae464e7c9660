// SPDX-License-Identifier: Apache-2.0
// Members of a JSON object, each of a known type and range, and in the end that there are no others;
// src/attest/json_members.hpp.
import { fromBase64, fromHex } from "../base/bytes";
import { fail } from "../base/error";
import {
  JsonNumber,
  isJsonArray,
  isJsonObject,
  type JsonArray,
  type JsonObject,
  type JsonValue,
} from "../base/json";
import { inContext, quoteForeign, utf8Length } from "../base/text";

const u64Max = (1n << 64n) - 1n;

export class JsonMembers {
  readonly #object: JsonObject;
  readonly #name: string;
  readonly #code: string;
  readonly #read = new Set<string>();

  /** Errors are of this code and name the member. */
  constructor(value: JsonValue, name: string, code: string) {
    if (!isJsonObject(value)) fail(code, `${name}: have another type, need an object`);
    this.#object = value;
    this.#name = name;
    this.#code = code;
  }

  has(key: string): boolean {
    return this.#object.has(key);
  }
  wrong(key: string, have: string, need: string): never {
    return fail(this.#code, `${this.#name}.${key}: have ${have}, need ${need}`);
  }

  text(key: string, bytesMax: number): string {
    const value = this.#member(key);
    if (typeof value !== "string") this.wrong(key, "another type", "a string");
    const bytes = utf8Length(value);
    if (bytes > bytesMax) this.wrong(key, `${bytes} bytes`, `at most ${bytesMax}`);
    return value;
  }
  number(key: string, max: number): number {
    return this.numberOf(this.#member(key), key, max);
  }
  /** Of an element of an array under this key. */
  numberOf(value: JsonValue, key: string, max: number): number {
    const whole = value instanceof JsonNumber ? value.whole() : undefined;
    if (whole === undefined || whole < 0n) this.wrong(key, "something else", "a whole number");
    if (whole > BigInt(max)) this.wrong(key, String(whole), `at most ${max}`);
    return Number(whole);
  }
  /** A decimal string, for what a JSON number cannot hold everywhere. */
  bigNumber(key: string): bigint {
    const digits = this.text(key, 20);
    if (!/^(?:0|[1-9]\d*)$/.test(digits) || BigInt(digits) > u64Max) {
      this.wrong(key, "another text", "a number of 64 bits in decimal digits");
    }
    return BigInt(digits);
  }
  /** As a float of 32 bits, which must be finite. */
  float(key: string): number {
    return this.floatOf(this.#member(key), key);
  }
  floatOf(value: JsonValue, key: string): number {
    if (!(value instanceof JsonNumber)) this.wrong(key, "another type", "a number");
    const float = Math.fround(value.real());
    if (!Number.isFinite(float)) this.wrong(key, "too much", "a number");
    return float;
  }
  flag(key: string): boolean {
    const value = this.#member(key);
    if (typeof value !== "boolean") this.wrong(key, "another type", "true or false");
    return value;
  }
  base64(key: string, bytesMax: number): Uint8Array {
    const letters = this.text(key, Math.ceil(bytesMax / 3) * 4);
    const place = `${this.#name}.${key}`;
    const bytes = inContext(place, () => fromBase64(letters), this.#code);
    if (bytes.length > bytesMax) this.wrong(key, `${bytes.length} bytes`, `at most ${bytesMax}`);
    return bytes;
  }
  /** 0x-hex of exactly so many bytes. */
  hex(key: string, byteCount: number): Uint8Array {
    const digits = this.text(key, 2 + 2 * byteCount);
    const isHex = /^0x[0-9a-fA-F]*$/.test(digits) && digits.length === 2 + 2 * byteCount;
    if (!isHex) this.wrong(key, "another text", `0x and ${2 * byteCount} hex digits`);
    return fromHex(digits.slice(2));
  }
  array(key: string, countMax: number): JsonArray {
    const value = this.#member(key);
    if (!isJsonArray(value)) this.wrong(key, "another type", "an array");
    if (value.length > countMax) {
      this.wrong(key, `${value.length} entries`, `at most ${countMax}`);
    }
    return value;
  }
  object(key: string): JsonMembers {
    return new JsonMembers(this.#member(key), `${this.#name}.${key}`, this.#code);
  }

  /** Error unless every member was asked for. */
  ensureRead(): void {
    for (const key of this.#object.keys()) {
      if (!this.#read.has(key)) this.wrong(quoteForeign(key), "it", "no such member");
    }
  }

  #member(key: string): JsonValue {
    const value = this.#object.get(key);
    if (value === undefined) this.wrong(key, "nothing", "a value");
    this.#read.add(key);
    return value;
  }
}
