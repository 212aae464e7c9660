// SPDX-License-Identifier: Apache-2.0
// Certificate revocation lists, version 2 (RFC 5280, section 5) with an ECDSA-SHA256 signature;
// src/attest/crl.hpp.
import { equal, toHex } from "../base/bytes";
import { TeeTeeError, fail } from "../base/error";
import { inContext } from "../base/text";
import { DerReader, derTag } from "./der";
import { crlBytesMax } from "./limits";
import {
  allows,
  displayName,
  isEcdsaWithSha256,
  parseTime,
  readAlgorithm,
  readSignedPart,
  verifySignedPart,
  type Algorithm,
  type Certificate,
  type SignedPart,
  type Validity,
} from "./x509";
import { keyUsage, parseExtensions } from "./x509Extensions";
import { parseName, type Name } from "./x509Name";

/** As parsed: nothing in it is verified yet. */
export interface Crl {
  issuer: Name;
  validity: Validity;
  /** Magnitudes of the serial numbers, in hex. */
  revoked: ReadonlySet<string>;
  signed: SignedPart;
}

function malformed(detail: string): never {
  return fail("collateral_malformed", detail);
}

export function lists(crl: Crl, serial: Uint8Array): boolean {
  return crl.revoked.has(toHex(serial));
}

function isTime(tag: number | undefined): boolean {
  return tag === derTag.utcTime || tag === derTag.generalizedTime;
}

function parseRevoked(contents: Uint8Array): Set<string> {
  const entries = new DerReader(contents);
  const serials = new Set<string>();
  while (!entries.atEnd) {
    const entry = new DerReader(entries.read(derTag.sequence));
    serials.add(toHex(entry.readUnsigned()));
    if (!isTime(entry.element().tag)) malformed("entry without a time");
    if (!entry.atEnd) ensureNoneCritical(entry.read(derTag.sequence), "of an entry");
    entry.ensureAtEnd("CRL entry");
  }
  return serials;
}

/** A delta or partial list, which leaves out certificates, says so in a critical extension. */
function ensureNoneCritical(extensions: Uint8Array, where: string): void {
  if (parseExtensions(extensions).some((extension) => extension.critical)) {
    malformed(`unknown critical extension ${where}`);
  }
}

interface ListFields {
  algorithm: Algorithm;
  issuer: Name;
  validity: Validity;
  revoked: Set<string>;
}

function parseFields(contents: Uint8Array): ListFields {
  const fields = new DerReader(contents);
  if (fields.peekTag() !== derTag.integer || fields.readInteger(0xffff) !== 1) {
    malformed("not of version 2");
  }
  const algorithm = readAlgorithm(fields);
  const name = fields.elementOf(derTag.sequence);
  const notBefore = parseTime(fields.element());
  const notAfter = isTime(fields.peekTag()) ? parseTime(fields.element()) : undefined;
  if (notBefore === undefined || notAfter === undefined) {
    malformed("no readable thisUpdate and nextUpdate");
  }
  const hasRevoked = fields.peekTag() === derTag.sequence;
  const revoked = hasRevoked ? parseRevoked(fields.read(derTag.sequence)) : new Set<string>();
  if (!fields.atEnd) {
    const extensions = new DerReader(fields.read(derTag.context0));
    ensureNoneCritical(extensions.read(derTag.sequence), "of the list");
    extensions.ensureAtEnd("CRL extensions");
  }
  fields.ensureAtEnd("CRL");
  return {
    algorithm,
    issuer: parseName(name.contents, name.whole),
    validity: { notBefore, notAfter },
    revoked,
  };
}

function parse(der: Uint8Array): Crl {
  if (der.length > crlBytesMax) {
    malformed(`have ${der.length} bytes, need at most ${crlBytesMax}`);
  }
  const document = new DerReader(der);
  const outer = new DerReader(document.read(derTag.sequence));
  document.ensureAtEnd("CRL");
  const part = outer.elementOf(derTag.sequence);
  const algorithm = readAlgorithm(outer);
  const bits = outer.read(derTag.bitString);
  outer.ensureAtEnd("CRL");
  if (!isEcdsaWithSha256(algorithm)) malformed("not signed with ECDSA and SHA-256");
  const { algorithm: inner, ...fields } = parseFields(part.contents);
  return { ...fields, signed: readSignedPart(part, inner, algorithm, bits) };
}

/**
 * DER. Error: `collateral_malformed`, also for a list without nextUpdate, for critical extensions
 * and for bytes behind it.
 */
export function parseCrl(der: Uint8Array): Crl {
  return inContext("CRL", () => parse(der), "collateral_malformed");
}

/**
 * `issuer` may sign lists, bears the list's issuer name and has signed it.
 * Errors: `collateral_mismatch` for another name, `collateral_signature_invalid`.
 */
export async function verifyCrlIssued(crl: Crl, issuer: Certificate): Promise<void> {
  const name = displayName(issuer);
  if (!equal(crl.issuer.der, issuer.subject.der)) {
    fail("collateral_mismatch", `CRL: have another issuer, need ${name}`);
  }
  if (!allows(issuer, keyUsage.crlSign)) {
    fail("collateral_signature_invalid", `CRL: ${name} may not sign lists`);
  }
  try {
    await verifySignedPart(crl.signed, issuer.publicKey);
  } catch (thrown) {
    if (!(thrown instanceof TeeTeeError)) throw thrown;
    fail("collateral_signature_invalid", `CRL of ${name}: signature does not verify`);
  }
}
