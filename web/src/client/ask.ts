// SPDX-License-Identifier: Apache-2.0
import { asError, fail, TeeTeeError } from "../base/error";
import { isSameAddress } from "../chain/deployment";
import {
  answerCountOf,
  type AnswerPath,
  answerPaths,
  type AnswerShape,
  type JsonObject,
  promptBytesOf,
  tokensMaxOf,
} from "./answerShape";
import type { EntryPool } from "./entryPool";
import type { Standing } from "./entries";
import { EntryRefusal, refusalOfBody } from "./fetchJson";
import { errorBytesMax } from "./limits";
import {
  AnswerReader,
  noAnswer,
  type PartialAnswer,
  requestForRest,
  type SaidError,
  saidErrorOf,
  timeoutMsOf,
} from "./partialAnswer";
import {
  type AnswerPayment,
  FreePayer,
  type Payer,
  PaymentError,
  paymentHeader,
  rest,
  type UnservedPayment,
} from "./payers";
import { collect, type VerifiedEntry } from "./verifiedEntry";

// Asks a network through whichever entry answers, as src/client/client.cpp does.

export interface Question {
  readonly path: AnswerPath;
  /** In the shape of the path; `stream` and what resuming needs are put in. */
  readonly body: JsonObject;
  /** Sealed with the request: `authorization` say, for the prefix cache. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  /**
   * An answer to the same request that is to go on: one that was not paid to its end, or (with a
   * higher limit of tokens) that came to its limit. Text goes on behind the text of
   * that answer without its `heldText`.
   */
  readonly given?: GivenAnswer;
}

/** Of an answer that has ended, enough to go on with it. */
export type GivenAnswer = Pick<Answer, "tokenIds" | "seed" | "created" | "activations">;

export interface AskOptions {
  readonly entries: EntryPool;
  readonly payer?: Payer;
  /**
   * How long an answer may go without a token while no entry goes on with it: one that has died may
   * be started again, one that is full may have room.
   */
  readonly patienceMs?: number;
  /**
   * Whether entries may be asked whose route has a simulated TEE. By default none is: a prompt that
   * was meant for hardware goes nowhere else when that fails.
   */
  readonly allowsSimulated?: boolean;
}

/** Each may be missing. What they throw ends the answer, and comes out of `ask`. */
export interface AskEvents {
  readonly onText?: (text: string) => void;
  /** An event of the stream, in the shape of the path; texts are of no event twice. */
  readonly onEvent?: (event: JsonObject) => void;
  /** An entry is about to be asked for what is behind so many tokens, with this body. */
  readonly onAsked?: (entry: VerifiedEntry, tokenCount: number, request: string) => void;
  /** The one before did not go on; the next one is tried, `seconds` from now. */
  readonly onInterrupted?: (url: string, why: TeeTeeError, seconds: number) => void;
  /** How the voucher stands, as the entry says while it answers. */
  readonly onStanding?: (entry: VerifiedEntry, standing: Standing) => void;
  /** The answer fails, or was stopped, though this was paid for it. */
  readonly onUnserved?: (payment: UnservedPayment) => void;
}

/** What one entry gave of an answer. */
export interface AnswerPart {
  readonly entry: VerifiedEntry;
  readonly tokenCount: number;
  /** "" where nothing was computed. */
  readonly receiptPath: string;
  /** It ends where it was no longer paid for. */
  readonly endedByPayment: boolean;
  readonly finishReason: string;
  /** The body that the entry was sent, and the text that it gave: what its receipt has hashes of. */
  readonly request: string;
  readonly text: string;
}

export interface Answer {
  /** The last one complete. */
  readonly parts: readonly AnswerPart[];
  /** All tokens, those that were given among them. */
  readonly tokenIds: readonly number[];
  readonly seed: number | undefined;
  readonly created: number | undefined;
  readonly activations: string | undefined;
  /** The end of the text that came with the answer's end: who goes on gives it again. */
  readonly heldText: string;
}

/** With so many an entry is not asked again for this answer. */
const strikesMax = 2;
const patienceDefaultMs = 15_000;
/** Between two turns of all entries. */
const restMs = 500;
/** How long a list of other entries is waited for, where an answer was interrupted. */
const learningMs = 1000;

/** It may have been started again in a moment, or have room. */
const passing = new Set([
  "connect_failed",
  "connection_closed",
  "timed_out",
  "tls_failed",
  "http_malformed",
  "not_ready",
  "sealed_truncated",
  "overloaded",
  "route_unavailable",
]);
/** It lives, and says that it cannot. */
const unable = new Set([
  "stage_failed",
  "stage_timeout",
  "activations_differ",
  "kv_cache_full",
  "simulated_rejected",
]);
/** What no other entry would do better. */
const ofMoney = new Set([
  "payment_required",
  "voucher_unknown",
  "voucher_ended",
  "voucher_exhausted",
  "query_unknown",
  "query_mismatch",
  "host_unknown",
  "sign_in_rejected",
  "invalid_argument",
  "signature_invalid",
  "call_reverted",
  "cancelled",
]);

function strikesFor(error: TeeTeeError): number {
  if (error instanceof EntryRefusal && error.type === "overloaded_error") return 0;
  if (passing.has(error.code)) return 0;
  // Evidence, or records that do not open, are no accident; but keys change.
  return unable.has(error.code) ? strikesMax : 1;
}

/** Whether the entry itself said so, over a channel that was well: its evidence is as good as before. */
function wasSaid(error: TeeTeeError): boolean {
  return error instanceof EntryRefusal;
}

/** An answer on its way. */
class Asking {
  private readonly known: PartialAnswer = noAnswer();
  private readonly parts: AnswerPart[] = [];
  private readonly shape: AnswerShape;
  private readonly isResumable: boolean;
  private readonly payment: AnswerPayment;
  /** Each entry is paid by a transaction, for this very request. */
  private readonly isPaidOnce: boolean;
  private readonly seed: number;
  /** Once it is known what the payment puts into it. */
  private body: JsonObject;
  private readonly strikes = new Map<string, number>();
  private readonly beganAtMs = Date.now();
  private readonly urls: string[];
  private turn = 0;
  /** Whose turn it was when the answer was interrupted. */
  private firstTurn = 0;
  /** Unless tokens come before, Unix milliseconds. */
  private giveUpAtMs = 0;
  private interruption: TeeTeeError | undefined;
  private entry: VerifiedEntry | undefined;
  /** Of an entry that was told nothing, since its TEEs protect nothing. */
  private simulated: TeeTeeError | undefined;
  private learning: Promise<void> = Promise.resolve();
  /** Every entry would refuse the request, or nobody can go on with what has come. */
  private isRefused = false;
  /** Of what the entry that was asked last answers. */
  private reader: AnswerReader | undefined;
  private request = "";
  private text = "";

  constructor(
    private readonly options: AskOptions,
    private readonly question: Question,
    private readonly events: AskEvents,
  ) {
    const payer = options.payer ?? new FreePayer();
    this.isPaidOnce = payer.kind === "query";
    this.shape = answerPaths[question.path];
    this.isResumable = answerCountOf(question.body) === 1;
    this.payment = payer.begin();
    // Known from the beginning, so that an entry which dies before its first word changes nothing.
    this.seed = (crypto.getRandomValues(new Uint32Array(1))[0] ?? 0) >>> 1;
    this.body = this.bodyWith({});
    const { given } = question;
    if (given) Object.assign(this.known, { ...given, tokenIds: [...given.tokenIds] });
    const { preferred } = options.entries;
    this.urls = [preferred, ...options.entries.urls.filter((url) => url !== preferred)];
  }

  private bodyWith(members: JsonObject): JsonObject {
    return { seed: this.seed, ...members, ...this.question.body };
  }

  async run(): Promise<Answer> {
    let isServed = false;
    try {
      const members = await this.payment.bodyMembers((some) =>
        JSON.stringify(this.requestOf(this.bodyWith(some))),
      );
      this.body = this.bodyWith(members);
      this.turnToPaid();
      for (;;) {
        const isFirst = this.interruption === undefined;
        const tokenCount = this.known.tokenIds.length;
        const failed = await this.goOn();
        // What was stopped behind its first token is charged for; an event without one is no answer.
        const hasMore = this.known.tokenIds.length > tokenCount;
        const hasTokens = this.isResumable ? hasMore : this.text !== "";
        isServed = !failed || (hasTokens && this.question.signal?.aborted === true);
        if (!failed) return this.answer();
        this.ensureWanted();
        if (this.isRefused) throw failed;
        if (isFirst || this.known.tokenIds.length > tokenCount) {
          this.strikes.clear();
          this.firstTurn = this.turn;
          this.giveUpAtMs = Date.now() + (this.options.patienceMs ?? patienceDefaultMs);
        }
        this.interruption ??= failed;
        await this.turnToNext(failed);
      }
    } catch (thrown) {
      const unserved = isServed ? undefined : this.payment.unserved();
      if (unserved) this.events.onUnserved?.(unserved);
      throw thrown;
    } finally {
      this.payment.end(isServed);
    }
  }

  /** As far as it is known which of the entries it was. */
  private turnToPaid(): void {
    const { paidEntry } = this.payment;
    if (paidEntry === undefined) return;
    const at = this.urls.findIndex((url) => {
      const entry = this.options.entries.verified(url);
      return entry !== undefined && isSameAddress(entry.receiptKey, paidEntry);
    });
    if (at >= 0) this.turn = at;
  }

  private answer(): Answer {
    const { tokenIds, seed, created, activations } = this.known;
    const heldText = this.reader?.heldText ?? "";
    return { parts: this.parts, tokenIds, seed, created, activations, heldText };
  }

  private ensureWanted(): void {
    if (this.question.signal?.aborted) fail("cancelled", "the answer was stopped");
  }

  /** Something of what the entry answers has been given out. */
  private get hasBegun(): boolean {
    return this.reader?.hasBegun ?? false;
  }

  private get url(): string {
    return this.urls[this.turn] ?? fail("internal", "ask: no entry's turn");
  }

  /** The entry whose turn it is begins with the answer, or goes on with it; why it did not, if so. */
  private async goOn(): Promise<TeeTeeError | undefined> {
    const knownCount = this.known.tokenIds.length;
    const { entries } = this.options;
    this.reader = undefined;
    let failed: TeeTeeError | undefined;
    try {
      const entry = await entries.open(this.url);
      this.ensureProtected(entry);
      this.entry = entry;
      this.learning = entries.learn(entry);
      const request = JSON.stringify(this.requestBody());
      // What was paid for is that very body: what an entry told since must not make it another.
      if (this.request === "" || !this.isPaidHere) this.request = request;
      this.events.onAsked?.(entry, knownCount, this.request);
      await this.post(entry);
    } catch (thrown) {
      if (!(thrown instanceof TeeTeeError)) throw thrown;
      failed = thrown;
    }
    this.keepPart(knownCount, failed === undefined);
    if (failed && (this.known.isLost || (this.hasBegun && !this.isResumable))) {
      this.isRefused = true;
    }
    if (!failed && this.entry) entries.prefer(this.entry.url);
    return failed;
  }

  /** Before anything of the question, or of who pays for it, is sent. */
  private ensureProtected({ url, route }: VerifiedEntry): void {
    if (!route.isSimulated || this.options.allowsSimulated) return;
    const why = `${url}: TEEs of its route are simulated and protect nothing, so it was told nothing`;
    this.simulated = new TeeTeeError("simulated_rejected", why);
    throw this.simulated;
  }

  /** What the entries that were asked have told of others, as far as they do so soon. */
  private async addLearned(): Promise<void> {
    await Promise.race([this.learning, rest(learningMs, this.question.signal)]);
    for (const url of this.options.entries.urls) {
      if (!this.urls.includes(url)) this.urls.push(url);
    }
  }

  private keepPart(knownCount: number, isComplete: boolean): void {
    const { reader, entry } = this;
    if (!reader || !entry) return;
    const tokenCount = this.known.tokenIds.length - knownCount;
    // Where nothing but the end was missing, nothing was computed.
    const hasReceipt = isComplete && reader.receiptPath !== "";
    if (tokenCount === 0 && !hasReceipt && !(isComplete && this.parts.length === 0)) return;
    this.parts.push({
      entry,
      tokenCount,
      receiptPath: reader.receiptPath,
      endedByPayment: reader.endedByPayment,
      finishReason: reader.finishReason,
      request: this.request,
      text: this.text,
    });
  }

  /** Pays, where answers cost something. An entry that wants to be paid better is asked again. */
  private async post(entry: VerifiedEntry): Promise<void> {
    const { signal } = this.question;
    const purchase = {
      body: this.request,
      promptBytes: promptBytesOf(this.question.body) + this.known.tokenIds.length,
      tokensMax: tokensMaxOf(this.question.body),
      signal,
    };
    for (;;) {
      this.ensureWanted();
      try {
        const claim = await this.payment.pay(entry, purchase);
        return await this.postPaid(entry, claim);
      } catch (thrown) {
        if (!(thrown instanceof TeeTeeError)) throw thrown;
        if (!this.hasBegun && (await this.payment.triesAgain(thrown.code, signal))) {
          this.isRefused = false;
          continue;
        }
        if (this.isOfMoney(thrown)) this.isRefused = true;
        throw thrown;
      }
    }
  }

  private isOfMoney(error: TeeTeeError): boolean {
    if (error instanceof PaymentError || ofMoney.has(error.code)) return true;
    return this.isPaidOnce && error.code === "payment_in_use";
  }

  private requestOf(body: JsonObject): JsonObject {
    return this.isResumable ? requestForRest(body, this.known) : { ...body, stream: true };
  }

  private requestBody(): JsonObject {
    const body = this.requestOf(this.body);
    const timeoutMs = timeoutMsOf(this.body);
    if (!this.interruption || timeoutMs === undefined) return body;
    const leftMs = timeoutMs - (Date.now() - this.beganAtMs);
    if (leftMs < 1) {
      this.isRefused = true;
      fail("deadline_exceeded", "the request's timeout is over");
    }
    return { ...body, timeout: leftMs / 1000 };
  }

  private async postPaid(entry: VerifiedEntry, claim: string | undefined): Promise<void> {
    this.text = "";
    this.reader = undefined;
    const answer = await entry.send({
      method: "POST",
      path: this.question.path,
      body: this.request,
      headers: {
        ...this.question.headers,
        "content-type": "application/json",
        ...(claim === undefined ? {} : { [paymentHeader]: claim }),
      },
      signal: this.question.signal,
    });
    if (answer.status !== 200) {
      const bytes = await collect(answer.body, errorBytesMax);
      throw this.refused(
        saidErrorOf(refusalOfBody(answer.status, bytes, answer.headers["retry-after"] ?? null)),
      );
    }
    await this.read(entry, answer.body);
  }

  private async read(
    entry: VerifiedEntry,
    body: AsyncGenerator<Uint8Array<ArrayBuffer>, void, undefined>,
  ): Promise<void> {
    const { events, payment, question } = this;
    // What has come already is not wanted either once the answer was stopped.
    const isWanted = () => question.signal?.aborted !== true;
    const sink = {
      onText: (text: string) => {
        if (!isWanted()) return;
        this.text += text;
        events.onText?.(text);
      },
      onEvent: (event: JsonObject) => {
        if (isWanted()) events.onEvent?.(event);
      },
      onStanding: (standing: Standing) => {
        if (!isWanted()) return;
        payment.onStanding(entry, standing);
        events.onStanding?.(entry, standing);
      },
    };
    const reader = new AnswerReader(this.known, sink, this.shape, this.isResumable);
    this.reader = reader;
    let wantsMore = true;
    try {
      for await (const piece of body) {
        // Read to the final record in any case: without it the answer is none.
        wantsMore = wantsMore && reader.feed(piece);
      }
    } catch (thrown) {
      // What the entry says of a failure tells more than how the connection ended after it.
      if (reader.refusal) throw this.refused(reader.refusal);
      throw thrown;
    }
    if (reader.refusal) throw this.refused(reader.refusal);
    this.ensureWanted();
    reader.finish();
  }

  private refused(said: SaidError): EntryRefusal {
    if (said.isOfRequest) this.isRefused = true;
    return said.refusal;
  }

  /** Throws why the answer was interrupted, when all had their turn and time is up. */
  private async turnToNext(why: TeeTeeError): Promise<void> {
    const { entries } = this.options;
    const failedUrl = this.url;
    await this.addLearned();
    if (this.entry && !wasSaid(why)) entries.forget(this.entry);
    this.entry = undefined;
    this.strikes.set(failedUrl, (this.strikes.get(failedUrl) ?? 0) + strikesFor(why));
    const now = Date.now();
    const timeoutMs = timeoutMsOf(this.body);
    if (timeoutMs !== undefined && now - this.beganAtMs >= timeoutMs) {
      fail("deadline_exceeded", "the request's timeout is over");
    }
    const isTimeUp = now >= this.giveUpAtMs;
    if (this.isPaidHere) {
      // It was paid for this very answer; nobody else is paid in its place unless they are asked to.
      if (isTimeUp || (this.strikes.get(failedUrl) ?? 0) >= strikesMax) throw this.given(why);
      return this.waitFor(failedUrl, why, this.waitMs(why));
    }
    let isNewRound = false;
    for (let i = 0; i < this.urls.length; i++) {
      this.turn = (this.turn + 1) % this.urls.length;
      isNewRound ||= this.turn === this.firstTurn;
      if ((this.strikes.get(this.url) ?? 0) >= strikesMax) continue;
      // Of those that were named each has its turn; others may be as many as an entry likes.
      if (isTimeUp && (isNewRound || !entries.isNamed(this.url))) continue;
      return this.waitFor(failedUrl, why, isNewRound ? this.waitMs(why) : 0);
    }
    throw this.given(why);
  }

  private get isPaidHere(): boolean {
    const hasTokens = this.known.tokenIds.length > (this.question.given?.tokenIds.length ?? 0);
    return this.isPaidOnce && !hasTokens && this.payment.unserved()?.isGood === true;
  }

  private async waitFor(failedUrl: string, why: TeeTeeError, waitMs: number): Promise<void> {
    this.events.onInterrupted?.(failedUrl, why, waitMs / 1000);
    if (waitMs > 0) await rest(waitMs, this.question.signal);
    this.ensureWanted();
  }

  /** As long as the entry asks to be left alone, within the patience that there is. */
  private waitMs(why: TeeTeeError): number {
    const asked = why instanceof EntryRefusal ? (why.retryAfterSeconds ?? 0) * 1000 : 0;
    const left = Math.max(this.giveUpAtMs - Date.now(), 0);
    return Math.max(restMs, Math.min(asked, left));
  }

  private given(why: TeeTeeError): TeeTeeError {
    const first = this.interruption ?? why;
    if (first === why || first.message === why.message) return why;
    // Whoever asked may choose to have it from there.
    if (this.simulated) {
      const { code, detail } = this.simulated;
      return new TeeTeeError(code, `${detail}; before: ${first.message}`);
    }
    return new TeeTeeError(
      first.code,
      `${first.detail}; no entry goes on with it, the last one: ${why.message}`,
    );
  }
}

/**
 * Asks, and goes on elsewhere behind the last token where an entry dies or cannot: the caller sees
 * one stream. No entry is told anything before its route has been verified. Errors: the entry's
 * (EntryRefusal, with status, field and Retry-After) where the request or its payment is at fault;
 * `cancelled`; `deadline_exceeded`; `simulated_rejected` where only entries are left whose TEEs are
 * simulated, and these are not allowed; else why the answer was interrupted.
 */
export async function ask(
  options: AskOptions,
  question: Question,
  events: AskEvents = {},
): Promise<Answer> {
  return new Asking(options, question, events).run();
}

/** Words for people of why there is no answer, with what to do. */
export function adviceOf(thrown: unknown): string {
  const error = asError(thrown);
  const advice = advices[error.code];
  const retry = error instanceof EntryRefusal ? error.retryAfterSeconds : undefined;
  const when = retry === undefined ? "" : ` Try again in ${retry} s.`;
  return advice ? `${advice}${when}` : `${error.detail}${when}`;
}

const advices: Readonly<Record<string, string>> = {
  payment_required: "The payment does not cover this answer: raise its limit, or buy credits.",
  voucher_unknown: "The contract does not have this voucher yet: wait a moment, or open another.",
  voucher_ended: "The voucher has expired: open another one.",
  voucher_exhausted: "The voucher is used up: open another one.",
  host_unknown: "This wallet has no live node in the pool: pay by voucher, or register a node.",
  sign_in_rejected: "The sign-in was not accepted: sign in again.",
  overloaded: "The network is full just now.",
  route_unavailable: "Not every layer of the model is served just now.",
  not_ready: "The network is not ready yet.",
  stage_failed: "A node failed in the middle of the answer, and no other took over.",
  stage_timeout: "A node did not answer in time, and no other took over.",
  connect_failed: "No entry can be reached: check the connection and the address.",
  timed_out: "The entry did not answer in time.",
  deadline_exceeded: "The answer was not whole in the time that the request allows.",
  context_exceeded: "The conversation is longer than the model can read: begin a new one.",
  kv_cache_full: "The conversation needs more room than the nodes have: begin a shorter one.",
  grammar_stuck: "No text of the model fits the form that was asked for: change the form.",
  grammar_invalid: "The form that was asked for is malformed.",
  grammar_too_complex: "The form that was asked for is too complex.",
  simulated_rejected:
    "The nodes that could answer now have simulated TEEs, which protect nothing, so they were told nothing.",
  cancelled: "Stopped.",
};
