// SPDX-License-Identifier: Apache-2.0
// Every field of a quote with the bytes that it stands in, for the hex view beside it.
import { parsePckChain, platformInPck } from "../../attest/pck";
import { parseQuote, type Quote, type SgxReport, type TdReport } from "../../attest/quote";
import { displayName, type Certificate } from "../../attest/x509";
import { fromUtf8, isZero, toHex } from "../../base/bytes";
import { formatUtc } from "../../base/time";
import type { FieldView } from "./views";

const signatureSizeBytes = 4;

class Fields {
  readonly list: FieldView[] = [];
  #group = "";

  constructor(private readonly whole: Uint8Array) {}

  group(name: string): this {
    this.#group = name;
    return this;
  }

  /** A field whose bytes are a view into the whole. */
  view(label: string, bytes: Uint8Array, words?: string, value = toHex(bytes)): this {
    const begin = bytes.byteOffset - this.whole.byteOffset;
    return this.at(label, begin, bytes.length, value, words);
  }

  at(label: string, begin: number, byteCount: number, value: string, words?: string): this {
    this.list.push({
      id: `${this.#group}.${label}`,
      group: this.#group,
      label,
      value,
      begin,
      end: begin + byteCount,
      ...(words === undefined ? {} : { words }),
    });
    return this;
  }

  /** What follows from other fields. */
  derived(label: string, value: string, words?: string): this {
    const id = `${this.#group}.${label}`;
    const field = { id, group: this.#group, label, value };
    this.list.push(words === undefined ? field : { ...field, words });
    return this;
  }
}

function offsetIn(whole: Uint8Array, part: Uint8Array): number {
  return part.byteOffset - whole.byteOffset;
}

function addHeader(fields: Fields, { header }: Quote): void {
  fields
    .group("Header")
    .at("version", 0, 2, String(header.version))
    .at("attestation key type", 2, 2, String(header.attestationKeyType), "ECDSA with P-256")
    .at(
      "TEE type",
      4,
      4,
      header.teeType,
      header.teeType === "TDX" ? "a trust domain" : "an enclave",
    )
    .at(header.version > 3 ? "reserved" : "QE SVN", 8, 2, String(header.qeSvn))
    .at(header.version > 3 ? "reserved 2" : "PCE SVN", 10, 2, String(header.pceSvn))
    .view("QE vendor", header.qeVendorId, "Intel's quoting enclave")
    .view("user data", header.userData);
}

const attributeBits: readonly (readonly [bit: bigint, name: string])[] = [
  [0n, "DEBUG: the host can read the memory"],
  [27n, "LASS"],
  [28n, "SEPT_VE_DISABLE"],
  [29n, "MIGRATABLE"],
  [30n, "PKS"],
  [31n, "KL"],
  [63n, "PERFMON"],
];

function attributeWords(attributes: bigint): string {
  const on = attributeBits.filter(([bit]) => (attributes >> bit) & 1n).map(([, name]) => name);
  return on.length === 0 ? "no bit is on" : `on: ${on.join(", ")}`;
}

function le64(value: bigint): string {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, value, true);
  return toHex(bytes);
}

function orZero(bytes: Uint8Array, words: string): string {
  return isZero(bytes) ? "zero: not used" : words;
}

function addTdReport(fields: Fields, whole: Uint8Array, report: TdReport): void {
  const seam = offsetIn(whole, report.mrsignerseam) + report.mrsignerseam.length;
  fields
    .group("TD report")
    .view("TEE TCB SVN", report.teeTcbSvn, "versions of the TDX module and what it stands on")
    .view("MRSEAM", report.mrseam, "the TDX module's measurement")
    .view("MRSIGNERSEAM", report.mrsignerseam, orZero(report.mrsignerseam, "signer of the module"))
    .at("SEAMATTRIBUTES", seam, 8, le64(report.seamattributes))
    .at("TDATTRIBUTES", seam + 8, 8, le64(report.tdattributes), attributeWords(report.tdattributes))
    .at("XFAM", seam + 16, 8, le64(report.xfam), "processor features that the TD may use")
    .view("MRTD", report.mrtd, "what was in the TD when it was built: the firmware")
    .view("MRCONFIGID", report.mrconfigid, orZero(report.mrconfigid, "what the host configured"))
    .view("MROWNER", report.mrowner, orZero(report.mrowner, "the TD's owner"))
    .view("MROWNERCONFIG", report.mrownerconfig, orZero(report.mrownerconfig, "by the owner"));
  const words = [
    "firmware's configuration and tables",
    "boot loader and kernel",
    "kernel's command line and first file system",
    "what the guest measured while it ran: the application",
  ];
  report.rtmr.forEach((register, i) => fields.view(`RTMR${i}`, register, words[i]));
  fields.view("report data", report.reportData, "what the TD had quoted: a statement's hash");
  if (report.since15 !== undefined) {
    const { teeTcbSvn2, mrservicetd } = report.since15;
    fields
      .view("TEE TCB SVN 2", teeTcbSvn2, "versions of the module now")
      .view("MRSERVICETD", mrservicetd, orZero(mrservicetd, "service TDs that are bound"));
  }
}

function addSgxReport(fields: Fields, group: string, whole: Uint8Array, report: SgxReport): void {
  const base = offsetIn(whole, report.cpusvn);
  fields
    .group(group)
    .view("CPUSVN", report.cpusvn)
    .at("MISCSELECT", base + 16, 4, String(report.miscselect))
    .view("attributes", report.attributes)
    .view("MRENCLAVE", report.mrenclave, "the enclave's measurement")
    .view("MRSIGNER", report.mrsigner, "who signed the enclave")
    .at("ISVPRODID", base + 256, 2, String(report.isvprodid))
    .at("ISVSVN", base + 258, 2, String(report.isvsvn))
    .view("report data", report.reportData);
}

function addSignature(fields: Fields, whole: Uint8Array, quote: Quote): void {
  const { signature, signedBytes } = quote;
  const size = quote.sizeBytes - signedBytes.length - signatureSizeBytes;
  const authAt = offsetIn(whole, signature.qeReportSignature) + 64;
  fields
    .group("Signature")
    .at("size", signedBytes.length, signatureSizeBytes, `${size} bytes`)
    .view("signature", signature.signature, "by the attestation key, over header and report")
    .view(
      "attestation key",
      signature.attestationKey,
      "P-256, x and y; made by the quoting enclave",
    );
  addSgxReport(fields, "Quoting enclave", whole, signature.qeReport);
  fields
    .view("QE report signature", signature.qeReportSignature, "by the platform's PCK key")
    .at("QE auth data size", authAt, 2, `${signature.qeAuthData.length} bytes`);
  if (signature.qeAuthData.length > 0) fields.view("QE auth data", signature.qeAuthData);
}

function describeCertificate(certificate: Certificate): string {
  const { notBefore, notAfter } = certificate.validity;
  const days = `${formatUtc(notBefore).slice(0, 10)} to ${formatUtc(notAfter).slice(0, 10)}`;
  return `${displayName(certificate)}, serial ${toHex(certificate.serial)}, ${days}`;
}

const pemEnd = "-----END CERTIFICATE-----";

/** The certificates' names, each with the bytes of its PEM. */
function addPckChain(fields: Fields, whole: Uint8Array, quote: Quote): void {
  const { pckChain } = quote.signature;
  const base = offsetIn(whole, pckChain);
  fields.group("PCK chain");
  let chain;
  let text = "";
  try {
    chain = parsePckChain(pckChain);
    text = fromUtf8(pckChain);
  } catch {
    fields.at("certificates", base, pckChain.length, `${pckChain.length} bytes of another form`);
    return;
  }
  let from = 0;
  for (const [label, certificate] of [
    ["PCK certificate", chain.leaf],
    ["issuing CA", chain.intermediate],
    ["root CA", chain.root],
  ] as const) {
    const end = text.indexOf(pemEnd, from) + pemEnd.length;
    fields.at(label, base + from, end - from, describeCertificate(certificate));
    from = end;
  }
  addPlatform(fields, chain.leaf);
}

function addPlatform(fields: Fields, leaf: Certificate): void {
  fields.group("SGX extension");
  let platform;
  try {
    platform = platformInPck(leaf);
  } catch {
    fields.derived("extension", "none that can be read");
    return;
  }
  fields
    .derived("PPID", toHex(platform.ppid), "the hardware's identity")
    .derived("FMSPC", toHex(platform.fmspc), "kind of platform, by which Intel's documents go")
    .derived("PCE-ID", toHex(platform.pceid))
    .derived("PCESVN", String(platform.pcesvn))
    .derived("CPUSVN", toHex(platform.cpusvn))
    .derived("TCB components", [...platform.tcbComponents].join(" "), "16 security versions");
  if (platform.platformInstanceId !== undefined) {
    fields.derived("platform instance", toHex(platform.platformInstanceId));
  }
}

/** In the order of the bytes. Errors: those of parseQuote. */
export function quoteFields(bytes: Uint8Array): FieldView[] {
  const quote = parseQuote(bytes);
  const fields = new Fields(bytes);
  addHeader(fields, quote);
  if (quote.report.tee === "TDX") addTdReport(fields, bytes, quote.report);
  else addSgxReport(fields, "Enclave report", bytes, quote.report);
  addSignature(fields, bytes, quote);
  addPckChain(fields, bytes, quote);
  const padding = bytes.length - quote.sizeBytes;
  if (padding > 0) {
    fields.group("Behind it").at("padding", quote.sizeBytes, padding, `${padding} bytes`);
  }
  return fields.list;
}
