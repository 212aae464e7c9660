// SPDX-License-Identifier: Apache-2.0
import { type Address, type Hex } from "viem";
import { fromUtf8, utf8 } from "../base/bytes";
import { fail, TeeTeeError } from "../base/error";
import { isHexOf, toAddress } from "../chain/deployment";
import { textBytesMax, urlBytesMax } from "./limits";

// JSON of entries and nodes: foreign bytes, of which each member is looked at before it is used.

export interface JsonLimits {
  readonly bytesMax: number;
  readonly depthMax: number;
}

/** How deep lists and objects of a text stand in each other; strings are passed over. */
function depthOf(text: string): number {
  let depth = 0;
  let most = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x22) {
      // To the closing quote; an escape takes the character behind it along.
      for (at++; at < text.length && text.charCodeAt(at) !== 0x22; at++) {
        if (text.charCodeAt(at) === 0x5c) at++;
      }
    } else if (code === 0x7b || code === 0x5b) {
      depth++;
      if (depth > most) most = depth;
    } else if (code === 0x7d || code === 0x5d) {
      depth--;
    }
  }
  return most;
}

/** Errors: `invalid_utf8`, `invalid_json`, `limit_exceeded`; `what` names the document. */
export function parseJson(bytes: Uint8Array, what: string, limits: JsonLimits): unknown {
  if (bytes.length > limits.bytesMax) {
    fail("limit_exceeded", `${what}: have ${bytes.length} bytes, need at most ${limits.bytesMax}`);
  }
  return parseJsonText(fromUtf8(bytes), what, limits.depthMax);
}

/** Of a text whose length is known to be within limits. */
export function parseJsonText(text: string, what: string, depthMax: number): unknown {
  if (depthOf(text) > depthMax) {
    fail("limit_exceeded", `${what}: lists and objects stand deeper than ${depthMax}`);
  }
  try {
    return JSON.parse(text);
  } catch {
    return fail("invalid_json", `${what}: is no JSON`);
  }
}

/** A peer's string made safe to quote: printable ASCII, cut to 64 characters, in quotes. */
export function quoteForeign(text: string): string {
  const cut = text.slice(0, 64).replace(/[^\x20-\x7e]/g, "?");
  return `"${cut}"${text.length > 64 ? ".." : ""}`;
}

/** The members of one JSON object. Errors are `code` (`invalid_json`), and name the member. */
export class Fields {
  private constructor(
    private readonly members: Readonly<Record<string, unknown>>,
    private readonly what: string,
    private readonly code: string,
  ) {}

  static of(value: unknown, what: string, code = "invalid_json"): Fields {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      fail(code, `${what}: need an object`);
    }
    return new Fields(value as Record<string, unknown>, what, code);
  }

  wrong(name: string, need: string): never {
    return fail(this.code, `${this.what}.${name}: need ${need}`);
  }

  /** undefined also where it is null. */
  value(name: string): unknown {
    const value = Object.hasOwn(this.members, name) ? this.members[name] : undefined;
    return value === null ? undefined : value;
  }

  has(name: string): boolean {
    return this.value(name) !== undefined;
  }

  /** That there is no member of another name. */
  ensureOnly(names: readonly string[]): void {
    for (const name of Object.keys(this.members)) {
      if (!names.includes(name)) {
        fail(
          this.code,
          `${this.what}: have a member ${quoteForeign(name)}, need none of that name`,
        );
      }
    }
  }

  text(name: string, bytesMax = textBytesMax): string {
    const value = this.value(name);
    if (typeof value !== "string" || utf8(value).length > bytesMax) {
      return this.wrong(name, `a text of at most ${bytesMax} bytes`);
    }
    return value;
  }

  textOr<T>(name: string, fallback: T, bytesMax = textBytesMax): string | T {
    return this.has(name) ? this.text(name, bytesMax) : fallback;
  }

  bool(name: string): boolean {
    const value = this.value(name);
    return typeof value === "boolean" ? value : this.wrong(name, "true or false");
  }

  boolOr(name: string, fallback: boolean): boolean {
    return this.has(name) ? this.bool(name) : fallback;
  }

  /** A whole number. */
  number(name: string, most = Number.MAX_SAFE_INTEGER): number {
    const value = this.value(name);
    if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0 && value <= most) {
      return value;
    }
    return this.wrong(name, `a whole number from 0 to ${most}`);
  }

  numberOr<T>(name: string, fallback: T, most = Number.MAX_SAFE_INTEGER): number | T {
    return this.has(name) ? this.number(name, most) : fallback;
  }

  /** A number of 64 bits, in a string or as one that JSON's readers hold. */
  bigNumber(name: string): bigint {
    const value = this.value(name);
    if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) {
      return BigInt(value);
    }
    if (typeof value === "string" && /^(0|[1-9][0-9]{0,19})$/.test(value)) {
      const number = BigInt(value);
      if (number < 1n << 64n) return number;
    }
    return this.wrong(name, "a number of 64 bits in a string");
  }

  address(name: string): Address {
    const text = this.text(name);
    try {
      return toAddress(text, name);
    } catch {
      return this.wrong(name, "an address");
    }
  }

  /** 0x and so many bytes in hex, lower case. */
  hex(name: string, bytes: number): Hex {
    const text = this.text(name, 2 + 2 * bytes);
    return isHexOf(text, bytes)
      ? (text.toLowerCase() as Hex)
      : this.wrong(name, `0x and ${2 * bytes} hex digits`);
  }

  /** The same with or without 0x in front; comes out with it. */
  anyHex(name: string, bytes: number): Hex {
    const text = this.text(name, 2 + 2 * bytes);
    const with0x = text.startsWith("0x") ? text : `0x${text}`;
    return isHexOf(with0x, bytes)
      ? (with0x.toLowerCase() as Hex)
      : this.wrong(name, `${2 * bytes} hex digits`);
  }

  /** 0x and 1 to `bytesMax` bytes in hex. */
  data(name: string, bytesMax: number): Hex {
    const text = this.text(name, 2 + 2 * bytesMax);
    return /^0x([0-9a-fA-F]{2})+$/.test(text)
      ? (text.toLowerCase() as Hex)
      : this.wrong(name, `0x and 1 to ${bytesMax} bytes in hex`);
  }

  list(name: string, most: number): readonly unknown[] {
    const value = this.value(name);
    if (!Array.isArray(value) || value.length > most) {
      return this.wrong(name, `a list of at most ${most}`);
    }
    return value;
  }

  /** The objects of a list. */
  objects(name: string, most: number): Fields[] {
    return this.list(name, most).map((item) => Fields.of(item, `${this.what}.${name}`, this.code));
  }

  object(name: string): Fields {
    return Fields.of(this.value(name), `${this.what}.${name}`, this.code);
  }

  /** [first, end), end above first. */
  layers(name: string): LayerRange {
    return layersOf(this.value(name)) ?? this.wrong(name, "[first, end]");
  }

  /** An http(s) URL without a slash at its end; undefined where it is missing or none. */
  urlOr(name: string): string | undefined {
    const value = this.value(name);
    return typeof value === "string" ? baseUrlOf(value) : undefined;
  }
}

/** Layers from `begin` to below `end`. */
export interface LayerRange {
  readonly begin: number;
  readonly end: number;
}

const layerMax = 65_536;

export function layersOf(value: unknown): LayerRange | undefined {
  if (!Array.isArray(value) || value.length !== 2) return undefined;
  const [begin, end] = value as unknown[];
  const isRange =
    typeof begin === "number" &&
    typeof end === "number" &&
    Number.isInteger(begin) &&
    Number.isInteger(end) &&
    begin >= 0 &&
    begin < end &&
    end <= layerMax;
  return isRange ? { begin, end } : undefined;
}

/** The URL that paths are put behind; undefined for what is no http(s) URL of an origin. */
export function baseUrlOf(text: string): string | undefined {
  if (text.length > urlBytesMax) return undefined;
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return undefined;
  }
  const isPlain =
    url.username === "" && url.password === "" && url.search === "" && url.hash === "";
  if ((url.protocol !== "http:" && url.protocol !== "https:") || !isPlain) return undefined;
  return url.href.replace(/\/+$/, "");
}

/** As `baseUrlOf`. Error: `address_invalid`. */
export function ensureBaseUrl(text: string): string {
  return (
    baseUrlOf(text.trim()) ?? fail("address_invalid", "URL: need http:// or https:// and a host")
  );
}

/** The error's code; "internal" of what is none of ours. */
export function codeOf(thrown: unknown): string {
  return thrown instanceof TeeTeeError ? thrown.code : "internal";
}
