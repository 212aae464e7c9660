// SPDX-License-Identifier: Apache-2.0
// ECDSA over P-256 with SHA-256 (FIPS 186-4) by WebCrypto; src/crypto/p256.hpp.
import { concat, fromHex, toHex } from "../base/bytes";
import { TeeTeeError, fail } from "../base/error";
import { subtle } from "../base/webCrypto";
import { importedKeysMax } from "./limits";

/**
 * Everything of a P-256 SubjectPublicKeyInfo before x: SEQUENCE, algorithm (id-ecPublicKey,
 * prime256v1), BIT STRING, and 0x04 for an uncompressed point.
 */
const spkiPrefix = fromHex("3059301306072a8648ce3d020106082a8648ce3d030107034200" + "04");
const pointBytes = 64;
const signatureBytes = 64;

/** x || y of a P-256 SubjectPublicKeyInfo of the one canonical form. Error: `key_invalid`. */
export function pointFromSpki(spki: Uint8Array): Uint8Array {
  const prefix = spki.subarray(0, spkiPrefix.length);
  const isCanonical =
    spki.length === spkiPrefix.length + pointBytes && toHex(prefix) === toHex(spkiPrefix);
  if (!isCanonical) {
    fail("key_invalid", "public key: have another form, need P-256, named curve, uncompressed");
  }
  return spki.subarray(spkiPrefix.length);
}

/** Importing costs as much as verifying, and most keys come again. */
const imported = new Map<string, Promise<CryptoKey>>();

function importPoint(point: Uint8Array): Promise<CryptoKey> {
  const name = toHex(point);
  const known = imported.get(name);
  if (known !== undefined) return known;
  const key = subtle()
    .importKey("spki", concat(spkiPrefix, point), { name: "ECDSA", namedCurve: "P-256" }, false, [
      "verify",
    ])
    .catch(() => {
      throw new TeeTeeError("key_invalid", "P-256 public key: not on the curve");
    });
  if (imported.size >= importedKeysMax) imported.clear();
  imported.set(name, key);
  return key;
}

/**
 * `signature` is r || s, big-endian. Errors: `key_invalid` for a point off the curve,
 * `signature_invalid` for anything but a signature of 64 bytes that verifies. Both s and order - s
 * verify, as everywhere with P-256.
 */
export async function verifyP256(
  point: Uint8Array,
  signature: Uint8Array,
  message: Uint8Array,
): Promise<void> {
  if (signature.length !== signatureBytes) {
    fail("signature_invalid", `P-256 signature: have ${signature.length} bytes, need 64`);
  }
  const key = await importPoint(point);
  const verified = await subtle().verify(
    { name: "ECDSA", hash: "SHA-256" },
    key,
    new Uint8Array(signature),
    new Uint8Array(message),
  );
  if (!verified) fail("signature_invalid", "P-256 signature: does not verify");
}
