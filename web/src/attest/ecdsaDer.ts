// SPDX-License-Identifier: Apache-2.0
// Certificates and lists carry their ECDSA signature as SEQUENCE of r and s (RFC 3279, section
// 2.2.3); WebCrypto takes r || s.
import { DerReader, derTag } from "./der";

const numberBytes = 32;

/** r || s, 64 bytes; undefined for anything but the DER of two numbers of at most 256 bits. */
export function signatureFromDer(der: Uint8Array): Uint8Array | undefined {
  try {
    const outer = new DerReader(der);
    const parts = new DerReader(outer.read(derTag.sequence));
    const numbers = [parts.readUnsigned(), parts.readUnsigned()];
    if (!outer.atEnd || !parts.atEnd) return undefined;
    const signature = new Uint8Array(2 * numberBytes);
    for (const [i, number] of numbers.entries()) {
      if (number.length > numberBytes) return undefined;
      signature.set(number, (i + 1) * numberBytes - number.length);
    }
    return signature;
  } catch {
    return undefined;
  }
}
