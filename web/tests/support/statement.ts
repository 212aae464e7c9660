// SPDX-License-Identifier: Apache-2.0
import { getAddress, keccak256, type Address, type Hex, toHex as viemHex } from "viem";
import {
  concat,
  equal,
  fromBase64,
  fromUtf8,
  sha256,
  sha512,
  toHex,
  utf8,
} from "../../src/base/bytes";
import { fail } from "../../src/base/error";
import { prefixed, FieldReader, u32, u64 } from "../../src/sealed/fields";
import type {
  QuoteFacts,
  RouteEvidence,
  RouteVerifier,
  StatementFacts,
  VerifiedNode,
  VerifiedRoute,
} from "../../src/client/routeVerifier";

// Statements, and a verifier that takes every quote's word (none of Intel's signatures is looked
// at): enough to see that what `client` fetches, passes on and holds together is right. Bindings are
// checked: report data, nonce, layers, manifest, dates.

const tag = "teetee statement v2";
const reportTag = "teetee report data v1";

export interface StatementParts extends StatementFacts {
  readonly tlsSpki: Uint8Array;
  readonly hpkeKey: Uint8Array;
}

const bytesOf = (hex: string) => Uint8Array.from(Buffer.from(hex.replace(/^0x/, ""), "hex"));

export function encodeStatement(one: StatementParts): Uint8Array<ArrayBuffer> {
  return concat(
    prefixed(utf8(tag)),
    new Uint8Array([1]),
    prefixed(utf8(one.softwareVersion)),
    u64(Number(one.chainId)),
    bytesOf(one.contract),
    u64(Number(one.pool)),
    bytesOf(one.modelRoot),
    bytesOf(one.shardRoot),
    u32(one.layers.begin),
    u32(one.layers.end),
    bytesOf(one.policyHash),
    prefixed(one.tlsSpki),
    one.hpkeKey,
    bytesOf(one.receiptAddress),
    u64(one.notBefore),
    u64(one.notAfter),
  );
}

export function decodeStatement(encoded: Uint8Array): StatementParts {
  const reader = new FieldReader(encoded);
  const hex = (bytes: Uint8Array): Hex => `0x${toHex(bytes)}`;
  const address = (): Address => getAddress(hex(reader.take(20, "address")));
  if (fromUtf8(reader.prefixed("tag")) !== tag) fail("statement_malformed", "statement: tag");
  if (reader.take(1, "purpose")[0] !== 1) fail("statement_malformed", "statement: purpose");
  return {
    softwareVersion: fromUtf8(reader.prefixed("version")),
    chainId: BigInt(reader.u64("chain id")),
    contract: address(),
    pool: BigInt(reader.u64("pool")),
    modelRoot: hex(reader.take(32, "model root")),
    shardRoot: hex(reader.take(32, "shard root")),
    layers: { begin: reader.u32("layers"), end: reader.u32("layers") },
    policyHash: hex(reader.take(32, "policy hash")),
    tlsSpki: reader.prefixed("tls spki"),
    hpkeKey: reader.take(32, "hpke key"),
    receiptAddress: address(),
    notBefore: reader.u64("not before"),
    notAfter: reader.u64("not after"),
  };
}

export async function reportData(statement: Uint8Array, nonce?: Uint8Array): Promise<Uint8Array> {
  const parts = [prefixed(utf8(reportTag)), prefixed(statement)];
  return sha512(concat(...parts, ...(nonce ? [prefixed(nonce)] : [])));
}

/** Where the TD report begins in a quote of version 4, and where its fields are in it. */
const reportAt = 48;
const reportDataAt = reportAt + 520;

/** Something as long as a quote, with nothing in it but report data. */
export async function bareQuote(
  statement: Uint8Array,
  nonce?: Uint8Array,
): Promise<Uint8Array<ArrayBuffer>> {
  const quote = new Uint8Array(reportAt + 584);
  quote.set(await reportData(statement, nonce), reportDataAt);
  return quote;
}

function quoteFacts(quote: Uint8Array): QuoteFacts {
  if (quote.length < reportAt + 584) fail("quote_malformed", "quote: too short");
  const at = (offset: number, length: number) =>
    quote.slice(reportAt + offset, reportAt + offset + length);
  const mrconfigid = at(184, 48);
  const isConfigured = mrconfigid.some((byte) => byte !== 0);
  const measurement = keccak256(
    concat(
      new Uint8Array([isConfigured ? 2 : 1]),
      at(120, 8),
      at(136, 48),
      at(328, 144),
      isConfigured ? mrconfigid : at(472, 48),
    ),
  );
  return { reportData: quote.slice(reportDataAt, reportDataAt + 64), measurement };
}

interface ManifestView {
  readonly name: string;
  readonly model_root: string;
  readonly layer_count: number;
  readonly shards: readonly { layer_begin: number; layer_end: number; root: string }[];
}

async function verifiedNode(
  statement: Uint8Array,
  quote: Uint8Array,
  about: Omit<RouteEvidence, "attestation" | "nonce">,
  nonce?: Uint8Array,
): Promise<VerifiedNode> {
  const facts = decodeStatement(statement);
  const { reportData: have, measurement } = quoteFacts(quote);
  if (!equal(have, await reportData(statement, nonce))) {
    fail("report_data_mismatch", "report data: of another statement or nonce");
  }
  const manifest = JSON.parse(fromUtf8(about.manifest)) as ManifestView;
  const { expectation, now } = about;
  if (now + 120 < facts.notBefore || now > facts.notAfter + 120) {
    fail("statement_expired", "statement: not in date");
  }
  const policyHash = `0x${toHex(await sha256(about.policy))}`;
  const isExpected =
    facts.policyHash === policyHash &&
    facts.modelRoot === `0x${manifest.model_root}` &&
    facts.pool === expectation.pool &&
    facts.chainId === BigInt(expectation.deployment?.chainId ?? 0) &&
    (!expectation.modelRoot || expectation.modelRoot === facts.modelRoot);
  if (!isExpected) fail("statement_mismatch", "statement: of another network");
  const isShard = manifest.shards.some(
    (shard) =>
      shard.layer_begin === facts.layers.begin &&
      shard.layer_end === facts.layers.end &&
      `0x${shard.root}` === facts.shardRoot,
  );
  if (!isShard) fail("shard_rejected", "shard: none of the manifest's");
  return {
    receiptKey: facts.receiptAddress,
    layers: facts.layers,
    shardRoot: facts.shardRoot,
    hpkeKey: facts.hpkeKey,
    statementHash: await sha256(statement),
    notBefore: facts.notBefore,
    notAfter: facts.notAfter,
    softwareVersion: facts.softwareVersion,
    isSimulated: true,
    tcbStatus: "UpToDate",
    advisories: [],
    measurement,
    checks: [],
    statement,
    quote,
  };
}

async function verifyRoute(evidence: RouteEvidence): Promise<VerifiedRoute> {
  const body = JSON.parse(fromUtf8(evidence.attestation)) as {
    nodes: { statement: string; quote: string }[];
  };
  const nodes: VerifiedNode[] = [];
  for (const shown of body.nodes) {
    const nonce = nodes.length === 0 ? evidence.nonce : undefined;
    const statement = fromBase64(shown.statement);
    nodes.push(await verifiedNode(statement, fromBase64(shown.quote), evidence, nonce));
  }
  const manifest = JSON.parse(fromUtf8(evidence.manifest)) as ManifestView;
  let end = 0;
  let last: string | undefined;
  for (const { layers } of nodes) {
    const text = `${layers.begin}-${layers.end}`;
    if (layers.begin !== end && text !== last)
      fail("shard_rejected", "the route leaves out layers");
    ({ end } = layers);
    last = text;
  }
  const [entry, ...others] = nodes;
  if (!entry || end !== manifest.layer_count) {
    return fail("shard_rejected", "the route leaves out layers");
  }
  return {
    nodes: [entry, ...others],
    isSimulated: true,
    modelRoot: `0x${manifest.model_root}`,
    modelName: manifest.name,
    layerCount: manifest.layer_count,
    policyHash: viemHex(await sha256(evidence.policy)),
  };
}

/** For development evidence only: no signature of a quote is verified. */
export const trustingVerifier: RouteVerifier = {
  verifyRoute,
  verifyNode: ({ statement, quote, ...about }) => verifiedNode(statement, quote, about),
  decodeStatement,
  parseQuote: async (quote) => quoteFacts(quote),
  reportData,
};
