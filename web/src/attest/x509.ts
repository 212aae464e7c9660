// SPDX-License-Identifier: Apache-2.0
// X.509 v3 certificates (RFC 5280) with a P-256 key and an ECDSA-SHA256 signature;
// src/attest/x509.hpp. What is parsed is not verified yet.
import { fromBase64, toHex } from "../base/bytes";
import { TeeTeeError, fail } from "../base/error";
import { inContext, quoteForeign } from "../base/text";
import { describeTime, secondsOf, type UnixSeconds } from "../base/time";
import { DerReader, derTag, type DerElement } from "./der";
import { signatureFromDer } from "./ecdsaDer";
import {
  certificateBytesMax,
  certificateNameBytesMax,
  certificateSerialBytesMax,
  certificateSignatureBytesMax,
} from "./limits";
import { pointFromSpki, verifyP256 } from "./p256";
import {
  ensureExtensionsBounded,
  keyUsage,
  parseExtensions,
  readKnownExtensions,
  type Extension,
  type KnownExtensions,
} from "./x509Extensions";
import { parseName, type Name } from "./x509Name";

/** The first and the last second in which something signed counts. */
export interface Validity {
  notBefore: UnixSeconds;
  notAfter: UnixSeconds;
}

export function isValidAt(validity: Validity, time: UnixSeconds): boolean {
  return time >= validity.notBefore && time <= validity.notAfter;
}

/** "have time .., need .. to ..", with dates (UTC) beside the numbers. */
export function describeOutOfDate(validity: Validity, now: UnixSeconds): string {
  const { notBefore, notAfter } = validity;
  return `have time ${describeTime(now)}, need ${describeTime(notBefore)} to ${describeTime(notAfter)}`;
}

/** What certificates and lists have in common: a part that is signed, and the signature over it. */
export interface SignedPart {
  /** The signed bytes, exactly as they came. */
  bytes: Uint8Array;
  /** DER of r and s, behind the count of unused bits. */
  signature: Uint8Array;
  unusedBits: number;
  /** The algorithm is named within and beside the signed part; it must be the same. */
  algorithmsDiffer: boolean;
}

export interface Certificate extends KnownExtensions {
  /** Exactly what came in. */
  der: Uint8Array;
  spki: Uint8Array;
  /** x || y. */
  publicKey: Uint8Array;
  /** The magnitude of the serial number. */
  serial: Uint8Array;
  subject: Name;
  issuer: Name;
  validity: Validity;
  extensions: readonly Extension[];
  signed: SignedPart;
}

const ecdsaWithSha256Oid = "2a8648ce3d040302";

const pemBegin = "-----BEGIN CERTIFICATE-----";
const pemEnd = "-----END CERTIFICATE-----";

function malformed(detail: string): never {
  return fail("certificate_malformed", `certificate: ${detail}`);
}

function ensureAtMost(field: string, have: number, max: number): void {
  if (have > max) malformed(`${field}: have ${have}, need at most ${max}`);
}

/** An AlgorithmIdentifier: its object identifier in hex, and the whole of it. */
export interface Algorithm {
  oid: string;
  whole: Uint8Array;
}

export function readAlgorithm(reader: DerReader): Algorithm {
  const { contents, whole } = reader.elementOf(derTag.sequence);
  const fields = new DerReader(contents);
  const oid = toHex(fields.readOid());
  if (!fields.atEnd) fields.element();
  fields.ensureAtEnd("algorithm");
  return { oid, whole };
}

export function isEcdsaWithSha256(algorithm: Algorithm): boolean {
  return algorithm.oid === ecdsaWithSha256Oid;
}

/** Algorithm and signature that stand behind a signed part. Error: `certificate_malformed`. */
export function readSignedPart(
  part: DerElement,
  innerAlgorithm: Algorithm,
  outerAlgorithm: Algorithm,
  bits: Uint8Array,
): SignedPart {
  const [unusedBits] = bits;
  if (unusedBits === undefined || unusedBits > 7) malformed("signature: have another form");
  return {
    bytes: part.whole,
    signature: bits.subarray(1),
    unusedBits,
    algorithmsDiffer: toHex(innerAlgorithm.whole) !== toHex(outerAlgorithm.whole),
  };
}

/** Error: `signature_invalid` or `key_invalid` unless the key has signed the part. */
export async function verifySignedPart(part: SignedPart, publicKey: Uint8Array): Promise<void> {
  const signature = signatureFromDer(part.signature);
  if (part.algorithmsDiffer || part.unusedBits !== 0 || signature === undefined) {
    fail("signature_invalid", "P-256 signature: have another form");
  }
  await verifyP256(publicKey, signature, part.bytes);
}

/** An X.509 Time in the forms that RFC 5280 (section 4.1.2.5) allows; undefined for others. */
export function parseTime(element: DerElement): UnixSeconds | undefined {
  const text = String.fromCharCode(...element.contents.subarray(0, 16));
  const isUtc = element.tag === derTag.utcTime;
  if (!isUtc && element.tag !== derTag.generalizedTime) malformed("time: have another tag");
  const digits =
    element.contents.length === (isUtc ? 13 : 15) ? /^(\d+)Z$/.exec(text)?.[1] : undefined;
  if (digits === undefined) return undefined;
  const shortYear = Number(digits.slice(0, 2));
  const full = isUtc ? `${shortYear < 50 ? "20" : "19"}${digits}` : digits;
  const at = (begin: number, end: number) => Number(full.slice(begin, end));
  return secondsOf(at(0, 4), at(4, 6), at(6, 8), at(8, 10), at(10, 12), at(12, 14));
}

function parseValidity(contents: Uint8Array): Validity {
  const times = new DerReader(contents);
  const notBefore = parseTime(times.element());
  const notAfter = parseTime(times.element());
  times.ensureAtEnd("validity");
  if (notBefore === undefined || notAfter === undefined) malformed("no readable validity");
  return { notBefore, notAfter };
}

function readVersion(fields: DerReader): void {
  if (fields.peekTag() !== derTag.context0) malformed("not of version 3");
  const version = new DerReader(fields.read(derTag.context0));
  if (version.readInteger(0xffff) !== 2) malformed("not of version 3");
  version.ensureAtEnd("version");
}

function readName(fields: DerReader): Name {
  const name = fields.elementOf(derTag.sequence);
  ensureAtMost("bytes of a name", name.whole.length, certificateNameBytesMax);
  return parseName(name.contents, name.whole);
}

function readExtensions(fields: DerReader): Extension[] {
  const tag = fields.peekTag();
  if (tag === derTag.context1 || tag === derTag.context2) malformed("has unique identifiers");
  if (fields.atEnd) return [];
  const outer = new DerReader(fields.read(derTag.context3));
  const extensions = parseExtensions(outer.read(derTag.sequence));
  outer.ensureAtEnd("extensions");
  fields.ensureAtEnd("certificate");
  ensureExtensionsBounded(extensions);
  return extensions;
}

/**
 * Error: `certificate_malformed`, also for other algorithms, for unknown critical extensions, for an
 * extension that is there twice, for fields beyond limits and for bytes behind the certificate.
 */
export function parseCertificate(der: Uint8Array): Certificate {
  ensureAtMost("bytes", der.length, certificateBytesMax);
  const document = new DerReader(der);
  const outer = new DerReader(document.read(derTag.sequence));
  if (!document.atEnd) malformed("bytes behind its end");
  const part = outer.elementOf(derTag.sequence);
  const outerAlgorithm = readAlgorithm(outer);
  const bits = outer.read(derTag.bitString);
  outer.ensureAtEnd("certificate");
  if (!isEcdsaWithSha256(outerAlgorithm)) malformed("not signed with ECDSA and SHA-256");
  ensureAtMost("bytes of the signature", bits.length - 1, certificateSignatureBytesMax);

  const fields = new DerReader(part.contents);
  readVersion(fields);
  const serial = fields.readUnsigned();
  ensureAtMost("bytes of the serial", serial.length, certificateSerialBytesMax);
  const innerAlgorithm = readAlgorithm(fields);
  const issuer = readName(fields);
  const validity = parseValidity(fields.read(derTag.sequence));
  const subject = readName(fields);
  const spki = fields.elementOf(derTag.sequence).whole;
  const extensions = readExtensions(fields);
  return {
    ...readKnownExtensions(extensions),
    der,
    spki,
    publicKey: inContext("certificate", () => pointFromSpki(spki), "certificate_malformed"),
    serial,
    subject,
    issuer,
    validity,
    extensions,
    signed: readSignedPart(part, innerAlgorithm, outerAlgorithm, bits),
  };
}

/**
 * The certificates of a PEM text (RFC 7468) in order, with nothing but white space around them and
 * NUL bytes at the end. Error: `certificate_malformed`, also for more than `countMax`.
 */
export function parsePemCertificates(pem: string | Uint8Array, countMax: number): Certificate[] {
  // One character a byte, so that foreign bytes stay foreign.
  let text = typeof pem === "string" ? pem : latin1(pem);
  text = text.replace(/\0+$/, "");
  const certificates: Certificate[] = [];
  for (text = stripSpace(text); text !== ""; text = stripSpace(text)) {
    if (certificates.length === countMax) {
      malformed(`PEM: have more than ${countMax} certificates`);
    }
    if (!text.startsWith(pemBegin)) malformed("PEM: bytes between certificates");
    const end = text.indexOf(pemEnd, pemBegin.length);
    if (end < 0) malformed("PEM: certificate without an end");
    certificates.push(parsePemBlock(text.slice(pemBegin.length, end)));
    text = text.slice(end + pemEnd.length);
  }
  return certificates;
}

function latin1(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 0x8000) {
    text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  }
  return text;
}

function stripSpace(text: string): string {
  return text.replace(/^[ \t\r\n]+/, "");
}

function parsePemBlock(body: string): Certificate {
  const base64 = body.replace(/[ \t\r\n]+/g, "");
  const der = inContext("certificate: PEM", () => fromBase64(base64), "certificate_malformed");
  return parseCertificate(der);
}

/** The value of the extension with this object identifier (contents octets in hex). */
export function findExtension(certificate: Certificate, oid: string): Uint8Array | undefined {
  return certificate.extensions.find((extension) => extension.oid === oid)?.value;
}

/** May issue certificates: version 3, basic constraints say so, and the key usage does not deny it. */
export function isCa(certificate: Certificate): boolean {
  return certificate.isCa === true && allows(certificate, keyUsage.certSign);
}

/** Whether anything in a certificate could make a reader take it for a CA's. */
export function looksLikeCa(certificate: Certificate): boolean {
  if (!allows(certificate, keyUsage.certSign)) return false;
  if (certificate.isCa !== undefined) return certificate.isCa;
  return certificate.keyUsage !== undefined || certificate.isNetscapeCa;
}

/** Whether the key may be used so; without a key usage it may. */
export function allows(certificate: Certificate, usage: number): boolean {
  return certificate.keyUsage === undefined || (certificate.keyUsage & usage) !== 0;
}

/**
 * `issuer` is a CA, bears the issuer name of `subject` and has signed it. A certificate may be its
 * own issuer; then it need not be a CA. Error: `certificate_chain_invalid`.
 */
export async function verifyIssued(subject: Certificate, issuer: Certificate): Promise<void> {
  const name = displayName(subject);
  if (subject.issuer.canonical !== issuer.subject.canonical) {
    fail(
      "certificate_chain_invalid",
      `${name}: its issuer's name is not that of ${displayName(issuer)}`,
    );
  }
  if (subject !== issuer && !isCa(issuer)) {
    fail("certificate_chain_invalid", `${displayName(issuer)}: may not issue certificates`);
  }
  try {
    await verifySignedPart(subject.signed, issuer.publicKey);
  } catch (thrown) {
    if (!(thrown instanceof TeeTeeError)) throw thrown;
    fail("certificate_chain_invalid", `${name}: signature does not verify`);
  }
}

/** Error: `certificate_expired` unless it is in date. */
export function ensureInDate(certificate: Certificate, now: UnixSeconds): void {
  if (isValidAt(certificate.validity, now)) return;
  const { validity } = certificate;
  fail("certificate_expired", `${displayName(certificate)}: ${describeOutOfDate(validity, now)}`);
}

/** The subject's common name made safe to quote. */
export function displayName(certificate: Certificate): string {
  return quoteForeign(certificate.subject.commonName);
}
