// SPDX-License-Identifier: Apache-2.0
import { fail, TeeTeeError } from "../base/error";
import { type AnswerShape, isObject, type JsonObject, partOf, textOf } from "./answerShape";
import type { Standing } from "./entries";
import { type EntryRefusal, refusalOf } from "./fetchJson";
import { parseJsonText } from "./fields";
import { answerTokensMax, eventBytesMax } from "./limits";

/** What the page has of an answer: enough for any entry to go on with it, token for token. */
export interface PartialAnswer {
  tokenIds: number[];
  /** As the first entry told them. */
  seed: number | undefined;
  created: number | undefined;
  /** The format of rows with which the tokens were computed. */
  activations: string | undefined;
  /** Something has been given out that no token stands for: nobody can go on with it. */
  isLost: boolean;
}

export function noAnswer(): PartialAnswer {
  return {
    tokenIds: [],
    seed: undefined,
    created: undefined,
    activations: undefined,
    isLost: false,
  };
}

/** The request for the rest of the answer to `body`, as a stream that can be taken up in its turn. */
export function requestForRest(body: JsonObject, known: PartialAnswer): JsonObject {
  return {
    ...body,
    stream: true,
    return_token_ids: true,
    ...(known.seed === undefined ? {} : { seed: known.seed }),
    ...(known.created === undefined ? {} : { created: known.created }),
    ...(known.tokenIds.length === 0 ? {} : { answer_token_ids: known.tokenIds }),
    // Without tokens another entry may well begin anew with another format.
    ...(known.tokenIds.length === 0 || known.activations === undefined
      ? {}
      : { activations: known.activations }),
  };
}

/** The body's "timeout" in milliseconds; undefined where it says nothing that an entry would take. */
export function timeoutMsOf(body: JsonObject): number | undefined {
  const seconds = body["timeout"];
  const isTime = typeof seconds === "number" && seconds > 0 && seconds <= 365 * 86_400;
  return isTime ? seconds * 1000 : undefined;
}

/** `: payment charged=1 held=2 signed=3 claimable=4`; undefined for other lines. */
export function parseStandingComment(line: string): Standing | undefined {
  const number = "(0|[1-9][0-9]{0,19})";
  const pattern = `^: payment charged=${number} held=${number} signed=${number} claimable=${number}$`;
  const [, charged, held, signed, claimable] = new RegExp(pattern).exec(line) ?? [];
  if (!charged || !held || !signed || !claimable) return undefined;
  const standing = {
    charged: BigInt(charged),
    held: BigInt(held),
    signed: BigInt(signed),
    claimable: BigInt(claimable),
  };
  return Object.values(standing).every((value) => value < 1n << 64n) ? standing : undefined;
}

const paymentTypes = ["payment_error", "authentication_error", "permission_error"];

/** What an entry says of why there is no answer, and whether any entry would say the same. */
export interface SaidError {
  readonly refusal: EntryRefusal;
  readonly isOfRequest: boolean;
}

/** Judges an error as src/client/partial_answer.cpp does. */
export function saidErrorOf(refusal: EntryRefusal): SaidError {
  const isOfMoney = paymentTypes.includes(refusal.type);
  const isOverTime = refusal.code === "deadline_exceeded";
  // Another entry may have more room, or the format of the answer's rows.
  const isOfEntry = refusal.code === "kv_cache_full" || refusal.code === "activations_differ";
  const isOfRequest = refusal.type === "invalid_request_error" && !isOfEntry;
  return { refusal, isOfRequest: isOfMoney || isOverTime || isOfRequest };
}

/** Where what an entry streams of an answer goes; each may be missing. */
export interface AnswerSink {
  readonly onText?: ((text: string) => void) | undefined;
  /** The whole event that a text is of, and those without any. */
  readonly onEvent?: ((event: JsonObject) => void) | undefined;
  readonly onStanding?: ((standing: Standing) => void) | undefined;
}

const receiptsPath = "/v1/receipts/";
const idPattern = /^[0-9a-z-]{1,64}$/;
const activationFormats = ["f32", "f16", "q8"];

function malformed(what: string): never {
  return fail("invalid_json", `answer: ${what}`);
}

function integerAt(event: JsonObject, name: string): number | undefined {
  const value = event[name];
  if (value === undefined) return undefined;
  return Number.isSafeInteger(value) ? (value as number) : malformed(`${name} is no integer`);
}

/**
 * Reads what one entry streams of an answer (docs/api.md, "Taking up an answer"): text goes out at
 * once, its tokens are added to what is known with it. What comes with the answer's end counts only
 * once the stream has ended as it should: if it does not, another entry gives it again.
 */
export class AnswerReader {
  /** Where the receipt of this part will be; "" as long as it is not known. */
  receiptPath = "";
  endedByPayment = false;
  /** Why the answer ends: "stop", "length", "tool_calls"; "" before. */
  finishReason = "";
  /** Some event has been given out. */
  hasBegun = false;
  refusal: SaidError | undefined;
  private readonly decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  private buffer = "";
  private activations: string | undefined;
  /** From the reason why the answer ends on. */
  private readonly lastEvents: JsonObject[] = [];
  /** Text that came with the answer's end. */
  private lastText = "";
  private hasEnded = false;
  private isComplete = false;
  private failed: TeeTeeError | undefined;

  constructor(
    private readonly known: PartialAnswer,
    private readonly sink: AnswerSink,
    private readonly shape: AnswerShape,
    /** Every text must come with its tokens; without that all is given out as it comes. */
    private readonly isResumable: boolean,
  ) {}

  /** The body as it comes; false where no more of it is wanted. */
  feed(chunk: Uint8Array): boolean {
    try {
      this.buffer += this.decoder.decode(chunk, { stream: true });
    } catch {
      this.failed ??= new TeeTeeError("invalid_utf8", "answer: is no UTF-8");
      return false;
    }
    let begin = 0;
    for (
      let end = this.buffer.indexOf("\n");
      end >= 0 && this.wantsMore;
      end = this.buffer.indexOf("\n", begin)
    ) {
      const line = this.buffer.slice(begin, end);
      begin = end + 1;
      this.onLine(line.endsWith("\r") ? line.slice(0, -1) : line);
    }
    this.buffer = this.buffer.slice(begin);
    if (this.buffer.length > eventBytesMax) {
      this.failed ??= new TeeTeeError("limit_exceeded", "answer: an endless event");
    }
    return this.wantsMore;
  }

  /**
   * There is no more. Errors: that of an error event; `invalid_json`, `limit_exceeded` for what is no
   * such stream; `connection_closed` where the end is missing.
   */
  finish(): void {
    if (this.refusal) throw this.refusal.refusal;
    if (this.failed) throw this.failed;
    if (!this.isComplete) fail("connection_closed", "the answer ended before it was complete");
    if (this.lastText !== "") this.sink.onText?.(this.lastText);
    for (const event of this.lastEvents) this.sink.onEvent?.(event);
  }

  /** Text that no token stands for: whoever goes on with the answer's tokens gives it again. */
  get heldText(): string {
    return this.lastText;
  }

  private get wantsMore(): boolean {
    return !this.isComplete && !this.refusal && !this.failed;
  }

  private onLine(line: string): void {
    const mark = "data: ";
    if (line.startsWith(":")) {
      const standing = parseStandingComment(line);
      if (standing) this.sink.onStanding?.(standing);
      return;
    }
    if (!line.startsWith(mark)) return;
    try {
      this.onData(line.slice(mark.length));
    } catch (thrown) {
      // What a sink throws is the caller's own affair.
      if (!(thrown instanceof TeeTeeError)) throw thrown;
      this.failed = thrown;
    }
  }

  private onData(data: string): void {
    if (data === "[DONE]") {
      if (!this.hasEnded && this.isResumable) malformed("an end without a reason");
      this.isComplete = true;
      return;
    }
    if (data.length > eventBytesMax) fail("limit_exceeded", "answer: an event is too long");
    const event = parseJsonText(data, "answer", 32);
    if (!isObject(event)) return malformed("an event is no JSON object");
    this.onEvent(event);
  }

  private onEvent(event: JsonObject): void {
    if (isObject(event["error"])) {
      this.refusal = saidErrorOf(refusalOf(event, 0));
      return;
    }
    this.known.seed ??= integerAt(event, "seed");
    this.known.created ??= integerAt(event, "created");
    const { activations, id } = event;
    if (typeof activations === "string") {
      if (!activationFormats.includes(activations)) malformed("activations of an unknown format");
      this.activations = activations;
    }
    if (typeof id === "string" && idPattern.test(id) && !this.hasEnded) {
      this.receiptPath = receiptsPath + id;
    }
    const part = partOf(this.shape, event);
    if (part) this.onPart(event, part);
    else if (this.hasEnded) this.lastEvents.push(event);
    else this.giveOut(event, "");
  }

  private onPart(event: JsonObject, part: JsonObject): void {
    const text = textOf(this.shape, part);
    const reason = part["finish_reason"];
    const isLast = reason !== undefined && reason !== null;
    if (isLast || "ended_by" in event) this.endedByPayment = event["ended_by"] === "payment";
    if (isLast) {
      this.receiptPath = receiptPathOf(event);
      this.finishReason = typeof reason === "string" ? reason : "";
    }
    if (!this.isResumable) {
      this.hasEnded ||= isLast;
      this.giveOut(event, text);
      return;
    }
    if (this.hasEnded) malformed("text behind the end");
    if (isLast) {
      this.hasEnded = true;
      this.lastText = text;
      this.lastEvents.push(event);
      return;
    }
    const tokenIds = part["token_ids"];
    if (tokenIds === undefined) {
      if (text !== "") malformed("text that cannot be gone on with");
      this.noteLoss(part["delta"]);
    } else {
      this.onTokens(tokenIds);
    }
    this.giveOut(event, text);
  }

  /** A call of a tool, say, is of no token. */
  private noteLoss(delta: unknown): void {
    if (!isObject(delta)) return;
    const isLoss = Object.keys(delta).some((name) => name !== "role" && name !== "content");
    this.known.isLost ||= isLoss;
  }

  private onTokens(tokenIds: unknown): void {
    if (this.known.tokenIds.length === 0) this.known.activations = this.activations;
    const isToken = (id: unknown) =>
      Number.isInteger(id) && (id as number) >= 0 && (id as number) < 2 ** 32;
    if (!Array.isArray(tokenIds) || !tokenIds.every(isToken)) {
      return malformed("token_ids holds what is no token");
    }
    if (this.known.tokenIds.length + tokenIds.length > answerTokensMax) {
      fail("limit_exceeded", "answer: too many tokens");
    }
    this.known.tokenIds.push(...(tokenIds as number[]));
  }

  private giveOut(event: JsonObject, text: string): void {
    this.hasBegun = true;
    if (text !== "") this.sink.onText?.(text);
    this.sink.onEvent?.(event);
  }
}

/** "" where there is none. */
function receiptPathOf(event: JsonObject): string {
  const path = event["receipt"];
  if (typeof path !== "string") return "";
  const isPath = path.startsWith(receiptsPath) && idPattern.test(path.slice(receiptsPath.length));
  return isPath ? path : malformed("a receipt elsewhere");
}
