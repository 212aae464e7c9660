// SPDX-License-Identifier: Apache-2.0

// As src/sealed/limits.hpp has them; both sides refuse what is beyond.

/** A sealed request as a whole is a power of two from here to there, bytes. */
export const requestBytesMin = 4 * 1024;
export const requestBytesMax = 1024 * 1024;
/** The plaintext of a record of an answer, likewise. */
export const recordBytesMin = 512;
export const recordBytesMax = 64 * 1024;

export const headersMax = 16;
export const headerNameBytesMax = 64;
export const headerValueBytesMax = 4 * 1024;

/** Of a whole answer, in records of which each holds one token. */
export const answerBytesMax = 256 * 1024 * 1024;

export const tagBytes = 16;

/** The least power of two that holds so many bytes, from `least` on. */
export function sizeClass(bytes: number, least: number): number {
  let size = least;
  while (size < bytes) size *= 2;
  return size;
}

export function isPowerOfTwo(value: number): boolean {
  return value > 0 && Number.isInteger(Math.log2(value));
}
