// SPDX-License-Identifier: Apache-2.0
// PCK certificate chains and what Intel says in them of the platform ("Intel SGX PCK Certificate and
// CRL Profile Specification", section 1.3.5); src/attest/pck.hpp.
import { equal, toHex } from "../base/bytes";
import { fail } from "../base/error";
import type { UnixSeconds } from "../base/time";
import { DerReader, derTag } from "./der";
import { sha256Sync } from "./hash";
import { intelRootFingerprint, sgxExtensionOid, sgxTcbOid } from "./intel";
import {
  allows,
  ensureInDate,
  findExtension,
  looksLikeCa,
  parsePemCertificates,
  verifyIssued,
  type Certificate,
  type Validity,
} from "./x509";
import { keyUsage } from "./x509Extensions";

export interface PckPlatform {
  /** The hardware's identity, 16 bytes. */
  ppid: Uint8Array;
  /** 16 security versions. */
  tcbComponents: Uint8Array;
  pcesvn: number;
  cpusvn: Uint8Array;
  pceid: Uint8Array;
  /** 6 bytes. */
  fmspc: Uint8Array;
  /** Only on multi-package platforms. */
  platformInstanceId: Uint8Array | undefined;
}

/** The root certificates in which chains may end, pinned by the SHA-256 of their whole DER (hex). */
export interface TrustedRoots {
  fingerprints: ReadonlySet<string>;
}

export const intelRoots: TrustedRoots = { fingerprints: new Set([intelRootFingerprint]) };

/**
 * "intel" or a PEM text with exactly one certificate; what policies name roots by.
 * Error: `certificate_malformed`.
 */
export function rootFingerprint(root: string): string {
  if (root === "intel") return intelRootFingerprint;
  const [certificate] = parsePemCertificates(root, 1);
  if (certificate === undefined) {
    fail("certificate_malformed", "trusted root: have no certificate, need 1");
  }
  return toHex(sha256Sync(certificate.der));
}

export function trustRoots(roots: readonly string[]): TrustedRoots {
  return { fingerprints: new Set(roots.map(rootFingerprint)) };
}

/** The fingerprint; `root_untrusted` unless the certificate is one of the roots, byte by byte. */
export function verifyPinned(root: Certificate, roots: TrustedRoots): string {
  const fingerprint = toHex(sha256Sync(root.der));
  if (!roots.fingerprints.has(fingerprint)) {
    fail("root_untrusted", `root: have SHA-256 ${fingerprint}, need one that is pinned`);
  }
  return fingerprint;
}

/** A CA or a signer of documents, and the root that has issued its certificate. */
export interface IssuerChain {
  signer: Certificate;
  root: Certificate;
}

/** As parsed. */
export interface PckChain {
  leaf: Certificate;
  intermediate: Certificate;
  root: Certificate;
}

/**
 * Exactly leaf, intermediate and root, PEM, in this order.
 * Errors: `certificate_malformed`; `certificate_chain_invalid` on another count.
 */
export function parsePckChain(pem: Uint8Array): PckChain {
  const certificates = parsePemCertificates(pem, 3);
  const [leaf, intermediate, root] = certificates;
  if (leaf === undefined || intermediate === undefined || root === undefined) {
    fail(
      "certificate_chain_invalid",
      `PCK chain: have ${certificates.length} certificates, need 3`,
    );
  }
  return { leaf, intermediate, root };
}

function malformed(detail: string): never {
  return fail("certificate_malformed", `SGX extension: ${detail}`);
}

/** The last arc of an identifier that lies directly below `parent`. */
function arcBelow(parent: string, oid: Uint8Array): number {
  const hex = toHex(oid);
  const arc = oid[oid.length - 1];
  if (hex.length !== parent.length + 2 || !hex.startsWith(parent) || arc! >= 0x80) {
    malformed(`foreign identifier ${hex.slice(0, 32)}`);
  }
  return arc!;
}

/** Calls `onEntry` with arc and value of each {identifier, value}; each must be there once. */
function readEntries(
  der: Uint8Array,
  parent: string,
  last: number,
  onEntry: (arc: number, value: DerReader) => void,
): void {
  const entries = new DerReader(der);
  const seen = new Set<number>();
  while (!entries.atEnd) {
    const entry = new DerReader(entries.read(derTag.sequence));
    const arc = arcBelow(parent, entry.read(derTag.objectIdentifier));
    if (arc >= 64) malformed(`have entry ${arc}, need below 64`);
    if (seen.has(arc)) malformed(`entry ${arc} twice`);
    seen.add(arc);
    onEntry(arc, entry);
    if (!entry.atEnd) malformed(`bytes behind entry ${arc}`);
  }
  for (let arc = 1; arc <= last; arc++) {
    if (!seen.has(arc)) malformed(`no entry ${arc}`);
  }
}

/** 1..16 component SVNs, 17 PCESVN, 18 CPUSVN. */
function parseTcb(der: Uint8Array, platform: PckPlatform): void {
  readEntries(der, sgxTcbOid, 18, (arc, value) => {
    if (arc >= 1 && arc <= 16) {
      platform.tcbComponents[arc - 1] = value.readInteger(0xff);
    } else if (arc === 17) {
      platform.pcesvn = value.readInteger(0xffff);
    } else if (arc === 18) {
      platform.cpusvn = value.readOctets(16);
    } else {
      malformed(`foreign TCB entry ${arc}`);
    }
  });
}

/** Decodes the SGX extension's contents. Error: `certificate_malformed`. */
export function parseSgxExtension(der: Uint8Array): PckPlatform {
  const outer = new DerReader(der);
  const list = outer.read(derTag.sequence);
  if (!outer.atEnd) malformed("bytes behind its end");
  const platform: PckPlatform = {
    ppid: new Uint8Array(16),
    tcbComponents: new Uint8Array(16),
    pcesvn: 0,
    cpusvn: new Uint8Array(16),
    pceid: new Uint8Array(2),
    fmspc: new Uint8Array(6),
    platformInstanceId: undefined,
  };
  readEntries(list, sgxExtensionOid, 4, (arc, value) => {
    if (arc === 1) platform.ppid = value.readOctets(16);
    else if (arc === 2) parseTcb(value.read(derTag.sequence), platform);
    else if (arc === 3) platform.pceid = value.readOctets(2);
    else if (arc === 4) platform.fmspc = value.readOctets(6);
    else if (arc === 6) platform.platformInstanceId = value.readOctets(16);
    // SGX type, configuration, and what Intel may add: signed, and not asked about.
    else value.element();
  });
  return platform;
}

/** What a chain that verifies proves. */
export interface VerifiedPck {
  /** x || y. */
  key: Uint8Array;
  platform: PckPlatform;
  /** Hex. */
  rootFingerprint: string;
  serial: Uint8Array;
  caSerial: Uint8Array;
  /** DER. */
  caName: Uint8Array;
  caKey: Uint8Array;
  /** When all certificates of the chain are in date. */
  validity: Validity;
}

function chainInvalid(detail: string): never {
  return fail("certificate_chain_invalid", `PCK chain: ${detail}`);
}

/** Error: `certificate_malformed` for a PCK certificate without Intel's extension. */
export function platformInPck(leaf: Certificate): PckPlatform {
  const extension = findExtension(leaf, sgxExtensionOid);
  if (extension === undefined) malformed("missing in the PCK certificate");
  return parseSgxExtension(extension);
}

/**
 * Root pinned, names, signatures, CA flags and path length, validity at `now`, SGX extension. That
 * its root has issued `verifiedCa` has been verified before.
 * Errors: `root_untrusted`, `certificate_chain_invalid`, `certificate_expired`,
 * `certificate_malformed`.
 */
export async function verifyPckChain(
  chain: PckChain,
  roots: TrustedRoots,
  now: UnixSeconds,
  verifiedCa?: IssuerChain,
): Promise<VerifiedPck> {
  const { leaf, intermediate, root } = chain;
  const fingerprint = verifyPinned(root, roots);
  const caIsVerified =
    verifiedCa !== undefined &&
    equal(verifiedCa.signer.der, intermediate.der) &&
    equal(verifiedCa.root.der, root.der);
  if (!caIsVerified) await verifyIssued(intermediate, root);
  await verifyIssued(leaf, intermediate);
  if (root.pathLength === 0) chainInvalid("root has path length 0, need at least 1");
  if (looksLikeCa(leaf)) chainInvalid("leaf is a CA");
  if (!allows(leaf, keyUsage.digitalSignature)) chainInvalid("leaf may not sign");
  const validity = { ...leaf.validity };
  for (const certificate of [root, intermediate, leaf]) {
    ensureInDate(certificate, now);
    validity.notBefore = Math.max(validity.notBefore, certificate.validity.notBefore);
    validity.notAfter = Math.min(validity.notAfter, certificate.validity.notAfter);
  }
  return {
    key: leaf.publicKey,
    platform: platformInPck(leaf),
    rootFingerprint: fingerprint,
    serial: leaf.serial,
    caSerial: intermediate.serial,
    caName: intermediate.subject.der,
    caKey: intermediate.publicKey,
    validity,
  };
}
