// SPDX-License-Identifier: Apache-2.0
// The record of one answer, signed by the entry; src/attest/receipt.hpp.
import { isZero, utf8 } from "../base/bytes";
import { ByteWriter } from "../base/reader";
import type { UnixSeconds } from "../base/time";
import { Eip712Struct, eip712Digest, type Eip712Domain } from "./eip712";
import { sha256Sync } from "./hash";
import type { SamplingOptions } from "./sampling";
import { recordDigest, type StageRecord } from "./stageRecord";
import { samplingDigest, type Trace } from "./trace";

/** A quote made for the receipt, or the name of the error for which there is none. */
export type FreshQuote = { quote: Uint8Array } | { error: string };

/** A stage of an answer: who, with which evidence, what it signed, and the leaves behind it. */
export interface ReceiptStage {
  statement: Uint8Array;
  quote: Uint8Array;
  record: StageRecord;
  /** 65 bytes. */
  signature: Uint8Array;
  output: Trace;
  /** If the client asked for it. Not part of what is hashed. */
  freshQuote: FreshQuote | undefined;
}

/** What lets the client run the answer again. It holds the prompt. */
export interface ReceiptOpening {
  salt: Uint8Array;
  prompt: readonly number[];
  answer: readonly number[];
  sampling: SamplingOptions;
}

/** What an answer cost, in credits, and what it was paid from; all zero where it was free. */
export interface ReceiptPayment {
  /** 32 bytes. */
  voucher: Uint8Array;
  query: bigint;
  /** Of a token: prompt tokens of the prefix cache are free. */
  promptPrice: bigint;
  completionPrice: bigint;
  /** What the tokens come to, or less. */
  charged: bigint;
}

export interface Receipt {
  /** Some quote is none of real hardware. Not signed: whoever checks the receipt finds out. */
  simulated: boolean;
  chainId: bigint;
  contract: Uint8Array;
  pool: bigint;
  modelRoot: Uint8Array;
  /** 16 bytes. */
  request: Uint8Array;
  /** SHA-256 of the request's body as the client sent it, and of the answer's text in UTF-8. */
  requestHash: Uint8Array;
  answerHash: Uint8Array;
  promptTokens: number;
  /** Of these, what the prefix cache had: no stage computed them for this request. */
  cachedTokens: number;
  completionTokens: number;
  finishedAt: UnixSeconds;
  payment: ReceiptPayment;
  /** In the order of the layers. */
  stages: readonly ReceiptStage[];
  /** Tokens that the entry's layers took in. */
  input: Trace;
  opening: ReceiptOpening;
  /** 65 bytes. */
  signature: Uint8Array;
  /** The entry's, over the fresh quotes; set exactly if there are any. */
  freshSignature: Uint8Array | undefined;
}

/** Stands in every receipt whose quotes prove nothing about hardware. */
export const simulatedNotice =
  "SIMULATED: these quotes come from a development TEE and protect nothing";

export function isFree(payment: ReceiptPayment): boolean {
  return isZero(payment.voucher) && payment.query === 0n;
}

/** Nothing at all is said of payment. */
export function isWithoutPayment(payment: ReceiptPayment): boolean {
  const { promptPrice, completionPrice, charged } = payment;
  return isFree(payment) && promptPrice === 0n && completionPrice === 0n && charged === 0n;
}

/** Some stage was asked for one. */
export function hasFreshQuotes(receipt: Receipt): boolean {
  return receipt.stages.some((stage) => stage.freshQuote !== undefined);
}

export function receiptDomain(receipt: Receipt): Eip712Domain {
  return { chainId: receipt.chainId, contract: receipt.contract };
}

/**
 * What is signed of the opening: SHA-256 over the length-prefixed "teetee opening v1", salt, prompt
 * and answer (count and tokens, u32 each) and the sampling digest.
 */
export function openingDigest(opening: ReceiptOpening): Uint8Array {
  const { salt, prompt, answer, sampling } = opening;
  const out = new ByteWriter().lengthPrefixed(utf8("teetee opening v1")).bytes(salt);
  for (const tokens of [prompt, answer]) {
    out.u32(tokens.length);
    for (const token of tokens) out.u32(token);
  }
  out.bytes(samplingDigest(salt, prompt.length, sampling));
  return sha256Sync(out.view());
}

const receiptType =
  "Receipt(uint64 pool,bytes32 modelRoot,bytes16 request,bytes32 requestHash," +
  "bytes32 answerHash,bytes32 opening,uint32 promptTokens,uint32 cachedTokens," +
  "uint32 completionTokens,uint64 finishedAt,bytes32 voucher,uint64 query," +
  "uint64 promptPrice,uint64 completionPrice,uint64 charged,bytes32[] statements," +
  "bytes32[] quotes,bytes32[] records)";

/** What the entry signs (EIP-712), and what fresh quotes have as their nonce. */
export function receiptDigest(receipt: Receipt): Uint8Array {
  const domain = receiptDomain(receipt);
  const { payment, stages } = receipt;
  const fields = new Eip712Struct(receiptType)
    .integer(receipt.pool)
    .bytes32(receipt.modelRoot)
    .bytesN(receipt.request)
    .bytes32(receipt.requestHash)
    .bytes32(receipt.answerHash)
    .bytes32(openingDigest(receipt.opening))
    .integer(receipt.promptTokens)
    .integer(receipt.cachedTokens)
    .integer(receipt.completionTokens)
    .integer(receipt.finishedAt)
    .bytes32(payment.voucher)
    .integer(payment.query)
    .integer(payment.promptPrice)
    .integer(payment.completionPrice)
    .integer(payment.charged)
    .array(stages.map((stage) => sha256Sync(stage.statement)))
    .array(stages.map((stage) => sha256Sync(stage.quote)))
    .array(stages.map((stage) => recordDigest(domain, stage.record)));
  return eip712Digest(domain, fields.hash());
}

function freshQuoteDigest({ freshQuote }: ReceiptStage): Uint8Array {
  const isQuote = freshQuote !== undefined && "quote" in freshQuote;
  const out = new ByteWriter().lengthPrefixed(utf8("teetee fresh quote v1")).u8(isQuote ? 1 : 0);
  if (isQuote) out.bytes(freshQuote.quote);
  else if (freshQuote !== undefined) out.bytes(utf8(freshQuote.error));
  return sha256Sync(out.view());
}

/** What the entry signs of the fresh quotes: the receipt's digest, and of each stage its answer. */
export function freshQuotesDigest(receipt: Receipt): Uint8Array {
  const fields = new Eip712Struct("FreshQuotes(bytes32 receipt,bytes32[] stages)")
    .bytes32(receiptDigest(receipt))
    .array(receipt.stages.map(freshQuoteDigest));
  return eip712Digest(receiptDomain(receipt), fields.hash());
}
