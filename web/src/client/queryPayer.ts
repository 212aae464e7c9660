// SPDX-License-Identifier: Apache-2.0
import type { Address, Hex, TransactionReceipt } from "viem";
import { asError, fail, type TeeTeeError } from "../base/error";
import { sha256, toHex, utf8 } from "../base/bytes";
import { type ContractCall, payQueryCall, queryPrice } from "../chain/calls";
import { type ChainReader, readHead } from "../chain/reads";
import { isObject } from "./answerShape";
import { EntryRefusal } from "./fetchJson";
import { parseJsonText } from "./fields";
import {
  findPayment,
  type PaidQueries,
  type PaidQuery,
  queryGraceSeconds,
  queryInLogs,
  type QueryOwner,
  type Whereabouts,
} from "./paidQueries";
import {
  type AnswerPayment,
  encodeQueryClaim,
  fetchVerifiedTerms,
  type Payer,
  PaymentError,
  type Purchase,
  rest,
  type UnservedPayment,
} from "./payers";
import { countPromptTokens } from "./promptTokens";
import type { VerifiedEntry } from "./verifiedEntry";
import { ensurePayable } from "./voucherPayer";

export interface QueryOptions {
  readonly reader: ChainReader;
  readonly pool: bigint;
  /** Whose wallet it is. */
  readonly payer: Address;
  readonly weiPerCredit: bigint;
  /** What was paid before, by whichever page of this browser. */
  readonly queries: PaidQueries;
  /**
   * Has the wallet send the transaction, and waits until it is in a block: `signing` before the wallet
   * is asked, `mining` with the hash as soon as it has sent it.
   */
  readonly send: (
    call: ContractCall,
    options: {
      readonly onPhase: (phase: "trying" | "signing" | "mining", transaction?: Hex) => void;
      readonly signal?: AbortSignal | undefined;
    },
  ) => Promise<TransactionReceipt>;
  /** Tokens of an answer whose request names no limit. */
  readonly tokensDefault?: number;
  /** How long the entry may take to see the transaction, and the chain to have it in a block. */
  readonly patienceMs?: number;
}

/** Of a template, around what the client says, where the entry does not count. */
const templateTokens = 64;
/** A template may write the time. */
const spareTokens = 4;
const tokensDefault = 1024;
const patienceDefaultMs = 60_000;
const queryLifeSeconds = 3600;
/** An entry has seen by then what was paid: if it says otherwise, the query is used up. */
const seenWithinSeconds = 300;
/** So long a wallet's dialog may be open behind a page that is gone. */
const walletOpenSeconds = 600;
const seenRestMs = 1000;
const saltBytes = 16;

/** Nothing was sent. */
const unsent = new Set([
  "cancelled",
  "payment_required",
  "chain_mismatch",
  "call_reverted",
  "not_ready",
]);

/**
 * Pays each request by a transaction of its own, which locks the most that it may cost; the rest
 * returns to the payer's credits. What a query paid for may be asked for again at the same entry,
 * also by a later page; an answer that has begun and goes on elsewhere is paid for there.
 */
export class QueryPayer implements Payer {
  readonly kind = "query";

  constructor(readonly options: QueryOptions) {}

  begin(): AnswerPayment {
    return new QueryAnswer(this.options);
  }
}

/** As the entry counts them; else as many as there are bytes, which is more. */
async function promptTokensOf(entry: VerifiedEntry, purchase: Purchase): Promise<number> {
  try {
    const body = parseJsonText(purchase.body, "request", 64);
    if (!isObject(body)) return fail("invalid_argument", "query: need a request's body");
    return spareTokens + (await countPromptTokens(entry, body, purchase.signal));
  } catch (thrown) {
    if (!(thrown instanceof EntryRefusal)) throw thrown;
    return purchase.promptBytes + templateTokens;
  }
}

async function hashOf(request: string): Promise<Hex> {
  return `0x${toHex(await sha256(utf8(request)))}`;
}

function paymentError(thrown: unknown, words?: string): PaymentError {
  const { code, detail } = asError(thrown);
  return new PaymentError(code, words === undefined ? detail : `${words}: ${detail}`);
}

class QueryAnswer implements AnswerPayment {
  private salt = "";
  private seed = 0;
  /** Requests that no other answer of this page takes the queries of. */
  private readonly taken: Hex[] = [];
  /** What this answer was paid with, by entry and request; the one that was asked last comes last. */
  private readonly payments = new Map<string, PaidQuery>();
  private giveUpAtMs = 0;
  paidEntry: Address | undefined;

  constructor(private readonly options: QueryOptions) {}

  private get owner(): QueryOwner {
    const { reader, pool, payer } = this.options;
    return { ...reader.deployment, pool, payer };
  }

  /** Random, or whoever sees the chain could try out what the request may have been. */
  async bodyMembers(requestWith: (members: Record<string, unknown>) => string) {
    const { queries } = this.options;
    for (const { salt, seed, requestHash, isUsed, entry } of queries.of(this.owner)) {
      if (isUsed || (await hashOf(requestWith({ salt, seed }))) !== requestHash) continue;
      if (!(await this.take(requestHash))) continue;
      // It may have been used before it was taken, in another tab.
      if (!queries.of(this.owner).some((one) => one.requestHash === requestHash && !one.isUsed)) {
        continue;
      }
      [this.salt, this.seed] = [salt, seed];
      this.paidEntry = entry;
      return { salt, seed };
    }
    this.salt = toHex(crypto.getRandomValues(new Uint8Array(saltBytes)));
    this.seed = (crypto.getRandomValues(new Uint32Array(1))[0] ?? 0) >>> 1;
    return { salt: this.salt, seed: this.seed };
  }

  private async take(requestHash: Hex): Promise<boolean> {
    if (this.taken.includes(requestHash)) return true;
    const isMine = await this.options.queries.take(requestHash);
    if (isMine) this.taken.push(requestHash);
    return isMine;
  }

  async pay(entry: VerifiedEntry, purchase: Purchase): Promise<string> {
    const { queries } = this.options;
    const requestHash = await hashOf(purchase.body);
    await this.take(requestHash);
    const known = queries.find(this.owner, entry.receiptKey, requestHash);
    const paid = known && (await this.found(known, purchase.signal));
    return encodeQueryClaim(paid ?? (await this.payAnew(entry, purchase, requestHash)));
  }

  /** A payment of before; undefined where there is none after all, nor will be. */
  private async found(known: PaidQuery, signal?: AbortSignal): Promise<bigint | undefined> {
    const isNew = !this.payments.has(keyOf(known));
    this.note(known);
    if (isNew) this.giveUpAtMs = Date.now() + (this.options.patienceMs ?? patienceDefaultMs);
    if (known.query !== undefined) {
      return isNew && (await this.hasEnded(known)) ? undefined : known.query;
    }
    for (let paid = known; ;) {
      const where = await this.lookFor(paid);
      if (where.state === "paid") {
        this.keep({ ...paid, transaction: where.transaction, query: where.query });
        return where.query;
      }
      if (where.state === "unsent") await this.ensureOld(paid);
      if (where.state !== "pending") {
        this.drop(paid);
        return undefined;
      }
      if (where.nonce !== undefined) this.keep((paid = { ...paid, nonce: where.nonce }));
      if (Date.now() >= this.giveUpAtMs) {
        throw new PaymentError("timed_out", pendingWords(paid));
      }
      await rest(seenRestMs, signal);
      if (signal?.aborted) throw new PaymentError("cancelled", "the answer was stopped");
    }
  }

  private async lookFor(paid: PaidQuery): Promise<Whereabouts> {
    try {
      return await findPayment(this.options.reader, paid);
    } catch (thrown) {
      throw paymentError(thrown, `${sentWords(paid)}, and the chain cannot be asked for it`);
    }
  }

  /** The wallet may still show what an older page asked of it: two may be sent, if it is asked anew. */
  private async ensureOld(paid: PaidQuery): Promise<void> {
    const head = await readHead(this.options.reader).catch((thrown: unknown) => {
      throw paymentError(thrown, sentWords(paid));
    });
    const minutes = Math.ceil((paid.askedAt + walletOpenSeconds - head.timestamp) / 60);
    if (minutes <= 0) return;
    throw new PaymentError(
      "not_ready",
      "the wallet was asked to pay for this question before, and may still be open: confirm there " +
        `and ask again, or ask anew in ${minutes} min; another question is not kept waiting`,
    );
  }

  /** Behind its deadline no entry serves it. */
  private async hasEnded(paid: PaidQuery): Promise<boolean> {
    const head = await readHead(this.options.reader).catch(() => undefined);
    if (!head || head.timestamp < paid.deadline) return false;
    this.keep({ ...paid, isUsed: true });
    return true;
  }

  private get paid(): PaidQuery | undefined {
    return [...this.payments.values()].at(-1);
  }

  private note(paid: PaidQuery): void {
    this.payments.delete(keyOf(paid));
    this.payments.set(keyOf(paid), paid);
  }

  private keep(paid: PaidQuery): void {
    this.note(paid);
    this.options.queries.keep(paid);
  }

  private drop(paid: PaidQuery): void {
    this.payments.delete(keyOf(paid));
    this.options.queries.drop(paid);
  }

  private async payAnew(
    entry: VerifiedEntry,
    purchase: Purchase,
    requestHash: Hex,
  ): Promise<bigint> {
    const { reader, pool, weiPerCredit } = this.options;
    const before = this.unserved();
    if (before?.isGood && this.paid?.requestHash === requestHash) {
      // The same question: whoever asked it was asked to pay once.
      throw new PaymentError("not_ready", "it is paid at an entry that does not answer: ask again");
    }
    const terms = await fetchVerifiedTerms(entry, purchase.signal);
    if (terms.isFree) {
      return fail("invalid_argument", "answers of this network are free: ask without paying");
    }
    const prices = ensurePayable(entry, terms, reader.deployment, pool);
    const tokens = {
      maxPromptTokens: await promptTokensOf(entry, purchase),
      maxCompletionTokens: purchase.tokensMax || (this.options.tokensDefault ?? tokensDefault),
    };
    const head = await readHead(reader).catch((thrown: unknown) => {
      throw paymentError(thrown);
    });
    // By the chain's clock, which decides.
    const deadline = head.timestamp + queryLifeSeconds;
    const about = { pool, entry: entry.receiptKey, requestHash, ...tokens };
    const call = payQueryCall(
      reader.deployment,
      { ...about, deadline: BigInt(deadline) },
      prices,
      weiPerCredit,
    );
    return this.send(call, purchase.signal, {
      ...this.owner,
      entry: entry.receiptKey,
      requestHash,
      salt: this.salt,
      seed: this.seed,
      locked: queryPrice(prices, tokens),
      fromBlock: head.number + 1n,
      askedAt: head.timestamp,
      deadline,
      isUsed: false,
    });
  }

  /** Before the wallet is asked it is noted: this page may be gone when the wallet has sent it. */
  private async send(call: ContractCall, signal: AbortSignal | undefined, asked: PaidQuery) {
    this.keep(asked);
    let paid = asked;
    let isAsked = false;
    let receipt: TransactionReceipt;
    try {
      receipt = await this.options.send(call, {
        signal,
        onPhase: (phase, transaction) => {
          isAsked ||= phase !== "trying";
          if (transaction !== undefined) this.keep((paid = { ...paid, transaction }));
        },
      });
    } catch (thrown) {
      throw this.failed(paid, isAsked, asError(thrown));
    }
    const query = queryInLogs(receipt.logs, paid);
    if (query === undefined) {
      this.drop(paid);
      throw new PaymentError("call_reverted", "the wallet has sent another transaction instead");
    }
    this.keep({ ...paid, transaction: receipt.transactionHash, query });
    this.giveUpAtMs = Date.now() + (this.options.patienceMs ?? patienceDefaultMs);
    return query;
  }

  private failed(paid: PaidQuery, isAsked: boolean, error: TeeTeeError): PaymentError {
    const isNone =
      paid.transaction === undefined
        ? !isAsked || unsent.has(error.code)
        : error.code === "call_reverted";
    if (!isNone) return paymentError(error, sentWords(paid));
    this.drop(paid);
    return paymentError(error);
  }

  onStanding(): void {}

  async triesAgain(code: string, signal?: AbortSignal): Promise<boolean> {
    const { paid } = this;
    // It never pays for this request: more is to be locked, or something else.
    if (code === "query_mismatch" && paid) this.keep({ ...paid, isUsed: true });
    // Its transaction is not yet in as many blocks as the entry waits for; or the connection broke,
    // and the entry has not noticed.
    if (code !== "query_unknown" && code !== "payment_in_use") return false;
    if (Date.now() < this.giveUpAtMs && !(code === "query_unknown" && (await this.isOld()))) {
      await rest(seenRestMs, signal);
      return signal?.aborted !== true;
    }
    return false;
  }

  /** The entry has seen it, and takes it no more. */
  private async isOld(): Promise<boolean> {
    const { paid } = this;
    if (!paid) return false;
    const head = await readHead(this.options.reader).catch(() => undefined);
    if (!head) return false;
    // From when it is in a block: the wallet may have taken its time before.
    if (paid.unknownAt === undefined) {
      this.keep({ ...paid, unknownAt: head.timestamp });
      return false;
    }
    if (head.timestamp < paid.unknownAt + seenWithinSeconds) return false;
    this.keep({ ...paid, isUsed: true });
    return true;
  }

  unserved(): UnservedPayment | undefined {
    const sent = [...this.payments.values()].filter(
      ({ transaction, query }) => transaction !== undefined || query !== undefined,
    );
    const last = sent.findLast(({ isUsed }) => !isUsed) ?? sent.at(-1);
    if (!last) return undefined;
    const { transaction, query, deadline, isUsed } = last;
    return {
      transaction,
      query,
      reclaimableFrom: deadline + queryGraceSeconds,
      isGood: !isUsed,
    };
  }

  end(isServed: boolean): void {
    const { paid } = this;
    if (isServed && paid) this.keep({ ...paid, isUsed: true });
    for (const requestHash of this.taken) this.options.queries.giveBack(requestHash);
    this.taken.length = 0;
  }
}

function keyOf({ entry, requestHash }: PaidQuery): string {
  return `${entry.toLowerCase()} ${requestHash}`;
}

function pendingWords(paid: PaidQuery): string {
  return paid.transaction === undefined
    ? "a transaction of this wallet is on its way, which may pay for this question: wait for it"
    : `${sentWords(paid)} and is in no block yet`;
}

function sentWords({ transaction, query }: PaidQuery): string {
  if (query !== undefined) return `query ${query} is paid`;
  return transaction === undefined
    ? "the wallet was asked to pay, and what it did is not known"
    : `transaction ${transaction} pays for this question`;
}
