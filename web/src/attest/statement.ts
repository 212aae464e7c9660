// SPDX-License-Identifier: Apache-2.0
// The document that a TEE binds into its quote's report data; src/attest/statement.hpp.
import { fromUtf8, sha512, utf8 } from "../base/bytes";
import { fail } from "../base/error";
import { ByteReader, ByteWriter } from "../base/reader";
import { inContext, quoteForeign } from "../base/text";
import { unixSecondsMax, type UnixSeconds } from "../base/time";
import { softwareVersionBytesMax, statementBytesMax, tlsSpkiBytesMax } from "./limits";

/** The layers [begin, end) of a model. */
export interface LayerRange {
  begin: number;
  end: number;
}

export function sameLayers(a: LayerRange, b: LayerRange): boolean {
  return a.begin === b.begin && a.end === b.end;
}

/** Who a node is, what it serves, and which keys exist only inside its TEE. */
export interface Statement {
  purpose: "node";
  /** Printable ASCII. */
  softwareVersion: string;
  chainId: bigint;
  /** 20 bytes. */
  contract: Uint8Array;
  pool: bigint;
  /** 32 bytes each. */
  modelRoot: Uint8Array;
  shardRoot: Uint8Array;
  layers: LayerRange;
  /** SHA-256 of the policy file that this node holds its peers against. */
  policyHash: Uint8Array;
  /** SubjectPublicKeyInfo of the node's TLS certificate. */
  tlsSpki: Uint8Array;
  /** X25519, 32 bytes. */
  hpkeKey: Uint8Array;
  /** The account whose key signs receipts; the node's id. 20 bytes. */
  receiptAddress: Uint8Array;
  notBefore: UnixSeconds;
  notAfter: UnixSeconds;
}

const statementTag = "teetee statement v2";
const reportDataTag = "teetee report data v1";
const purposeNode = 1;

function fieldError(field: string, have: string, need: string): never {
  return fail("invalid_argument", `${field}: have ${have}, need ${need}`);
}

/** A length-prefixed run of 1 to `most` bytes. */
function readRun(reader: ByteReader, most: number, field: string): Uint8Array {
  const byteCount = reader.u32();
  if (byteCount < 1 || byteCount > most) {
    fieldError(field, `${byteCount} bytes`, `1 to ${most}`);
  }
  return reader.bytes(byteCount);
}

function readTag(reader: ByteReader, tag: string): void {
  const have = quoteForeign(readRun(reader, tag.length, "tag"));
  if (have !== quoteForeign(tag)) fieldError("tag", have, tag);
}

function readTime(reader: ByteReader, field: string): UnixSeconds {
  const time = reader.u64();
  if (time > BigInt(unixSecondsMax)) {
    fieldError(field, String(time), `at most ${unixSecondsMax}`);
  }
  return Number(time);
}

function readPurpose(reader: ByteReader): "node" {
  const purpose = reader.u8();
  if (purpose !== purposeNode) fieldError("purpose", String(purpose), "1");
  return "node";
}

function readSoftwareVersion(reader: ByteReader): Uint8Array {
  return readRun(reader, softwareVersionBytesMax, "software_version");
}

function decodeFields(reader: ByteReader): Statement {
  readTag(reader, statementTag);
  const purpose = readPurpose(reader);
  const version = readSoftwareVersion(reader);
  const statement: Statement = {
    purpose,
    softwareVersion: "",
    chainId: reader.u64(),
    contract: reader.bytes(20),
    pool: reader.u64(),
    modelRoot: reader.bytes(32),
    shardRoot: reader.bytes(32),
    layers: { begin: reader.u32(), end: reader.u32() },
    policyHash: reader.bytes(32),
    tlsSpki: readRun(reader, tlsSpkiBytesMax, "tls_spki"),
    hpkeKey: reader.bytes(32),
    receiptAddress: reader.bytes(20),
    notBefore: readTime(reader, "not_before"),
    notAfter: readTime(reader, "not_after"),
  };
  if (reader.remaining > 0) fieldError("end", `${reader.remaining} bytes behind it`, "none");
  if (!version.every((byte) => byte >= 0x20 && byte < 0x7f)) {
    fieldError("software_version", quoteForeign(version), "printable ASCII");
  }
  statement.softwareVersion = fromUtf8(version);
  const { layers, notBefore, notAfter } = statement;
  if (layers.begin >= layers.end) {
    fieldError("layers", `${layers.begin}..${layers.end}`, "at least one layer");
  }
  if (notBefore >= notAfter) {
    fieldError("validity", `${notBefore}..${notAfter}`, "an end after its start");
  }
  return statement;
}

/**
 * Strict: every field within its limits, layers and validity not empty, nothing behind the end.
 * Error: `statement_malformed`.
 */
export function decodeStatement(encoded: Uint8Array): Statement {
  const decode = () => {
    if (encoded.length > statementBytesMax) {
      fieldError("size", `${encoded.length} bytes`, `at most ${statementBytesMax}`);
    }
    return decodeFields(new ByteReader(encoded));
  };
  return inContext("statement", decode, "statement_malformed");
}

/**
 * SHA-512 over the length-prefixed "teetee report data v1", the length-prefixed statement and, if a
 * caller asked for a fresh quote, its length-prefixed nonce.
 */
export function reportData(
  encodedStatement: Uint8Array,
  nonce: Uint8Array | undefined,
): Promise<Uint8Array> {
  const out = new ByteWriter();
  out.lengthPrefixed(utf8(reportDataTag)).lengthPrefixed(encodedStatement);
  if (nonce !== undefined) out.lengthPrefixed(nonce);
  return sha512(out.view());
}
