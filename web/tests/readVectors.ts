// SPDX-License-Identifier: Apache-2.0
// The files of tests/vectors.
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { utf8 } from "../src/base/bytes";
import { networkOf, type Network } from "./network";

const folder = resolve(import.meta.dirname, "vectors");

export function readVector(name: string): Uint8Array {
  return new Uint8Array(readFileSync(resolve(folder, name)));
}

/** What a network of three nodes on no chain answered. */
export function readNetwork(): Network {
  return networkOf(readVector);
}

/** The text of a vector with one part of it replaced, which must be there. */
export function replaced(bytes: Uint8Array, from: string | RegExp, to: string): Uint8Array {
  const text = new TextDecoder().decode(bytes);
  const changed = text.replace(from, to);
  if (changed === text) throw new Error(`nothing to replace: ${from}`);
  return utf8(changed);
}
