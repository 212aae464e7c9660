// SPDX-License-Identifier: Apache-2.0
// The browser's cryptography, which it offers only to pages that nobody on the way can have changed.
import { fail } from "./error";

/** Error: `unsupported` where the page came over http from another machine. */
export function subtle(): SubtleCrypto {
  const found: SubtleCrypto | undefined = globalThis.crypto?.subtle;
  if (found !== undefined) return found;
  return fail("unsupported", "WebCrypto: have none, need a page over https or from this machine");
}
