// SPDX-License-Identifier: Apache-2.0
// Extensions of certificates and lists (RFC 5280, section 4.2), as far as they are understood here.
import { toHex } from "../base/bytes";
import { fail } from "../base/error";
import { DerReader, derTag, isNestedDer } from "./der";
import { certificateExtensionBytesMax, certificateExtensionsMax } from "./limits";

export interface Extension {
  /** Contents octets of the object identifier, in hex. */
  oid: string;
  critical: boolean;
  value: Uint8Array;
}

/** What a key may be used for; the bits of a key usage. */
export const keyUsage = { digitalSignature: 0x80, certSign: 0x04, crlSign: 0x02 } as const;

export interface KnownExtensions {
  /** Undefined where there are no basic constraints. */
  isCa: boolean | undefined;
  /** Undefined for no limit. */
  pathLength: number | undefined;
  /** Undefined where there is no key usage: then every use is allowed. */
  keyUsage: number | undefined;
  /** Netscape's certificate type names some kind of CA. */
  isNetscapeCa: boolean;
}

const oid = {
  subjectKeyId: "551d0e",
  keyUsage: "551d0f",
  subjectAltName: "551d11",
  basicConstraints: "551d13",
  nameConstraints: "551d1e",
  crlDistributionPoints: "551d1f",
  certificatePolicies: "551d20",
  policyMappings: "551d21",
  authorityKeyId: "551d23",
  policyConstraints: "551d24",
  extendedKeyUsage: "551d25",
  inhibitAnyPolicy: "551d36",
  netscapeCertType: "6086480186f8420101",
  noOcspCheck: "2b0601050507300105",
} as const;

/** Those that may be critical: what they say is either looked at here, or narrows nothing here. */
const supportedCritical: ReadonlySet<string> = new Set([
  oid.keyUsage,
  oid.subjectAltName,
  oid.basicConstraints,
  oid.nameConstraints,
  oid.crlDistributionPoints,
  oid.certificatePolicies,
  oid.policyMappings,
  oid.policyConstraints,
  oid.extendedKeyUsage,
  oid.inhibitAnyPolicy,
  oid.netscapeCertType,
  oid.noOcspCheck,
]);

/** Those of which the value is one SEQUENCE, and the tags of what may stand in it. */
const sequences: ReadonlyMap<string, readonly number[]> = new Map([
  [oid.subjectAltName, [0xa0, 0x81, 0x82, 0xa3, 0xa4, 0xa5, 0x86, 0x87, 0x88]],
  [oid.nameConstraints, [0xa0, 0xa1]],
  [oid.crlDistributionPoints, [derTag.sequence]],
  [oid.authorityKeyId, [0x80, 0xa1, 0x82]],
  [oid.extendedKeyUsage, [derTag.objectIdentifier]],
]);

const netscapeAnyCa = 0x07;

function malformed(detail: string): never {
  return fail("certificate_malformed", `certificate: ${detail}`);
}

/** The contents of a SEQUENCE OF Extension. Error: `certificate_malformed`. */
export function parseExtensions(contents: Uint8Array): Extension[] {
  const reader = new DerReader(contents);
  const extensions: Extension[] = [];
  while (!reader.atEnd) {
    const fields = new DerReader(reader.read(derTag.sequence));
    const name = toHex(fields.readOid());
    let critical = false;
    if (fields.peekTag() === derTag.boolean) {
      const flag = fields.read(derTag.boolean);
      if (flag.length !== 1) malformed("extension: have another flag");
      critical = flag[0] !== 0;
    }
    const value = fields.read(derTag.octetString);
    fields.ensureAtEnd("extension");
    extensions.push({ oid: name, critical, value });
  }
  return extensions;
}

/** Their number and sizes, and none twice: two readers could choose different ones. */
export function ensureExtensionsBounded(extensions: readonly Extension[]): void {
  if (extensions.length > certificateExtensionsMax) {
    malformed(`extensions: have ${extensions.length}, need at most ${certificateExtensionsMax}`);
  }
  const seen = new Set<string>();
  for (const extension of extensions) {
    if (extension.value.length > certificateExtensionBytesMax) {
      malformed(
        `bytes of an extension: have ${extension.value.length}, ` +
          `need at most ${certificateExtensionBytesMax}`,
      );
    }
    if (seen.has(extension.oid)) malformed(`extension twice: ${extension.oid.slice(0, 32)}`);
    seen.add(extension.oid);
  }
}

/** The bits of a BIT STRING's first two bytes, the second one above the first. */
function parseBits(der: Uint8Array): number {
  const reader = new DerReader(der);
  const contents = reader.read(derTag.bitString);
  reader.ensureAtEnd("bits");
  const [unused, ...bits] = contents.subarray(0, 3);
  if (unused === undefined || unused > 7 || (contents.length === 1 && unused !== 0)) {
    malformed("extensions not readable");
  }
  const mask = 0xff & (0xff << unused);
  if (contents.length === 2) bits[0]! &= mask;
  if (contents.length === 3) bits[1]! &= mask;
  return (bits[0] ?? 0) | ((bits[1] ?? 0) << 8);
}

function parseBasicConstraints(der: Uint8Array, out: KnownExtensions): void {
  const outer = new DerReader(der);
  const fields = new DerReader(outer.read(derTag.sequence));
  outer.ensureAtEnd("basic constraints");
  out.isCa = false;
  if (fields.peekTag() === derTag.boolean) {
    const flag = fields.read(derTag.boolean);
    if (flag.length !== 1) malformed("extensions not readable");
    out.isCa = flag[0] !== 0;
  }
  if (!fields.atEnd) {
    const length = fields.readUnsigned();
    if (length.length > 4) malformed("extensions not readable");
    out.pathLength = length.reduce((value, byte) => value * 256 + byte, 0);
  }
  fields.ensureAtEnd("basic constraints");
}

/** One element with this tag, with elements of these tags in it where they are named. */
function ensureOne(tag: number, der: Uint8Array, inner?: readonly number[]): void {
  const reader = new DerReader(der);
  const contents = new DerReader(reader.read(tag));
  reader.ensureAtEnd("extension");
  if (tag === derTag.sequence && !isNestedDer(der)) malformed("extensions not readable");
  while (inner !== undefined && !contents.atEnd) {
    if (!inner.includes(contents.element().tag)) malformed("extensions not readable");
  }
}

/** Error: `certificate_malformed`, also for an unknown critical extension. */
export function readKnownExtensions(extensions: readonly Extension[]): KnownExtensions {
  const out: KnownExtensions = {
    isCa: undefined,
    pathLength: undefined,
    keyUsage: undefined,
    isNetscapeCa: false,
  };
  for (const extension of extensions) {
    if (extension.critical && !supportedCritical.has(extension.oid)) {
      malformed("unknown critical extension");
    }
    if (extension.oid === oid.basicConstraints) parseBasicConstraints(extension.value, out);
    if (extension.oid === oid.keyUsage) {
      out.keyUsage = parseBits(extension.value);
      if (out.keyUsage === 0) malformed("extensions not readable");
    }
    if (extension.oid === oid.netscapeCertType) {
      out.isNetscapeCa = (parseBits(extension.value) & netscapeAnyCa) !== 0;
    }
    if (extension.oid === oid.subjectKeyId) ensureOne(derTag.octetString, extension.value);
    const inner = sequences.get(extension.oid);
    if (inner !== undefined) ensureOne(derTag.sequence, extension.value, inner);
  }
  return out;
}
