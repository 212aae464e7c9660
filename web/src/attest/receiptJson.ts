// SPDX-License-Identifier: Apache-2.0
// The one encoding of a receipt, the file that a client keeps (docs/receipts.md);
// src/attest/receipt_json.hpp. Two texts never stand for the same receipt.
import { fromUtf8, toBase64, toHex } from "../base/bytes";
import { isErrorCode } from "../base/errorCodes";
import { fail } from "../base/error";
import { JsonNumber, isJsonArray, parseJson, type JsonValue } from "../base/json";
import { inContext, quoteForeign } from "../base/text";
import { unixSecondsMax } from "../base/time";
import { JsonMembers } from "./jsonMembers";
import {
  errorNameBytesMax,
  quoteBytesMax,
  receiptBytesMax,
  receiptJsonDepthMax,
  receiptPositionsMax,
  receiptStagesMax,
  statementBytesMax,
} from "./limits";
import {
  hasFreshQuotes,
  isWithoutPayment,
  simulatedNotice,
  type FreshQuote,
  type Receipt,
  type ReceiptOpening,
  type ReceiptPayment,
  type ReceiptStage,
} from "./receipt";
import {
  activationFormats,
  constraintBytesMax,
  constraintKinds,
  ensureSampling,
  logitBiasCountMax,
  type ActivationFormat,
  type LogitBias,
  type Pooling,
  type SamplingOptions,
} from "./sampling";
import type { LayerRange } from "./statement";
import { u16Max, u32Max } from "./tcbInfo";
import { Trace, type TraceDigest } from "./trace";

/** 2: sampling has answer_given and activations. 3: what it cost. */
const receiptVersion = 3;
const malformed = "receipt_malformed";
const leafBytes = 32;

/** A member of an object under construction: its key and its JSON. */
type Member = readonly [key: string, json: string];

function objectText(members: readonly (Member | undefined)[]): string {
  const present = members.filter((member) => member !== undefined);
  return `{${present.map(([key, json]) => `"${key}":${json}`).join(",")}}`;
}

function hexText(bytes: Uint8Array): string {
  return `"0x${toHex(bytes)}"`;
}

function base64Text(bytes: Uint8Array): string {
  return `"${toBase64(bytes)}"`;
}

function bigText(value: bigint): string {
  return `"${value}"`;
}

/** Shortest digits, always with an exponent: 0.7 is 7E-1, 1 is 1E0. */
export function floatText(value: number): string {
  const text = value.toExponential().replace("e+", "E").replace("e", "E");
  return Object.is(value, -0) ? `-${text}` : text;
}

function digestText({ begin, end, digest }: TraceDigest): string {
  return objectText([
    ["begin", `${begin}`],
    ["end", `${end}`],
    ["digest", hexText(digest)],
  ]);
}

function freshQuoteMember(freshQuote: FreshQuote | undefined): Member | undefined {
  if (freshQuote === undefined) return undefined;
  return "quote" in freshQuote
    ? ["fresh_quote", base64Text(freshQuote.quote)]
    : ["fresh_quote_error", `"${freshQuote.error}"`];
}

function stageText(stage: ReceiptStage): string {
  const { record } = stage;
  return objectText([
    ["statement", base64Text(stage.statement)],
    ["quote", base64Text(stage.quote)],
    ["epoch", `${record.epoch}`],
    ["shard_root", hexText(record.shardRoot)],
    ["layers", `[${record.layers.begin},${record.layers.end}]`],
    ["sampling", hexText(record.sampling)],
    ["input", digestText(record.input)],
    ["output", digestText(record.output)],
    ["output_leaves", base64Text(stage.output.leaves)],
    ["signature", hexText(stage.signature)],
    freshQuoteMember(stage.freshQuote),
  ]);
}

function samplingText(s: SamplingOptions): string {
  const bias = s.logitBias.map(({ token, bias: value }) => `[${token},${floatText(value)}]`);
  return objectText([
    ["temperature", floatText(s.temperature)],
    ["top_k", `${s.topK}`],
    ["top_p", floatText(s.topP)],
    ["seed", bigText(s.seed)],
    ["min_p", floatText(s.minP)],
    ["typical_p", floatText(s.typicalP)],
    ["repetition_penalty", floatText(s.repetitionPenalty)],
    ["repetition_window", `${s.repetitionWindow}`],
    ["presence_penalty", floatText(s.presencePenalty)],
    ["frequency_penalty", floatText(s.frequencyPenalty)],
    ["logit_bias", `[${bias.join(",")}]`],
    ["logprobs", `${s.logprobs}`],
    ["top_logprobs", `${s.topLogprobs}`],
    ["constraint_kind", `${s.constraintKind}`],
    ["constraint", JSON.stringify(s.constraint)],
    ["answer_given", `${s.answerGiven}`],
    ["activations", `"${s.activations}"`],
    s.pooling === "none" ? undefined : ["pooling", `"${s.pooling}"`],
  ]);
}

function openingText({ salt, prompt, answer, sampling }: ReceiptOpening): string {
  return objectText([
    ["salt", hexText(salt)],
    ["prompt", `[${prompt.join(",")}]`],
    ["answer", `[${answer.join(",")}]`],
    ["sampling", samplingText(sampling)],
  ]);
}

function paymentText(payment: ReceiptPayment): string {
  return objectText([
    ["voucher", hexText(payment.voucher)],
    ["query", bigText(payment.query)],
    ["prompt_price", bigText(payment.promptPrice)],
    ["completion_price", bigText(payment.completionPrice)],
    ["charged", bigText(payment.charged)],
  ]);
}

export function encodeReceipt(receipt: Receipt): string {
  const { payment, freshSignature } = receipt;
  return objectText([
    ["version", `${receiptVersion}`],
    receipt.simulated ? ["notice", `"${simulatedNotice}"`] : undefined,
    ["chain_id", bigText(receipt.chainId)],
    ["contract", hexText(receipt.contract)],
    ["pool", bigText(receipt.pool)],
    ["model_root", hexText(receipt.modelRoot)],
    ["request", hexText(receipt.request)],
    ["request_hash", hexText(receipt.requestHash)],
    ["answer_hash", hexText(receipt.answerHash)],
    ["prompt_tokens", `${receipt.promptTokens}`],
    ["cached_tokens", `${receipt.cachedTokens}`],
    ["completion_tokens", `${receipt.completionTokens}`],
    ["finished_at", `${receipt.finishedAt}`],
    isWithoutPayment(payment) ? undefined : ["payment", paymentText(payment)],
    ["input_begin", `${receipt.input.begin}`],
    ["input_leaves", base64Text(receipt.input.leaves)],
    ["stages", `[${receipt.stages.map(stageText).join(",")}]`],
    ["opening", openingText(receipt.opening)],
    ["signature", hexText(receipt.signature)],
    freshSignature === undefined ? undefined : ["fresh_signature", hexText(freshSignature)],
  ]);
}

function readDigest(parent: JsonMembers, key: string): TraceDigest {
  const from = parent.object(key);
  const begin = from.number("begin", receiptPositionsMax);
  const end = from.number("end", receiptPositionsMax);
  const digest = from.hex("digest", 32);
  from.ensureRead();
  if (begin > end) from.wrong("end", "a place before begin", "one behind it");
  return { begin, end, digest };
}

function readTrace(from: JsonMembers, key: string, begin: number): Trace {
  const bytes = from.base64(key, leafBytes * receiptPositionsMax);
  if (bytes.length % leafBytes !== 0) {
    from.wrong(key, `${bytes.length} bytes`, "a multiple of 32");
  }
  return new Trace(begin, bytes);
}

function readLayers(from: JsonMembers): LayerRange {
  const pair = from.array("layers", 2).map((value) => from.numberOf(value, "layers", u16Max));
  const [begin, end] = pair;
  if (begin === undefined || end === undefined || begin >= end) {
    return from.wrong("layers", "another range", "[first, behind the last]");
  }
  return { begin, end };
}

/** One of two members, or none of them. */
function readFreshQuote(from: JsonMembers): FreshQuote | undefined {
  if (from.has("fresh_quote")) return { quote: from.base64("fresh_quote", quoteBytesMax) };
  if (!from.has("fresh_quote_error")) return undefined;
  const error = from.text("fresh_quote_error", errorNameBytesMax);
  if (!isErrorCode(error)) {
    from.wrong("fresh_quote_error", quoteForeign(error), "an error's name");
  }
  return { error };
}

/** What the receipt says of all its stages. */
interface Shared {
  request: Uint8Array;
  modelRoot: Uint8Array;
}

function readStage(value: JsonValue, shared: Shared): ReceiptStage {
  const from = new JsonMembers(value, "stages", malformed);
  const statement = from.base64("statement", statementBytesMax);
  const quote = from.base64("quote", quoteBytesMax);
  const record = {
    ...shared,
    epoch: from.number("epoch", u32Max),
    shardRoot: from.hex("shard_root", 32),
    layers: readLayers(from),
    sampling: from.hex("sampling", 32),
    input: readDigest(from, "input"),
    output: readDigest(from, "output"),
  };
  const output = readTrace(from, "output_leaves", record.output.begin);
  const signature = from.hex("signature", 65);
  const freshQuote = readFreshQuote(from);
  from.ensureRead();
  return { statement, quote, record, signature, output, freshQuote };
}

function readTokens(from: JsonMembers, key: string): number[] {
  const tokens = from.array(key, receiptPositionsMax);
  return tokens.map((token) => from.numberOf(token, key, u32Max));
}

function readBias(from: JsonMembers): LogitBias[] {
  const key = "logit_bias";
  return from.array(key, logitBiasCountMax).map((entry) => {
    const [token, bias, ...more] = isJsonArray(entry) ? entry : [];
    if (!(token instanceof JsonNumber) || !(bias instanceof JsonNumber) || more.length > 0) {
      return from.wrong(key, "something else", "pairs of token and number");
    }
    return { token: from.numberOf(token, key, u32Max), bias: from.floatOf(bias, key) };
  });
}

function readActivations(from: JsonMembers): ActivationFormat {
  const name = from.text("activations", 8);
  const format = activationFormats.find((one) => one === name);
  return format ?? from.wrong("activations", quoteForeign(name), "f32, f16 or q8");
}

function readPooling(from: JsonMembers): Pooling {
  if (!from.has("pooling")) return "none";
  const name = from.text("pooling", 8);
  if (name === "mean" || name === "last") return name;
  return from.wrong("pooling", quoteForeign(name), "mean or last");
}

function readSampling(parent: JsonMembers): SamplingOptions {
  const from = parent.object("sampling");
  const sampling: SamplingOptions = {
    temperature: from.float("temperature"),
    topK: from.number("top_k", u32Max),
    topP: from.float("top_p"),
    seed: from.bigNumber("seed"),
    minP: from.float("min_p"),
    typicalP: from.float("typical_p"),
    repetitionPenalty: from.float("repetition_penalty"),
    repetitionWindow: from.number("repetition_window", u32Max),
    presencePenalty: from.float("presence_penalty"),
    frequencyPenalty: from.float("frequency_penalty"),
    logitBias: readBias(from),
    logprobs: from.flag("logprobs"),
    topLogprobs: from.number("top_logprobs", u32Max),
    constraintKind: from.number("constraint_kind", constraintKinds.length - 1),
    constraint: from.text("constraint", constraintBytesMax),
    answerGiven: from.number("answer_given", u32Max),
    activations: readActivations(from),
    pooling: readPooling(from),
  };
  from.ensureRead();
  inContext("receipt.opening.sampling", () => ensureSampling(sampling), malformed);
  return sampling;
}

function readOpening(parent: JsonMembers): ReceiptOpening {
  const from = parent.object("opening");
  const opening = {
    salt: from.hex("salt", 32),
    prompt: readTokens(from, "prompt"),
    answer: readTokens(from, "answer"),
    sampling: readSampling(from),
  };
  const given = opening.sampling.answerGiven;
  if (given > opening.prompt.length) {
    from.wrong("answer_given", String(given), "no more than the prompt");
  }
  from.ensureRead();
  return opening;
}

function readPayment(parent: JsonMembers): ReceiptPayment {
  if (!parent.has("payment")) {
    const voucher = new Uint8Array(32);
    return { voucher, query: 0n, promptPrice: 0n, completionPrice: 0n, charged: 0n };
  }
  const from = parent.object("payment");
  const payment = {
    voucher: from.hex("voucher", 32),
    query: from.bigNumber("query"),
    promptPrice: from.bigNumber("prompt_price"),
    completionPrice: from.bigNumber("completion_price"),
    charged: from.bigNumber("charged"),
  };
  from.ensureRead();
  return payment;
}

type Head = Omit<Receipt, "stages" | "input" | "opening" | "signature" | "freshSignature">;

function readNotice(from: JsonMembers): boolean {
  if (!from.has("notice")) return false;
  const notice = from.text("notice", simulatedNotice.length);
  if (notice !== simulatedNotice) from.wrong("notice", "another text", simulatedNotice);
  return true;
}

function readHead(from: JsonMembers): Head {
  const version = from.number("version", u32Max);
  if (version !== receiptVersion) {
    from.wrong("version", String(version), String(receiptVersion));
  }
  return {
    simulated: readNotice(from),
    chainId: from.bigNumber("chain_id"),
    contract: from.hex("contract", 20),
    pool: from.bigNumber("pool"),
    modelRoot: from.hex("model_root", 32),
    request: from.hex("request", 16),
    requestHash: from.hex("request_hash", 32),
    answerHash: from.hex("answer_hash", 32),
    promptTokens: from.number("prompt_tokens", u32Max),
    cachedTokens: from.number("cached_tokens", u32Max),
    completionTokens: from.number("completion_tokens", u32Max),
    finishedAt: from.number("finished_at", unixSecondsMax),
    payment: readPayment(from),
  };
}

/**
 * Strict: what encodeReceipt writes, byte for byte but for a newline at the end, every member within
 * its limits. Nothing is verified yet. Error: `receipt_malformed`.
 */
export function parseReceipt(source: string | Uint8Array): Receipt {
  const whole =
    typeof source === "string" ? source : inContext("", () => fromUtf8(source), malformed);
  const text = whole.endsWith("\n") ? whole.slice(0, -1) : whole;
  const limits = { bytesMax: receiptBytesMax, depthMax: receiptJsonDepthMax };
  const value = inContext("", () => parseJson(text, limits), malformed);
  const from = new JsonMembers(value, "receipt", malformed);
  const head = readHead(from);
  const inputBegin = from.number("input_begin", receiptPositionsMax);
  const input = readTrace(from, "input_leaves", inputBegin);
  const shared = { request: head.request, modelRoot: head.modelRoot };
  const stages = from.array("stages", receiptStagesMax).map((stage) => readStage(stage, shared));
  const opening = readOpening(from);
  const signature = from.hex("signature", 65);
  const receipt: Receipt = {
    ...head,
    input,
    stages,
    opening,
    signature,
    freshSignature: undefined,
  };
  if (hasFreshQuotes(receipt)) receipt.freshSignature = from.hex("fresh_signature", 65);
  from.ensureRead();
  // Hex, base64 and numbers have several forms; one of them is what was handed out.
  if (encodeReceipt(receipt) !== text) {
    fail(malformed, "receipt: have another form, need it as it came");
  }
  return receipt;
}
