// SPDX-License-Identifier: Apache-2.0
// Every check of a receipt that needs no chain and no weights (docs/receipts.md, "What `verify`
// checks"); src/attest/receipt_check.hpp.
import { equal, isZero, toHex } from "../base/bytes";
import { TeeTeeError, fail } from "../base/error";
import type { Checks } from "./check";
import { sha256Sync } from "./hash";
import { layersText, verifyEvidence, type Evidence, type PeerExpectation } from "./peer";
import type { VerifiedPeer } from "./peer";
import { findCollateral, type CollateralShelf } from "./platform";
import type { Policy } from "./policy";
import {
  freshQuotesDigest,
  hasFreshQuotes,
  isFree,
  isWithoutPayment,
  receiptDigest,
  receiptDomain,
  type Receipt,
  type ReceiptStage,
} from "./receipt";
import { recoverAddress } from "./secp256k1";
import { verifyRecord } from "./stageRecord";
import { decodeStatement, sameLayers } from "./statement";
import { digestOf, sameTrace, samplingDigest, tokenLeaf } from "./trace";

/** What a receipt is held against. */
export interface ReceiptExpectation {
  /** Chain, contract, pool, model root and the manifest's shards. */
  peers: PeerExpectation;
  policy: Policy;
  layerCount: number;
  /** Of the stages' platforms, in date when the answer was finished. Undefined: nowhere. */
  collateral?: CollateralShelf | undefined;
  /** The request's body and the answer's text in UTF-8, where they are at hand. */
  request?: Uint8Array | undefined;
  answer?: Uint8Array | undefined;
  /** Every stage must have made a fresh quote. */
  needsFreshQuotes?: boolean;
}

/** One thing that was looked at, in words for people; the error says what is wrong. */
export interface ReceiptCheck {
  what: string;
  error: TeeTeeError | undefined;
  /** Of evidence: what was looked at one by one. */
  details: Checks;
}

export interface ReceiptReport {
  checks: ReceiptCheck[];
  accepted: boolean;
  /** Some quote is none of real hardware. */
  simulated: boolean;
  /** Of each stage, where its evidence was accepted. */
  peers: (VerifiedPeer | undefined)[];
}

function rejected(what: string): never {
  return fail("receipt_rejected", what);
}

function ensureOutput(stage: ReceiptStage): void {
  if (stage.output.count === 0 || !sameTrace(digestOf(stage.output), stage.record.output)) {
    rejected("the leaves are not those of the signed digest");
  }
}

function ensureRoute(receipt: Receipt, layerCount: number): void {
  let next = 0;
  for (const { record } of receipt.stages) {
    if (record.layers.begin !== next) rejected(`layer ${next} is missing or comes twice`);
    next = record.layers.end;
  }
  if (next !== layerCount || next === 0) rejected(`have ${next} layers, need ${layerCount}`);
}

function ensureHandOver({ stages, input }: Receipt): void {
  const [first] = stages;
  if (first === undefined) return rejected("no stages");
  if (!sameTrace(digestOf(input), first.record.input)) {
    rejected("the prompt's leaves are not those that the entry signed");
  }
  for (const [i, { record }] of stages.entries()) {
    const isOfOneRequest =
      record.epoch === first.record.epoch &&
      equal(record.sampling, first.record.sampling) &&
      record.input.begin === first.record.input.begin &&
      record.input.end === first.record.input.end;
    const layers = `layers ${layersText(record.layers)}`;
    if (!isOfOneRequest) rejected(`${layers} computed other rows`);
    if (i > 0 && !sameTrace(stages[i - 1]!.record.output, record.input)) {
      rejected(`${layers} took in other rows than were sent`);
    }
  }
}

/** Sampled tokens are the input of the rows behind them. */
function ensureTokens(receipt: Receipt): void {
  const { input, promptTokens, cachedTokens, completionTokens } = receipt;
  const sampled = receipt.stages.at(-1)?.output;
  if (sampled === undefined) return rejected("no stages");
  const fits =
    sampled.end === input.end + 1 &&
    sampled.begin === promptTokens &&
    input.begin === cachedTokens &&
    input.end >= promptTokens;
  if (!fits) rejected("counts of tokens do not fit the rows");
  for (let at = Math.max(sampled.begin, input.begin); at < input.end; at++) {
    if (!equal(sampled.leafAt(at), input.leafAt(at))) {
      const what = "the entry went on with another token than the tail sampled";
      rejected(`position ${at}: ${what}`);
    }
  }
  // A stop token is sampled and not delivered.
  const { count } = sampled;
  if (count !== completionTokens && count !== completionTokens + 1) {
    rejected(`have ${count} sampled tokens, ${completionTokens} on the bill`);
  }
}

/** It must be the entry; there is one. */
async function ensureSigner(
  receipt: Receipt,
  digest: Uint8Array,
  signature: Uint8Array,
): Promise<void> {
  const { receiptAddress } = decodeStatement(receipt.stages[0]!.statement);
  const signer = await recoverAddress(digest, signature);
  if (!equal(signer, receiptAddress)) {
    rejected(`have signer 0x${toHex(signer)}, need the entry 0x${toHex(receiptAddress)}`);
  }
}

async function ensureEntry(
  receipt: Receipt,
  digest: Uint8Array,
  need: PeerExpectation,
): Promise<void> {
  if (receipt.stages.length === 0) rejected("no stages");
  const isOfNetwork =
    receipt.chainId === need.chainId &&
    equal(receipt.contract, need.contract) &&
    receipt.pool === need.pool &&
    equal(receipt.modelRoot, need.modelRoot);
  if (!isOfNetwork) rejected("the receipt is of another model or pool");
  await ensureSigner(receipt, digest, receipt.signature);
}

async function ensureFreshSignature(receipt: Receipt): Promise<void> {
  if (receipt.freshSignature === undefined) return rejected("there is none");
  await ensureSigner(receipt, freshQuotesDigest(receipt), receipt.freshSignature);
}

/** Position -> token, as far as prompt and answer go. */
function ensureOpening(receipt: Receipt): void {
  const { salt, prompt, answer, sampling } = receipt.opening;
  const [first] = receipt.stages;
  const last = receipt.stages.at(-1);
  const countsFit =
    prompt.length === receipt.promptTokens && answer.length === receipt.completionTokens;
  if (first === undefined || last === undefined || !countsFit) {
    return rejected("counts of tokens are not those of the receipt");
  }
  if (!equal(samplingDigest(salt, prompt.length, sampling), first.record.sampling)) {
    rejected("other sampling options than the stages were given");
  }
  const tokens = [...prompt, ...answer];
  for (const trace of [receipt.input, last.output]) {
    for (let at = trace.begin; at < trace.end && at < tokens.length; at++) {
      if (!equal(trace.leafAt(at), tokenLeaf(salt, at, tokens[at]!))) {
        rejected(`position ${at} has another token`);
      }
    }
  }
}

function ensureHash(bytes: Uint8Array, need: Uint8Array): void {
  const have = sha256Sync(bytes);
  if (!equal(have, need)) rejected(`have 0x${toHex(have)}, need 0x${toHex(need)}`);
}

/** Tokens that the prefix cache had are free. */
function ensurePayment(receipt: Receipt): void {
  const { payment, promptTokens, cachedTokens, completionTokens } = receipt;
  if (isFree(payment)) rejected("a price, and nothing that it was paid from");
  if (!isZero(payment.voucher) && payment.query !== 0n) {
    rejected("paid from a voucher and from a query");
  }
  if (cachedTokens > promptTokens) rejected("more tokens cached than there are");
  const sum =
    payment.promptPrice * BigInt(promptTokens - cachedTokens) +
    payment.completionPrice * BigInt(completionTokens);
  if (payment.charged > sum) {
    rejected(`${payment.charged} credits charged, the tokens come to ${sum}`);
  }
}

class Checker {
  readonly #receipt: Receipt;
  readonly #expectation: ReceiptExpectation;
  readonly #digest: Uint8Array;
  readonly #report: ReceiptReport = { checks: [], accepted: false, simulated: false, peers: [] };
  #hasVerified = false;

  constructor(receipt: Receipt, expectation: ReceiptExpectation) {
    this.#receipt = receipt;
    this.#digest = receiptDigest(receipt);
    this.#expectation = expectation;
  }

  async run(): Promise<ReceiptReport> {
    const receipt = this.#receipt;
    const { peers, layerCount, request, answer } = this.#expectation;
    await this.#checkStages();
    await this.#check("route: every layer once, in order", () => ensureRoute(receipt, layerCount));
    await this.#check("hand-over: each stage took in what the one before sent", () =>
      ensureHandOver(receipt),
    );
    await this.#check("tokens: what was sampled went in again", () => ensureTokens(receipt));
    await this.#check("entry: signature over the receipt", () =>
      ensureEntry(receipt, this.#digest, peers),
    );
    if (hasFreshQuotes(receipt)) {
      await this.#check("entry: signature over the fresh quotes", () =>
        ensureFreshSignature(receipt),
      );
    }
    await this.#check("opening: salt, tokens and sampling options are those of the answer", () =>
      ensureOpening(receipt),
    );
    if (!isWithoutPayment(receipt.payment)) {
      await this.#check("payment: no more than what the tokens come to", () =>
        ensurePayment(receipt),
      );
    }
    if (request !== undefined) {
      await this.#check("request: its hash", () => ensureHash(request, receipt.requestHash));
    }
    if (answer !== undefined) {
      await this.#check("answer: its hash", () => ensureHash(answer, receipt.answerHash));
    }
    await this.#check("notice: simulated evidence is called so", () => this.#ensureNotice());
    this.#report.accepted = this.#report.checks.every((check) => check.error === undefined);
    return this.#report;
  }

  async #check(what: string, look: (details: Checks) => void | Promise<void>): Promise<void> {
    const check: ReceiptCheck = { what, error: undefined, details: [] };
    this.#report.checks.push(check);
    try {
      await look(check.details);
    } catch (thrown) {
      if (!(thrown instanceof TeeTeeError)) throw thrown;
      check.error = thrown;
    }
  }

  async #checkStages(): Promise<void> {
    const receipt = this.#receipt;
    const wantsFresh = this.#expectation.needsFreshQuotes === true || hasFreshQuotes(receipt);
    for (const [i, stage] of receipt.stages.entries()) {
      const layers = `layers ${layersText(stage.record.layers)}`;
      await this.#check(`evidence of ${layers}`, (details) =>
        this.#ensureEvidence(stage, i, details),
      );
      await this.#check(`signature of ${layers}`, async () => {
        const { receiptAddress } = decodeStatement(stage.statement);
        const domain = receiptDomain(receipt);
        await verifyRecord(domain, stage.record, stage.signature, receiptAddress);
      });
      await this.#check(`rows that left ${layers}`, () => ensureOutput(stage));
      if (wantsFresh) {
        await this.#check(`fresh quote of ${layers}`, (details) =>
          this.#ensureFreshQuote(stage, details),
        );
      }
    }
  }

  /** At the time of the answer, with what is known of the quote's platform. */
  async #verify(evidence: Evidence, details: Checks): Promise<VerifiedPeer> {
    const { peers, policy, collateral: shelf } = this.#expectation;
    const collateral = findCollateral(shelf, evidence.quote);
    const now = this.#receipt.finishedAt;
    const peer = await verifyEvidence(evidence, peers, policy, now, collateral, details);
    this.#hasVerified = true;
    this.#report.simulated ||= peer.simulated;
    return peer;
  }

  async #ensureEvidence(stage: ReceiptStage, index: number, details: Checks): Promise<void> {
    const { statement, quote, record } = stage;
    this.#report.peers[index] = undefined;
    const peer = await this.#verify({ statement, quote }, details);
    const said = peer.statement;
    const isOfRecord =
      sameLayers(said.layers, record.layers) &&
      equal(said.shardRoot, record.shardRoot) &&
      equal(said.modelRoot, record.modelRoot);
    if (!isOfRecord) rejected("the record speaks of other weights than the statement");
    this.#report.peers[index] = peer;
  }

  /** As good evidence as the stage's other quote, and made when the receipt's hash was known. */
  async #ensureFreshQuote(stage: ReceiptStage, details: Checks): Promise<void> {
    const { statement, freshQuote } = stage;
    if (freshQuote === undefined) return rejected("there is none");
    if ("error" in freshQuote) return rejected(`the stage made none: ${freshQuote.error}`);
    const evidence = { statement, quote: freshQuote.quote, nonce: this.#digest };
    await this.#verify(evidence, details);
  }

  #ensureNotice(): void {
    if (this.#receipt.simulated === this.#report.simulated) return;
    if (!this.#receipt.simulated) rejected("no notice, and the evidence is simulated");
    // Of evidence that does not verify nobody knows what made it.
    if (this.#hasVerified) rejected("a notice where the evidence is of real hardware");
  }
}

/** Later checks are made even where earlier ones fail. Never throws for what the receipt says. */
export function checkReceipt(
  receipt: Receipt,
  expectation: ReceiptExpectation,
): Promise<ReceiptReport> {
  return new Checker(receipt, expectation).run();
}

/** Of the first check that failed. */
export function firstError(report: ReceiptReport): TeeTeeError | undefined {
  return report.checks.find((check) => check.error !== undefined)?.error;
}
