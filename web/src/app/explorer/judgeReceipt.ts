// SPDX-License-Identifier: Apache-2.0
// A receipt: every check of docs/receipts.md, and every field.
import { haveAndNeed } from "../../attest/check";
import { layersText } from "../../attest/peer";
import { checkReceipt, type ReceiptCheck, type ReceiptReport } from "../../attest/receiptCheck";
import {
  isFree,
  isWithoutPayment,
  receiptDigest,
  type Receipt,
  type ReceiptStage,
} from "../../attest/receipt";
import { activationFormats, constraintKinds } from "../../attest/sampling";
import { decodeStatement, type Statement } from "../../attest/statement";
import { digestOf, sameTrace, type TraceDigest } from "../../attest/trace";
import { isZero, toHex } from "../../base/bytes";
import { formatUtc } from "../../base/time";
import {
  acceptedVerdict,
  checkView,
  fieldMaker,
  hardwareOf,
  hex0x,
  lenientPolicy,
  measurementOf,
  statementFields,
  termsAt,
  withCause,
  type Terms,
} from "./judge";
import { readReceipt } from "./receiptPlaces";
import { receiptCheckMeaning } from "./words";
import type {
  CheckState,
  CheckView,
  FieldView,
  NetworkTermsInput,
  OpeningView,
  PaymentView,
  ReceiptView,
  StageView,
  TraceView,
  Verdict,
} from "./views";

export interface ReceiptInput {
  readonly text: string;
  /** Undefined: only what can be checked alone. */
  readonly network: NetworkTermsInput | undefined;
  /** Collateral that was opened with it. */
  readonly collateral?: string | undefined;
  /** Bodies, where they are at hand. */
  readonly request?: Uint8Array | undefined;
  readonly answer?: Uint8Array | undefined;
}

function statementOf(stage: ReceiptStage): Statement | undefined {
  try {
    return decodeStatement(stage.statement);
  } catch {
    return undefined;
  }
}

/** What the receipt says itself, in the place of a network's terms. */
function ownExpectation(receipt: Receipt) {
  const first = receipt.stages[0];
  const policyHash = (first && statementOf(first)?.policyHash) ?? new Uint8Array(32);
  const { chainId, contract, pool, modelRoot } = receipt;
  const shards = receipt.stages.map(({ record }) => ({
    shardRoot: record.shardRoot,
    layers: record.layers,
  }));
  return { chainId, contract, pool, modelRoot, policyHash, shards };
}

/** Alone, what only Intel's documents could tell is not a failure. */
function isUnmade(check: ReceiptCheck, terms: Terms): boolean {
  return terms.network === undefined && check.error?.code === "collateral_missing";
}

function aloneWords(name: string): string {
  if (name.startsWith("evidence of")) {
    return "Statement and quote belong together, and the quote's signatures hold. Whether this code and these weights are accepted, only a network's policy says.";
  }
  if (name.startsWith("route")) {
    return "The layers follow each other from the first on. How many the model has, only its manifest says.";
  }
  if (name.startsWith("entry: signature over the receipt")) {
    return "The entry of this very receipt has signed every field of it.";
  }
  return receiptCheckMeaning(name);
}

function isPassedOver(code: string | undefined): boolean {
  return code === undefined || code === "collateral_missing";
}

/** What nobody has asked: without a network these were held against the receipt itself. */
const policyChecks = new Set([
  "hardware",
  "TCB policy",
  "platform and attributes",
  "measurements",
  "network",
  "weights",
]);

function viewOf(check: ReceiptCheck, terms: Terms): CheckView {
  const { what, error } = check;
  const isAlone = terms.network === undefined;
  const details = check.details
    .filter(({ name, code }) => !isAlone || !policyChecks.has(name) || !isPassedOver(code))
    .map(checkView);
  if (error === undefined) {
    const words = terms.network === undefined ? aloneWords(what) : receiptCheckMeaning(what);
    return { name: what, state: "passed", words, details };
  }
  if (isUnmade(check, terms)) {
    const words =
      "The signatures hold. Whether the hardware is up to date needs Intel's documents of that time: open them with it, or connect to the network.";
    return { name: what, state: "unmade", words, code: error.code, details };
  }
  const cause = withCause(error, terms.rejected);
  const { code, detail } = cause;
  return { name: what, state: "failed", words: detail, code, ...haveAndNeed(detail), details };
}

function verdictOf(checks: readonly CheckView[], report: ReceiptReport, terms: Terms): Verdict {
  if (checks.some((check) => check.state === "failed")) return "failed";
  if (terms.network === undefined) return "alone";
  if (!report.accepted) return "failed";
  return acceptedVerdict(report.simulated, terms.network);
}

function stateOf(checks: readonly CheckView[], name: string): CheckState {
  return checks.find((check) => check.name === name)?.state ?? "unmade";
}

function traceView({ begin, end, digest }: TraceDigest): TraceView {
  return { begin, end, digest: toHex(digest) };
}

function stageView(
  receipt: Receipt,
  index: number,
  report: ReceiptReport,
  checks: readonly CheckView[],
): StageView {
  const stage = receipt.stages[index]!;
  const { record, freshQuote } = stage;
  const { begin, end } = record.layers;
  const statement = statementOf(stage);
  const layers = `layers ${layersText(record.layers)}`;
  const quote = report.peers[index]?.quote;
  const before = index === 0 ? digestOf(receipt.input) : receipt.stages[index - 1]!.record.output;
  return {
    layers: [begin, end - 1],
    node: statement === undefined ? "" : hex0x(statement.receiptAddress),
    softwareVersion: statement?.softwareVersion ?? "unknown",
    epoch: record.epoch,
    measurement: measurementOf(stage.quote),
    shardRoot: hex0x(record.shardRoot),
    sampling: hex0x(record.sampling),
    input: traceView(record.input),
    output: traceView(record.output),
    signature: hex0x(stage.signature),
    signed: stateOf(checks, `signature of ${layers}`),
    evidence: stateOf(checks, `evidence of ${layers}`),
    hardware: quote && hardwareOf(quote),
    joins: sameTrace(before, record.input),
    statementFields: statement ? statementFields(stage.statement, statement) : [],
    statement: new Uint8Array(stage.statement),
    quote: new Uint8Array(stage.quote),
    freshQuote:
      freshQuote !== undefined && "quote" in freshQuote
        ? new Uint8Array(freshQuote.quote)
        : undefined,
    freshQuoteError:
      freshQuote !== undefined && "error" in freshQuote ? freshQuote.error : undefined,
  };
}

function paymentView(receipt: Receipt): PaymentView {
  const { payment, promptTokens, cachedTokens, completionTokens } = receipt;
  const computed = BigInt(Math.max(0, promptTokens - cachedTokens));
  const sum = payment.promptPrice * computed + payment.completionPrice * BigInt(completionTokens);
  const kind = isFree(payment) ? "free" : isZero(payment.voucher) ? "query" : "voucher";
  return {
    kind,
    source:
      kind === "voucher" ? hex0x(payment.voucher) : kind === "query" ? `${payment.query}` : "",
    promptPrice: `${payment.promptPrice}`,
    completionPrice: `${payment.completionPrice}`,
    charged: `${payment.charged}`,
    sum: `${sum}`,
  };
}

function openingView(receipt: Receipt): OpeningView {
  const { salt, prompt, answer, sampling } = receipt.opening;
  const field = fieldMaker("Sampling");
  const bias = sampling.logitBias.map((one) => `${one.token}: ${one.bias}`).join(", ");
  return {
    salt: hex0x(salt),
    prompt,
    answer,
    sampling: [
      field("temperature", String(sampling.temperature)),
      field("top_k", String(sampling.topK)),
      field("top_p", String(sampling.topP)),
      field("min_p", String(sampling.minP)),
      field("typical_p", String(sampling.typicalP)),
      field("seed", String(sampling.seed)),
      field("repetition_penalty", String(sampling.repetitionPenalty)),
      field("repetition_window", String(sampling.repetitionWindow)),
      field("presence_penalty", String(sampling.presencePenalty)),
      field("frequency_penalty", String(sampling.frequencyPenalty)),
      field("logit_bias", bias === "" ? "none" : bias),
      field("logprobs", sampling.logprobs ? `yes, ${sampling.topLogprobs} others` : "no"),
      field("constraint", constraintKinds[sampling.constraintKind] ?? "unknown"),
      ...(sampling.constraint === "" ? [] : [field("constraint text", sampling.constraint)]),
      field("answer_given", String(sampling.answerGiven), "tokens of an answer that goes on"),
      field(
        "activations",
        sampling.activations,
        sampling.activations === activationFormats[0] ? "exact" : "rounded on the way",
      ),
      field("pooling", sampling.pooling),
    ],
  };
}

function receiptFields(receipt: Receipt): FieldView[] {
  const field = fieldMaker("Receipt");
  const { input } = receipt;
  return [
    field("digest", hex0x(receiptDigest(receipt)), "what the entry signed (EIP-712)"),
    field("notice", receipt.simulated ? "SIMULATED" : "none"),
    field("chain", String(receipt.chainId), receipt.chainId === 0n ? "none: free" : undefined),
    field("contract", hex0x(receipt.contract)),
    field("pool", String(receipt.pool)),
    field("model root", hex0x(receipt.modelRoot)),
    field("request", toHex(receipt.request), "random id of the request"),
    field(
      "request hash",
      hex0x(receipt.requestHash),
      "SHA-256 of the request's body, without a salt: who sees it can test guesses",
    ),
    field("answer hash", hex0x(receipt.answerHash), "SHA-256 of the answer's text"),
    field("prompt tokens", String(receipt.promptTokens)),
    field("cached tokens", String(receipt.cachedTokens), "of the prompt; free, and not computed"),
    field("completion tokens", String(receipt.completionTokens)),
    field("finished", formatUtc(receipt.finishedAt)),
    field("input", `positions ${input.begin} to ${input.end - 1}`, `${input.count} leaves`),
    field("entry's signature", hex0x(receipt.signature)),
    ...(receipt.freshSignature === undefined
      ? []
      : [field("signature over fresh quotes", hex0x(receipt.freshSignature))]),
    ...(isWithoutPayment(receipt.payment) ? [field("payment", "none", "the answer was free")] : []),
  ];
}

/** Errors: `receipt_malformed` as DocumentError; those of the network's documents. */
export async function judgeReceipt(input: ReceiptInput): Promise<ReceiptView> {
  const receipt = readReceipt(input.text);
  const quotes = receipt.stages.flatMap(({ quote, freshQuote }) =>
    freshQuote !== undefined && "quote" in freshQuote ? [quote, freshQuote.quote] : [quote],
  );
  const lenient = lenientPolicy(quotes);
  const terms = await termsAt(input.network, input.collateral, receipt.finishedAt, lenient);
  const report = await checkReceipt(receipt, {
    peers: terms.expectation ?? ownExpectation(receipt),
    policy: terms.policy ?? lenient,
    layerCount: terms.network ? terms.layerCount : (receipt.stages.at(-1)?.record.layers.end ?? 0),
    collateral: terms.shelf,
    request: input.request,
    answer: input.answer,
  });
  const checks = report.checks.map((check) => viewOf(check, terms));
  return {
    verdict: verdictOf(checks, report, terms),
    network: terms.network?.name ?? "",
    unpinned: terms.network?.unpinned ?? "",
    saysSimulated: receipt.simulated,
    checks,
    stages: receipt.stages.map((_, i) => stageView(receipt, i, report, checks)),
    fields: receiptFields(receipt),
    payment: paymentView(receipt),
    opening: openingView(receipt),
    promptTokens: receipt.promptTokens,
    cachedTokens: receipt.cachedTokens,
    completionTokens: receipt.completionTokens,
    finishedAt: receipt.finishedAt,
    digest: hex0x(receiptDigest(receipt)),
    chainId: String(receipt.chainId),
    contract: hex0x(receipt.contract),
    pool: String(receipt.pool),
    request: toHex(receipt.request),
  };
}
