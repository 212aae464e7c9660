// SPDX-License-Identifier: Apache-2.0
// Little-endian integers and runs of bytes in foreign buffers, and the same written.
import { fail } from "./error";

/** Reads a foreign buffer; never past its end. Error of each read: `limit_exceeded`. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #position = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get position(): number {
    return this.#position;
  }
  get remaining(): number {
    return this.#bytes.length - this.#position;
  }

  u8(): number {
    return this.#view.getUint8(this.#step(1));
  }
  u16(): number {
    return this.#view.getUint16(this.#step(2), true);
  }
  u32(): number {
    return this.#view.getUint32(this.#step(4), true);
  }
  u64(): bigint {
    return this.#view.getBigUint64(this.#step(8), true);
  }
  /** A view into the buffer. */
  bytes(count: number): Uint8Array {
    const at = this.#step(count);
    return this.#bytes.subarray(at, at + count);
  }
  /** A view of all that is left. */
  rest(): Uint8Array {
    return this.bytes(this.remaining);
  }

  #step(count: number): number {
    if (count > this.remaining) {
      fail(
        "limit_exceeded",
        `at byte ${this.#position}: have ${this.remaining} bytes, need ${count}`,
      );
    }
    const at = this.#position;
    this.#position += count;
    return at;
  }
}

/** Appends integers and runs of bytes. Numbers MUST fit what they are written as. */
export class ByteWriter {
  #bytes = new Uint8Array(256);
  #size = 0;

  u8(value: number): this {
    this.#grow(1);
    this.#bytes[this.#size++] = value;
    return this;
  }
  u32(value: number): this {
    this.#grow(4);
    new DataView(this.#bytes.buffer).setUint32(this.#size, value, true);
    this.#size += 4;
    return this;
  }
  u64(value: bigint): this {
    this.#grow(8);
    new DataView(this.#bytes.buffer).setBigUint64(this.#size, value, true);
    this.#size += 8;
    return this;
  }
  f32(value: number): this {
    this.#grow(4);
    new DataView(this.#bytes.buffer).setFloat32(this.#size, value, true);
    this.#size += 4;
    return this;
  }
  bytes(value: Uint8Array): this {
    this.#grow(value.length);
    this.#bytes.set(value, this.#size);
    this.#size += value.length;
    return this;
  }
  /** u32 length, then the bytes: the form of everything that is hashed or signed. */
  lengthPrefixed(value: Uint8Array): this {
    return this.u32(value.length).bytes(value);
  }

  /** What was written so far. */
  view(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#size);
  }

  #grow(count: number): void {
    if (this.#size + count <= this.#bytes.length) return;
    const larger = new Uint8Array(2 * (this.#size + count));
    larger.set(this.#bytes.subarray(0, this.#size));
    this.#bytes = larger;
  }
}
