// SPDX-License-Identifier: Apache-2.0
// Leaves of rows and tokens, and what is signed of them; src/attest/trace.hpp.
import { equal, utf8 } from "../base/bytes";
import { ByteWriter } from "../base/reader";
import { sha256Sync } from "./hash";
import { activationFormats, poolings, type SamplingOptions } from "./sampling";

function beginLeaf(tag: string, salt: Uint8Array, position: number): ByteWriter {
  return new ByteWriter().lengthPrefixed(utf8(tag)).bytes(salt).u32(position);
}

/**
 * Leaf of the token that stands at a position: SHA-256 over the length-prefixed "teetee token v1",
 * the salt, the position (u32) and the token (u32). The token that the tail samples from the row of
 * position p stands at p + 1.
 */
export function tokenLeaf(salt: Uint8Array, position: number, token: number): Uint8Array {
  return sha256Sync(beginLeaf("teetee token v1", salt, position).u32(token).view());
}

/**
 * How tokens are picked: SHA-256 over the length-prefixed "teetee sampling v2", the salt, the number
 * of the prompt's positions and every option, little-endian.
 */
export function samplingDigest(
  salt: Uint8Array,
  promptPositions: number,
  sampling: SamplingOptions,
): Uint8Array {
  const out = beginLeaf("teetee sampling v2", salt, promptPositions)
    .f32(sampling.temperature)
    .u32(sampling.topK)
    .f32(sampling.topP)
    .u64(sampling.seed)
    .f32(sampling.minP)
    .f32(sampling.typicalP)
    .f32(sampling.repetitionPenalty)
    .u32(sampling.repetitionWindow)
    .f32(sampling.presencePenalty)
    .f32(sampling.frequencyPenalty)
    .u32(sampling.logitBias.length);
  for (const { token, bias } of sampling.logitBias) out.u32(token).f32(bias);
  out
    .u8(sampling.logprobs ? 1 : 0)
    .u32(sampling.topLogprobs)
    .u8(sampling.constraintKind)
    .lengthPrefixed(utf8(sampling.constraint))
    .u32(sampling.answerGiven)
    .u8(activationFormats.indexOf(sampling.activations));
  // Without one it is as it was before there were any.
  if (sampling.pooling !== "none") out.u8(poolings.indexOf(sampling.pooling));
  return sha256Sync(out.view());
}

const leafBytes = 32;

/** Leaves of neighbouring positions, from `begin` on; one after the other in `leaves`. */
export class Trace {
  readonly begin: number;
  readonly leaves: Uint8Array;

  constructor(begin: number, leaves: Uint8Array) {
    this.begin = begin;
    this.leaves = leaves;
  }
  get count(): number {
    return this.leaves.length / leafBytes;
  }
  get end(): number {
    return this.begin + this.count;
  }
  /** Of a position from begin on and before end. */
  leafAt(position: number): Uint8Array {
    const at = (position - this.begin) * leafBytes;
    return this.leaves.subarray(at, at + leafBytes);
  }
}

/** What is signed of a trace. */
export interface TraceDigest {
  begin: number;
  end: number;
  /** 32 bytes. */
  digest: Uint8Array;
}

export function sameTrace(a: TraceDigest, b: TraceDigest): boolean {
  return a.begin === b.begin && a.end === b.end && equal(a.digest, b.digest);
}

/**
 * Of all leaves: SHA-256 over the length-prefixed "teetee trace v1", begin and end (u32 each) and
 * the leaves.
 */
export function digestOf(trace: Trace): TraceDigest {
  const out = new ByteWriter().lengthPrefixed(utf8("teetee trace v1"));
  out.u32(trace.begin).u32(trace.end).bytes(trace.leaves);
  return { begin: trace.begin, end: trace.end, digest: sha256Sync(out.view()) };
}
