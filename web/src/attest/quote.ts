// SPDX-License-Identifier: Apache-2.0
// The binary quote of Intel's DCAP, little-endian: versions 4 and 5 as in appendix A.3 of Intel's
// "TDX DCAP Quote Generation Library and Quote Verification Library" reference, version 3 as in
// appendix A.4 of its "SGX ECDSA Quote Library Reference"; src/attest/quote.hpp. Parsed here,
// believed nowhere: see verify.ts.
import { equal, toHex } from "../base/bytes";
import { fail } from "../base/error";
import { ByteReader } from "../base/reader";
import { inContext } from "../base/text";
import { intelQeVendorId } from "./intel";
import { pckChainBytesMax, qeAuthDataBytesMax, quoteBytesMax } from "./limits";

/** Which kind of TEE a quote is of; collateral is of one kind too. */
export type TeeType = "SGX" | "TDX";

export interface QuoteHeader {
  version: number;
  attestationKeyType: number;
  teeType: TeeType;
  /** Reserved since version 4, as pceSvn. */
  qeSvn: number;
  pceSvn: number;
  qeVendorId: Uint8Array;
  userData: Uint8Array;
}

/** What TDX module 1.5 adds behind the TD report. */
export interface TdReportSince15 {
  teeTcbSvn2: Uint8Array;
  mrservicetd: Uint8Array;
}

/** The TD report; registers have 48 bytes. */
export interface TdReport {
  tee: "TDX";
  teeTcbSvn: Uint8Array;
  mrseam: Uint8Array;
  mrsignerseam: Uint8Array;
  seamattributes: bigint;
  tdattributes: bigint;
  xfam: bigint;
  mrtd: Uint8Array;
  mrconfigid: Uint8Array;
  mrowner: Uint8Array;
  mrownerconfig: Uint8Array;
  /** Four. */
  rtmr: readonly Uint8Array[];
  /** 64 bytes. */
  reportData: Uint8Array;
  since15: TdReportSince15 | undefined;
}

/** An enclave report: what an SGX quote is about, and with which the quoting enclave vouches. */
export interface SgxReport {
  tee: "SGX";
  cpusvn: Uint8Array;
  miscselect: number;
  attributes: Uint8Array;
  mrenclave: Uint8Array;
  mrsigner: Uint8Array;
  isvprodid: number;
  isvsvn: number;
  reportData: Uint8Array;
}

export type QuoteReport = TdReport | SgxReport;

/** Signatures are r || s, keys x || y, big-endian. */
export interface QuoteSignature {
  signature: Uint8Array;
  attestationKey: Uint8Array;
  qeReport: SgxReport;
  qeReportBytes: Uint8Array;
  qeReportSignature: Uint8Array;
  qeAuthData: Uint8Array;
  /** PEM: leaf, intermediate, root. */
  pckChain: Uint8Array;
}

export interface Quote {
  header: QuoteHeader;
  report: QuoteReport;
  /** Header and report as they came: what the attestation key signed. */
  signedBytes: Uint8Array;
  signature: QuoteSignature;
  /** From the header to the signature's end. */
  sizeBytes: number;
}

const headerBytes = 48;
const tdReport10Bytes = 584;
const tdReport15Bytes = 648;
const sgxReportBytes = 384;
/** Body type u16 and body size u32, which version 5 puts between header and body. */
const bodyDescriptorBytes = 6;

const keyTypeEcdsaP256 = 2;
const teeTypeSgx = 0x00;
const teeTypeTdx = 0x81;
const bodyType = { sgxReport: 1, tdReport10: 2, tdReport15: 3 } as const;
const certification = { pckChain: 5, qeReport: 6 } as const;

function wrong(code: string, component: string, have: number, need: string): never {
  return fail(code, `${component}: have ${have}, need ${need}`);
}

/** The next bytes, or an error that says which component they should have been. */
function take(reader: ByteReader, byteCount: number, component: string): Uint8Array {
  return inContext(component, () => reader.bytes(byteCount), "quote_malformed");
}

function parseHeader(reader: ByteReader): QuoteHeader {
  const part = new ByteReader(take(reader, headerBytes, "header"));
  const version = part.u16();
  const attestationKeyType = part.u16();
  const teeType = part.u32();
  const qeSvn = part.u16();
  const pceSvn = part.u16();
  const qeVendorId = part.bytes(16);
  const userData = part.bytes(20);
  if (version < 3 || version > 5) {
    wrong("quote_unsupported", "header.version", version, "3, 4 or 5");
  }
  if (teeType !== teeTypeSgx && (version === 3 || teeType !== teeTypeTdx)) {
    const need = version === 3 ? "0 (SGX)" : "0 (SGX) or 129 (TDX)";
    wrong("quote_unsupported", "header.tee_type", teeType, need);
  }
  if (attestationKeyType !== keyTypeEcdsaP256) {
    wrong("quote_unsupported", "header.attestation_key_type", attestationKeyType, "2");
  }
  if (!equal(qeVendorId, intelQeVendorId)) {
    fail(
      "quote_unsupported",
      `header.qe_vendor_id: have ${toHex(qeVendorId)}, need ${toHex(intelQeVendorId)}`,
    );
  }
  const tee = teeType === teeTypeSgx ? "SGX" : "TDX";
  return { version, attestationKeyType, teeType: tee, qeSvn, pceSvn, qeVendorId, userData };
}

/** Until version 4 the TEE says which report follows; version 5 names its type and size. */
function parseBodySize(reader: ByteReader, header: QuoteHeader): number {
  const sgx = header.teeType === "SGX";
  if (header.version < 5) return sgx ? sgxReportBytes : tdReport10Bytes;
  const part = new ByteReader(take(reader, bodyDescriptorBytes, "body descriptor"));
  const type = part.u16();
  const bodyBytes = part.u32();
  const ofTee = sgx
    ? type === bodyType.sgxReport
    : type === bodyType.tdReport10 || type === bodyType.tdReport15;
  if (!ofTee) {
    wrong(
      "quote_unsupported",
      "body.type",
      type,
      sgx ? "1 of an SGX quote" : "2 or 3 of a TDX quote",
    );
  }
  const tdBytes = type === bodyType.tdReport10 ? tdReport10Bytes : tdReport15Bytes;
  const need = sgx ? sgxReportBytes : tdBytes;
  if (bodyBytes !== need) wrong("quote_malformed", "body.size", bodyBytes, String(need));
  return need;
}

function decodeTdReport(body: Uint8Array): TdReport {
  const part = new ByteReader(body);
  const register = () => part.bytes(48);
  return {
    tee: "TDX",
    teeTcbSvn: part.bytes(16),
    mrseam: register(),
    mrsignerseam: register(),
    seamattributes: part.u64(),
    tdattributes: part.u64(),
    xfam: part.u64(),
    mrtd: register(),
    mrconfigid: register(),
    mrowner: register(),
    mrownerconfig: register(),
    rtmr: [register(), register(), register(), register()],
    reportData: part.bytes(64),
    since15:
      body.length === tdReport15Bytes
        ? { teeTcbSvn2: part.bytes(16), mrservicetd: register() }
        : undefined,
  };
}

function decodeSgxReport(body: Uint8Array): SgxReport {
  const at = (offset: number, byteCount: number) => body.subarray(offset, offset + byteCount);
  return {
    tee: "SGX",
    cpusvn: at(0, 16),
    miscselect: new ByteReader(at(16, 4)).u32(),
    attributes: at(48, 16),
    mrenclave: at(64, 32),
    mrsigner: at(128, 32),
    isvprodid: new ByteReader(at(256, 2)).u16(),
    isvsvn: new ByteReader(at(258, 2)).u16(),
    reportData: at(320, 64),
  };
}

/** Type, size, bytes; it is always the last thing in what encloses it. */
function parseCertificationData(part: Uint8Array, typeNeeded: number): Uint8Array {
  const reader = new ByteReader(part);
  const head = new ByteReader(take(reader, 6, "certification data"));
  const type = head.u16();
  const dataBytes = head.u32();
  if (type !== typeNeeded) {
    wrong("quote_unsupported", "certification data type", type, String(typeNeeded));
  }
  if (dataBytes !== reader.remaining) {
    wrong("quote_malformed", "certification data size", dataBytes, String(reader.remaining));
  }
  return reader.rest();
}

type QeCertification = Omit<QuoteSignature, "signature" | "attestationKey">;

/** QE report, its signature, auth data and PCK chain, up to the end. */
function parseQeCertification(part: Uint8Array): QeCertification {
  const reader = new ByteReader(part);
  const qeReportBytes = take(reader, sgxReportBytes, "QE report");
  const qeReportSignature = take(reader, 64, "QE report signature");
  const authBytes = new ByteReader(take(reader, 2, "QE auth data size")).u16();
  if (authBytes > qeAuthDataBytesMax) {
    wrong("quote_malformed", "QE auth data size", authBytes, `at most ${qeAuthDataBytesMax}`);
  }
  const qeAuthData = take(reader, authBytes, "QE auth data");
  const pckChain = parseCertificationData(reader.rest(), certification.pckChain);
  if (pckChain.length > pckChainBytesMax) {
    wrong("quote_malformed", "PCK chain size", pckChain.length, `at most ${pckChainBytesMax}`);
  }
  return {
    qeReport: decodeSgxReport(qeReportBytes),
    qeReportBytes,
    qeReportSignature,
    qeAuthData,
    pckChain,
  };
}

function parseSignature(part: Uint8Array, version: number): QuoteSignature {
  const reader = new ByteReader(part);
  const keys = take(reader, 128, "signature and attestation key");
  const rest = reader.rest();
  // Since version 4 it lies in an envelope of its own.
  const certified = version > 3 ? parseCertificationData(rest, certification.qeReport) : rest;
  return {
    signature: keys.subarray(0, 64),
    attestationKey: keys.subarray(64),
    ...parseQeCertification(certified),
  };
}

/**
 * A quote of version 3 (SGX), 4 or 5 (TDX with a report of 1.0 or 1.5, or SGX) with an ECDSA P-256
 * key and a PEM certificate chain. Bytes behind the signature part are dropped: platforms pad their
 * buffers. Errors: `quote_malformed`, `quote_unsupported` (other versions, TEEs, keys, certification
 * data).
 */
export function parseQuote(bytes: Uint8Array): Quote {
  if (bytes.length > quoteBytesMax) {
    wrong("quote_malformed", "quote size", bytes.length, `at most ${quoteBytesMax}`);
  }
  const reader = new ByteReader(bytes);
  const header = parseHeader(reader);
  const bodyBytes = parseBodySize(reader, header);
  const body = take(reader, bodyBytes, "report");
  const report = header.teeType === "SGX" ? decodeSgxReport(body) : decodeTdReport(body);
  const signedBytes = bytes.subarray(0, reader.position);
  const signatureBytes = new ByteReader(take(reader, 4, "signature size")).u32();
  const signaturePart = take(reader, signatureBytes, "signature");
  const signature = parseSignature(signaturePart, header.version);
  return { header, report, signedBytes, signature, sizeBytes: reader.position };
}
