// SPDX-License-Identifier: Apache-2.0
// Foreign text in error messages.
import { TeeTeeError } from "./error";

const shownBytesMax = 64;

/** A peer's or file's text made safe to quote: printable ASCII, cut to 64 bytes. */
export function quoteForeign(foreign: string | Uint8Array): string {
  const bytes = typeof foreign === "string" ? new TextEncoder().encode(foreign) : foreign;
  let out = "'";
  for (const byte of bytes.subarray(0, shownBytesMax)) {
    out += byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : "?";
  }
  return out + (bytes.length > shownBytesMax ? "...'" : "'");
}

/** How many bytes a text has in UTF-8. */
export function utf8Length(text: string): number {
  let bytes = 0;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    // Each half of a pair of surrogates counts for two of the four bytes.
    bytes += unit < 0x80 ? 1 : unit < 0x800 || (unit >= 0xd800 && unit < 0xe000) ? 2 : 3;
  }
  return bytes;
}

/** What `make` gives; an error of it says first where it happened, and has `code` if one is given. */
export function inContext<T>(context: string, make: () => T, code?: string): T {
  try {
    return make();
  } catch (thrown) {
    throw withContext(context, thrown, code);
  }
}

/** The same for what comes later. */
export async function inContextAsync<T>(context: string, make: () => Promise<T>): Promise<T> {
  try {
    return await make();
  } catch (thrown) {
    throw withContext(context, thrown);
  }
}

function withContext(context: string, thrown: unknown, code?: string): unknown {
  if (!(thrown instanceof TeeTeeError)) return thrown;
  return new TeeTeeError(
    code ?? thrown.code,
    context === "" ? thrown.detail : `${context}: ${thrown.detail}`,
  );
}
