// SPDX-License-Identifier: Apache-2.0
import { sha256Sync } from "../../attest/hash";
import { toHex, utf8 } from "../../base/bytes";
import { asError, TeeTeeError } from "../../base/error";
import { adviceOf, ask, type AnswerPart } from "../../client/ask";
import type { JsonObject } from "../../client/answerShape";
import type { Standing } from "../../client/entries";
import type { EntryPool } from "../../client/entryPool";
import { EntryRefusal } from "../../client/fetchJson";
import { PaymentError, type Payer, type UnservedPayment } from "../../client/payers";
import type { VerifiedEntry } from "../../client/verifiedEntry";
import type { ConnectedChain } from "../network/connection";
import type { Yardstick } from "../network/yardstick";
import { checkAnswer, type CheckTools, type KnownPart } from "../proof/checkAnswer";
import { proofShelf } from "../proof/proofShelf";
import { AnswerFailed, type AnswerFacts, type ChatRequest } from "./backend";
import { liveAnswers } from "./liveAnswer";
import type { ChatSettings } from "./types";

export interface AskTools {
  readonly entries: EntryPool;
  readonly chain: ConnectedChain | undefined;
  /** What entries and chain are held against. */
  readonly yardstick: Yardstick;
  readonly payer: Payer | undefined;
  /** The TEEs of the connected entry's route, as the page says beside what is written, are none. */
  readonly isSimulated: boolean;
  /** Something was paid, or is no longer held. */
  readonly onPaid: () => void;
}

const receiptsPath = "/v1/receipts/";
/** An entry that died may be started again within this time. */
const patienceMs = 30_000;
/** Kept prefixes are this page's own: entries keep them by token. */
const cacheToken = toHex(crypto.getRandomValues(new Uint8Array(16)));

/** As the API has it; what the settings do not say is left out. */
export function bodyOf({ messages, settings }: ChatRequest): JsonObject {
  const said = messages.map(({ role, text }) => ({ role, content: text }));
  const { systemPrompt } = settings;
  const first = systemPrompt === undefined ? [] : [{ role: "system", content: systemPrompt }];
  return {
    messages: [...first, ...said],
    ...samplingOf(settings),
    stream_options: { include_usage: true },
  };
}

function samplingOf(settings: ChatSettings): JsonObject {
  const { temperature, topP, maxTokens, seed, stop } = settings;
  return {
    ...(temperature === undefined ? {} : { temperature }),
    ...(topP === undefined ? {} : { top_p: topP }),
    ...(maxTokens === undefined ? {} : { max_tokens: maxTokens }),
    ...(seed === undefined ? {} : { seed }),
    ...(stop === undefined ? {} : { stop }),
  };
}

/** What came of one entry, as it is heard: where an answer is stopped nobody else says it. */
interface HeardPart {
  readonly entry: VerifiedEntry;
  readonly request: string;
  receiptId: string;
}

/** Of a finished answer: everything is at hand. */
function knownOf(part: AnswerPart): KnownPart {
  return {
    url: part.entry.url,
    receiptId: part.receiptPath.slice(receiptsPath.length),
    request: part.request,
    // Of one that broke off the entry has signed for what it had computed, heard or not.
    ...(part.finishReason === "" ? {} : { text: part.text }),
  };
}

function interruptionWords(why: TeeTeeError, seconds: number, isPaidOnce: boolean): string {
  const when = seconds >= 1 ? ` in ${Math.round(seconds)} s` : "";
  if (isPaidOnce) {
    return `The entry broke off (${why.code}). Asked again${when}; another entry would be paid apart.`;
  }
  if (why.code === "overloaded") return `The network is full: asked again${when}.`;
  if (why.code === "simulated_rejected") {
    return `An entry whose TEEs are simulated is not asked. Another one is${when}.`;
  }
  return `The entry broke off (${why.code}). Another one goes on${when}.`;
}

class NetworkAnswer {
  private readonly key = Symbol();
  private readonly heard: HeardPart[] = [];
  private tokens = 0;
  private chargedBefore = new Map<string, bigint>();
  private unserved: UnservedPayment | undefined;

  constructor(
    private readonly tools: AskTools,
    private readonly request: ChatRequest,
    private readonly onText: (text: string) => void,
    private readonly signal: AbortSignal,
    private readonly tell: (facts: AnswerFacts) => void,
  ) {}

  async run(): Promise<AnswerFacts> {
    const { entries, payer, isSimulated } = this.tools;
    const allowsSimulated = this.request.allowsSimulated ?? isSimulated;
    liveAnswers.set(this.key, { tokens: 0, ...(payer ? noteOf(payer) : {}) });
    try {
      const answer = await ask(
        { entries, patienceMs, allowsSimulated, ...(payer ? { payer } : {}) },
        {
          path: "/v1/chat/completions",
          body: bodyOf(this.request),
          headers: { authorization: `Bearer ${cacheToken}` },
          signal: this.signal,
        },
        {
          onText: this.onText,
          onEvent: (event) => this.onEvent(event),
          onAsked: (entry, _, request) => void this.heard.push({ entry, request, receiptId: "" }),
          onInterrupted: (_, why, seconds) =>
            liveAnswers.set(this.key, {
              note: interruptionWords(why, seconds, payer?.kind === "query"),
            }),
          onUnserved: (payment) => (this.unserved = payment),
          onStanding: (entry, standing) => this.onStanding(entry, standing),
        },
      );
      const isShort = answer.parts.at(-1)?.endedByPayment ?? false;
      const parts = answer.parts.filter((part) => part.receiptPath !== "");
      return {
        ...this.prove(parts.map(knownOf), lostTokensOf(answer.parts)),
        ...(isShort ? { note: "It ends here because the session does not cover more." } : {}),
      };
    } catch (thrown) {
      this.proveHeard();
      const words = this.unserved && unservedWords(this.unserved);
      // Of one that was stopped nobody shows why.
      if (words !== undefined && this.signal.aborted) this.tell({ note: words });
      throw failedOf(thrown, words);
    } finally {
      liveAnswers.end(this.key);
      this.tools.onPaid();
    }
  }

  private onEvent(event: JsonObject): void {
    const { id, choices } = event;
    const part = this.heard.at(-1);
    if (part && typeof id === "string") part.receiptId = id;
    const [choice] = Array.isArray(choices) ? (choices as unknown[]) : [];
    const tokenIds = (choice as { token_ids?: unknown } | undefined)?.token_ids;
    this.tokens += Array.isArray(tokenIds) ? tokenIds.length : 0;
    liveAnswers.set(this.key, { tokens: this.tokens, note: "" });
  }

  private onStanding(entry: VerifiedEntry, standing: Standing): void {
    const key = entry.receiptKey.toLowerCase();
    if (!this.chargedBefore.has(key)) this.chargedBefore.set(key, standing.charged);
    const before = this.chargedBefore.get(key) ?? 0n;
    liveAnswers.set(this.key, { upTo: standing.charged - before + standing.held });
  }

  /** Of an answer that has no end the receipts speak of what was computed, maybe more than came. */
  private proveHeard(): void {
    if (this.tokens === 0) return;
    const parts = this.heard.filter((part) => part.receiptId !== "");
    const known = parts.map(({ entry, receiptId, request }) => ({
      url: entry.url,
      receiptId,
      request,
    }));
    this.tell(this.prove(known, 0));
  }

  private prove(parts: readonly KnownPart[], lostTokens: number): AnswerFacts {
    const receipts = parts.map((part) => part.receiptId);
    if (receipts.length === 0) return {};
    const { entries, chain, yardstick } = this.tools;
    startProof(receipts, { entries, chain, yardstick, parts, lostTokens }, this.tell);
    const requestHashes = parts.map(({ request }) =>
      request === undefined ? "" : toHex(sha256Sync(utf8(request))),
    );
    return { receipts, requestHashes, entryUrls: parts.map(({ url = "" }) => url) };
  }
}

/** Tokens of parts that died before they named a receipt. */
function lostTokensOf(parts: readonly AnswerPart[]): number {
  return parts.reduce((sum, part) => sum + (part.receiptPath === "" ? part.tokenCount : 0), 0);
}

function noteOf(payer: Payer): { note?: string } {
  if (payer.kind === "query") return { note: "Your wallet is asked to pay for this question." };
  if (payer.kind === "host") return { note: "Your wallet may be asked to sign in." };
  return {};
}

/** Money went out, and no answer came: what there is to know of it. */
export function unservedWords(payment: UnservedPayment): string {
  const { transaction, query, reclaimableFrom, isGood } = payment;
  const by = transaction === undefined ? "" : `transaction ${transaction}`;
  const paid =
    query === undefined
      ? `The payment was sent (${by}), and what became of it is not known yet.`
      : `This question is paid: number ${query}${by === "" ? "" : `, ${by}`}.`;
  const again = isGood
    ? "Ask the same again: the same entry is not paid again."
    : "This entry does not take it any more: asking again is paid anew.";
  const from = new Date(reclaimableFrom * 1000).toLocaleString();
  return `${paid} ${again} What nobody serves can be reclaimed from ${from} on, under Payment.`;
}

/** In words for people, and when it may be tried again. */
function failedOf(thrown: unknown, paidWords: string | undefined): TeeTeeError {
  const error = asError(thrown);
  const seconds = thrown instanceof EntryRefusal ? thrown.retryAfterSeconds : undefined;
  const retryAt =
    seconds === undefined ? undefined : Math.ceil(Date.now() / 1000) + Math.max(seconds, 1);
  if (error.code === "cancelled" && paidWords === undefined) {
    return new AnswerFailed("cancelled", "You declined in the wallet, so nothing was asked.");
  }
  // The countdown says when.
  const words = adviceOf(new TeeTeeError(error.code, error.detail));
  const offersSimulated = error.code === "simulated_rejected";
  if (paidWords === undefined) {
    const detail = thrown instanceof PaymentError ? sentenceOf(error.detail) : words;
    return new AnswerFailed(error.code, detail, retryAt, offersSimulated);
  }
  const why =
    error.code === "cancelled"
      ? "You declined in the wallet."
      : thrown instanceof PaymentError
        ? `The payment could not be followed to its end (${error.code}).`
        : sentenceOf(words);
  return new AnswerFailed(error.code, `${why} ${paidWords}`, retryAt, offersSimulated);
}

function sentenceOf(words: string): string {
  const text = `${words[0]?.toUpperCase() ?? ""}${words.slice(1)}`;
  return text.endsWith(".") ? text : `${text}.`;
}

export interface ProofTools extends CheckTools {
  readonly yardstick: Yardstick;
}

/** Begins the check of an answer, and tells what its receipts say it cost. */
export function startProof(
  receipts: readonly string[],
  tools: ProofTools,
  tell?: (facts: AnswerFacts) => void,
): void {
  proofShelf.start(receipts, tools.yardstick, (hold) =>
    checkAnswer(tools, (held) => {
      hold(held);
      const { cost, promptTokens, completionTokens, cachedTokens } = held.proof;
      if (cost === undefined || promptTokens === undefined || completionTokens === undefined)
        return;
      tell?.({
        cost,
        usage: { promptTokens, completionTokens, ...(cachedTokens ? { cachedTokens } : {}) },
      });
    }),
  );
}

/**
 * Asks the network and goes on elsewhere where an entry fails. `tell` gets what becomes known later:
 * cost and usage, once the receipts are there. Errors: AnswerFailed.
 */
export function askNetwork(
  tools: AskTools,
  request: ChatRequest,
  onText: (text: string) => void,
  signal: AbortSignal,
  tell: (facts: AnswerFacts) => void,
): Promise<AnswerFacts> {
  return new NetworkAnswer(tools, request, onText, signal, tell).run();
}
