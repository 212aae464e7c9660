// SPDX-License-Identifier: Apache-2.0
// DER (ITU-T X.690): definite, minimal lengths only. Errors are `certificate_malformed`, with the
// tag or bytes there are and that are needed.
import { fail } from "../base/error";

export const derTag = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  objectIdentifier: 0x06,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
  context0: 0xa0,
  context1: 0x81,
  context2: 0x82,
  context3: 0xa3,
} as const;

export interface DerElement {
  tag: number;
  contents: Uint8Array;
  /** With its header. */
  whole: Uint8Array;
}

function malformed(detail: string): never {
  return fail("certificate_malformed", `DER: ${detail}`);
}

/** Walks the elements of an encoding in order. */
export class DerReader {
  #der: Uint8Array;

  constructor(der: Uint8Array) {
    this.#der = der;
  }

  get atEnd(): boolean {
    return this.#der.length === 0;
  }
  /** The tag of the next element; undefined at the end. */
  peekTag(): number | undefined {
    return this.#der[0];
  }

  /** The next element, whatever it is. */
  element(): DerElement {
    const der = this.#der;
    if (der.length < 2) malformed(`have ${der.length} bytes, need 2 for a header`);
    const tag = der[0]!;
    if ((tag & 0x1f) === 0x1f) malformed("tag of more than one byte");
    let headerBytes = 2;
    let length = der[1]!;
    if (length >= 0x80) {
      const lengthBytes = length & 0x7f;
      if (lengthBytes === 0 || lengthBytes > 3) malformed("length of a foreign form");
      if (der.length < 2 + lengthBytes) malformed("length cut off");
      length = 0;
      for (let i = 0; i < lengthBytes; i++) length = length * 256 + der[2 + i]!;
      const least = lengthBytes === 1 ? 0x80 : 1 << (8 * (lengthBytes - 1));
      if (length < least) malformed("length not minimal");
      headerBytes += lengthBytes;
    }
    if (length > der.length - headerBytes) {
      malformed(`have ${der.length - headerBytes} bytes, need ${length}`);
    }
    const end = headerBytes + length;
    this.#der = der.subarray(end);
    return { tag, contents: der.subarray(headerBytes, end), whole: der.subarray(0, end) };
  }

  /** The next element, which must have this tag. */
  elementOf(tag: number): DerElement {
    const before = this.#der;
    const found = this.element();
    if (found.tag !== tag) {
      this.#der = before;
      malformed(`have tag ${found.tag}, need ${tag}`);
    }
    return found;
  }

  /** Its contents. */
  read(tag: number): Uint8Array {
    return this.elementOf(tag).contents;
  }

  /** The contents of an OBJECT IDENTIFIER of whole, minimal arcs. */
  readOid(): Uint8Array {
    const contents = this.read(derTag.objectIdentifier);
    const isWhole = contents.every((byte, i) => {
      const endsBefore = i === 0 || contents[i - 1]! < 0x80;
      return !(endsBefore && byte === 0x80);
    });
    if (contents.length === 0 || contents[contents.length - 1]! >= 0x80 || !isWhole) {
      malformed("object identifier of another form");
    }
    return contents;
  }

  /** The next element must be an OCTET STRING of exactly so many bytes. */
  readOctets(byteCount: number): Uint8Array {
    const contents = this.read(derTag.octetString);
    if (contents.length !== byteCount) {
      malformed(`OCTET STRING: have ${contents.length} bytes, need ${byteCount}`);
    }
    return contents;
  }

  /** The next element must be an INTEGER from 0 to valueMax, of 16 bits at most. */
  readInteger(valueMax: number): number {
    const contents = this.read(derTag.integer);
    if (!isMinimalInteger(contents) || contents.length > 3 || contents[0]! >= 0x80) {
      malformed("number negative, not minimal or too large");
    }
    let value = 0;
    for (const byte of contents) value = value * 256 + byte;
    if (value > valueMax) malformed(`have number ${value}, need at most ${valueMax}`);
    return value;
  }

  /** The magnitude of an INTEGER that is not negative. */
  readUnsigned(): Uint8Array {
    const contents = this.read(derTag.integer);
    if (!isMinimalInteger(contents)) malformed("number not minimal");
    if (contents[0]! >= 0x80) malformed("number negative");
    return contents.length > 1 && contents[0] === 0 ? contents.subarray(1) : contents;
  }

  /** Nothing may be left. */
  ensureAtEnd(what: string): void {
    if (!this.atEnd) malformed(`${what}: ${this.#der.length} bytes behind its end`);
  }
}

/** Not empty, and no leading byte that only repeats the sign. */
function isMinimalInteger(contents: Uint8Array): boolean {
  const [first, second] = contents;
  if (first === undefined) return false;
  if (second === undefined) return true;
  return !(first === 0 && second < 0x80) && !(first === 0xff && second >= 0x80);
}

const constructedBit = 0x20;
const nestingMax = 30;

/** Whether bytes are elements, and the contents of those that hold others are elements too. */
export function isNestedDer(der: Uint8Array, depthLeft = nestingMax): boolean {
  const reader = new DerReader(der);
  while (!reader.atEnd) {
    const { tag, contents } = reader.element();
    const isConstructed = (tag & constructedBit) !== 0;
    if (isConstructed && (depthLeft === 0 || !isNestedDer(contents, depthLeft - 1))) return false;
  }
  return true;
}
