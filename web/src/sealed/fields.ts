// SPDX-License-Identifier: Apache-2.0
import { concat, utf8 } from "../base/bytes";
import { fail } from "../base/error";
import { headerNameBytesMax, headerValueBytesMax, headersMax } from "./limits";

// The parts that requests and answers have in common (docs/api.md, "Sealed requests"). Integers are
// little-endian.

/** Names in lower case. */
export type SealedHeaders = Readonly<Record<string, string>>;

export function u16(value: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array([value & 0xff, (value >>> 8) & 0xff]);
}

export function u32(value: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}

/** Of a whole number below 2^53. */
export function u64(value: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value), true);
  return bytes;
}

/** u32 length, then the bytes. */
export function prefixed(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return concat(u32(bytes.length), bytes);
}

const namePattern = /^[a-z0-9-]+$/;
const valuePattern = /^[\x20-\x7e]*$/;

function isName(name: string): boolean {
  return name.length <= headerNameBytesMax && namePattern.test(name);
}

function isValue(value: string): boolean {
  return value.length <= headerValueBytesMax && valuePattern.test(value);
}

/**
 * u16 count, then each name and value with its length, in the order of the names. Error:
 * `invalid_argument` for what `FieldReader.headers` would refuse; it never quotes a value.
 */
export function encodeHeaders(headers: SealedHeaders): Uint8Array<ArrayBuffer> {
  const names = Object.keys(headers).sort();
  if (names.length > headersMax) {
    fail("invalid_argument", `sealed: have ${names.length} headers, need at most ${headersMax}`);
  }
  const parts: Uint8Array[] = [u16(names.length)];
  for (const name of names) {
    const value = headers[name] ?? "";
    if (!isName(name) || !isValue(value)) {
      fail("invalid_argument", "sealed: a header cannot be sent: need names of a-z, 0-9 and '-'");
    }
    parts.push(prefixed(utf8(name)), prefixed(utf8(value)));
  }
  return concat(...parts);
}

function malformed(detail: string): never {
  return fail("sealed_malformed", detail);
}

/** Reads fields off the front of bytes. Every error is `sealed_malformed`. */
export class FieldReader {
  private at = 0;
  private readonly view: DataView;

  constructor(private readonly bytes: Uint8Array) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get remaining(): number {
    return this.bytes.length - this.at;
  }

  u16(what: string): number {
    return this.view.getUint16(this.skip(2, what), true);
  }

  u32(what: string): number {
    return this.view.getUint32(this.skip(4, what), true);
  }

  /** Refuses what is no whole number that JavaScript holds. */
  u64(what: string): number {
    const value = this.view.getBigUint64(this.skip(8, what), true);
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) malformed(`${what}: beyond 2^53`);
    return Number(value);
  }

  take(count: number, what: string): Uint8Array {
    const begin = this.skip(count, what);
    return this.bytes.subarray(begin, begin + count);
  }

  prefixed(what: string): Uint8Array {
    return this.take(this.u32(what), what);
  }

  /** Names of a-z, 0-9 and '-', each once and in order; values of printable ASCII. */
  headers(): Record<string, string> {
    const count = this.u16("headers");
    if (count > headersMax) malformed(`headers: have ${count}, need at most ${headersMax}`);
    const headers: Record<string, string> = {};
    let last = "";
    for (let i = 0; i < count; i++) {
      const name = latin1(this.prefixed("header"));
      const value = latin1(this.prefixed("header"));
      if (!isName(name) || !isValue(value)) malformed("headers: a name or value is none");
      if (name <= last) malformed("headers: not in order, or twice the same");
      headers[name] = value;
      last = name;
    }
    return headers;
  }

  /** Zeros up to the end. */
  padding(): void {
    const rest = this.take(this.remaining, "padding");
    if (rest.some((byte) => byte !== 0)) malformed("padding: something else than zeros");
  }

  private skip(count: number, what: string): number {
    if (count > this.remaining) {
      malformed(`${what}: have ${this.remaining} bytes, need ${count}`);
    }
    const begin = this.at;
    this.at += count;
    return begin;
  }
}

/** So that bytes which are no ASCII are told apart, and refused with the rest. */
function latin1(bytes: Uint8Array): string {
  let text = "";
  if (bytes.length > headerValueBytesMax) malformed("headers: a name or value is too long");
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}
