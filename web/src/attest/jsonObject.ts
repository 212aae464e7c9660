// SPDX-License-Identifier: Apache-2.0
// Members of JSON objects by key and type, with errors that name place, have and need;
// src/attest/json_object.hpp.
import { fromHex } from "../base/bytes";
import { fail } from "../base/error";
import {
  JsonNumber,
  isJsonArray,
  isJsonObject,
  type JsonArray,
  type JsonObject,
  type JsonValue,
} from "../base/json";
import { inContext } from "../base/text";
import { parseUtc, type UnixSeconds } from "../base/time";

/** Where a JSON value stands and which error a fault in it is. */
export class JsonPlace {
  readonly component: string;
  readonly code: string;

  constructor(component: string, code: string) {
    this.component = component;
    this.code = code;
  }
  wrong(have: string, need: string): never {
    return fail(this.code, `${this.component}: have ${have}, need ${need}`);
  }
  /** "component.key", or "component[index]". */
  at(key: string | number): JsonPlace {
    const part = typeof key === "number" ? `[${key}]` : `.${key}`;
    return new JsonPlace(this.component + part, this.code);
  }
}

/**
 * Bytes of hex digits with or without one 0x before them; undefined where it is something else, or
 * of another size than needed.
 */
export function bytesOfHex(text: string, byteCount?: number): Uint8Array | undefined {
  const digits = text.startsWith("0x") ? text.slice(2) : text;
  if (byteCount !== undefined && digits.length !== 2 * byteCount) return undefined;
  try {
    return fromHex(digits);
  } catch {
    return undefined;
  }
}

export function jsonText(value: JsonValue, place: JsonPlace): string {
  if (typeof value !== "string") place.wrong("another type", "a string");
  return value;
}

export function hexDigits(byteCount: number): string {
  return `${2 * byteCount} hex digits`;
}

/** The members of one object; what is not asked for may be there. */
export class JsonFields {
  readonly place: JsonPlace;
  readonly #object: JsonObject;

  /** Error: the place's code, for another type. */
  constructor(value: JsonValue, place: JsonPlace) {
    if (!isJsonObject(value)) place.wrong("another type", "an object");
    this.#object = value;
    this.place = place;
  }

  has(key: string): boolean {
    return this.#object.has(key);
  }
  keys(): Iterable<string> {
    return this.#object.keys();
  }
  get size(): number {
    return this.#object.size;
  }

  /** Whatever is there. */
  value(key: string): JsonValue {
    return this.#member(key, "a value");
  }
  text(key: string): string {
    return jsonText(this.#member(key, "a string"), this.place.at(key));
  }
  boolean(key: string): boolean {
    const value = this.#member(key, "true or false");
    if (typeof value !== "boolean")
      return this.place.at(key).wrong("another type", "true or false");
    return value;
  }
  /** An integer from 0 to valueMax. */
  number(key: string, valueMax: number): number {
    const value = this.#member(key, "an integer");
    const whole = value instanceof JsonNumber ? value.whole() : undefined;
    if (whole === undefined || whole < 0n || whole > BigInt(valueMax)) {
      const have = whole === undefined ? "another type or range" : String(whole);
      return this.place.at(key).wrong(have, `an integer from 0 to ${valueMax}`);
    }
    return Number(whole);
  }
  /** As Intel writes times; see parseUtc. */
  time(key: string): UnixSeconds {
    const written = this.text(key);
    const place = this.place.at(key);
    return inContext(place.component, () => parseUtc(written), place.code);
  }
  object(key: string): JsonFields {
    return new JsonFields(this.#member(key, "an object"), this.place.at(key));
  }
  /** From none to countMax elements. */
  arrayOrEmpty(key: string, countMax: number): JsonArray {
    const need = `an array of at most ${countMax}`;
    const value = this.#member(key, need);
    if (!isJsonArray(value)) return this.place.at(key).wrong("another type", need);
    if (value.length > countMax) return this.place.at(key).wrong(`${value.length} entries`, need);
    return value;
  }
  /** From 1 to countMax elements. */
  array(key: string, countMax: number): JsonArray {
    const value = this.arrayOrEmpty(key, countMax);
    if (value.length === 0) return this.place.at(key).wrong("an empty array", "at least one entry");
    return value;
  }
  /** The elements of such an array, each an object. */
  objects(key: string, countMax: number): JsonFields[] {
    const place = this.place.at(key);
    return this.array(key, countMax).map((value, i) => new JsonFields(value, place.at(i)));
  }
  hex(key: string, byteCount: number): Uint8Array {
    const bytes = bytesOfHex(this.text(key), byteCount);
    if (bytes === undefined) return this.place.at(key).wrong("another text", hexDigits(byteCount));
    return bytes;
  }

  #member(key: string, need: string): JsonValue {
    const value = this.#object.get(key);
    if (value === undefined) return this.place.at(key).wrong("nothing", need);
    return value;
  }
}
