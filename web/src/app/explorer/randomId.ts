// SPDX-License-Identifier: Apache-2.0
import { toHex } from "../../base/bytes";

/** 128 random bits, hex. */
export function randomId(): string {
  return toHex(crypto.getRandomValues(new Uint8Array(16)));
}
