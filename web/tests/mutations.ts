// SPDX-License-Identifier: Apache-2.0
// Changed copies of documents, the same for the same seed.
import { concat } from "../src/base/bytes";

/** A number from 0 up to and without `bound`. */
export type Random = (bound: number) => number;

/** Xorshift of 32 bits: not random, but it gets everywhere. */
export function randomOf(seed: number): Random {
  let state = (seed * 2654435761 + 1) >>> 0 || 1;
  return (bound) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state % bound;
  };
}

/** One to three changes: a bit flipped, a byte set, bytes cut out, doubled or put in. */
export function mutated(bytes: Uint8Array, random: Random): Uint8Array {
  let out = new Uint8Array(bytes);
  for (let left = 1 + random(3); left > 0 && out.length > 0; left--) {
    const at = random(out.length);
    const count = Math.min(1 + random(8), out.length - at);
    switch (random(6)) {
      case 0:
      case 1:
        out[at]! ^= 1 << random(8);
        break;
      case 2:
        out[at] = random(256);
        break;
      case 3:
        out = concat(out.subarray(0, at), out.subarray(at + count));
        break;
      case 4:
        out = concat(out.subarray(0, at + count), out.subarray(at));
        break;
      default:
        out = concat(out.subarray(0, at), Uint8Array.of(random(256)), out.subarray(at));
    }
  }
  return out;
}

/** A copy in which one bit is another. */
export function flipped(bytes: Uint8Array, at: number, bit: number): Uint8Array {
  const out = bytes.slice();
  out[at]! ^= 1 << bit;
  return out;
}
