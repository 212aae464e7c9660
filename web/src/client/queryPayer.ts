// SPDX-License-Identifier: Apache-2.0
import type { Hex } from "viem";
import { fail } from "../base/error";
import { sha256, toHex, utf8 } from "../base/bytes";
import { type ContractCall, payQueryCall, queryPrice } from "../chain/calls";
import type { Deployment } from "../chain/deployment";
import { isObject } from "./answerShape";
import { EntryRefusal } from "./fetchJson";
import { parseJsonText } from "./fields";
import {
  type AnswerPayment,
  encodeQueryClaim,
  fetchVerifiedTerms,
  type Payer,
  type Purchase,
  rest,
} from "./payers";
import { countPromptTokens } from "./promptTokens";
import type { VerifiedEntry } from "./verifiedEntry";
import { ensurePayable } from "./voucherPayer";

export interface QueryOptions {
  readonly deployment: Deployment;
  readonly pool: bigint;
  readonly weiPerCredit: bigint;
  /**
   * Has the wallet send the transaction, waits until it is in a block, and returns the number of the
   * query from its event QueryPaid (`queryOfReceipt`). `credits` is what is locked.
   */
  readonly send: (call: ContractCall, credits: bigint, signal?: AbortSignal) => Promise<bigint>;
  /** Tokens of an answer whose request names no limit. */
  readonly tokensDefault?: number;
  /** How long the entry may take to see the transaction. */
  readonly patienceMs?: number;
}

/** Of a template, around what the client says, where the entry does not count. */
const templateTokens = 64;
/** A template may write the time. */
const spareTokens = 4;
const tokensDefault = 1024;
const patienceDefaultMs = 60_000;
const queryLifeSeconds = 3600;
const seenRestMs = 1000;
const saltBytes = 16;

/**
 * Pays each request by a transaction of its own, which locks the most that it may cost; the rest
 * returns to the payer's credits. What a query paid for may be asked for again at the same entry; an
 * answer that goes on elsewhere is paid for there.
 */
export class QueryPayer implements Payer {
  readonly kind = "query";

  constructor(readonly options: QueryOptions) {}

  /** Or whoever sees the chain could try out what the request may have been. */
  bodyMembers() {
    return { salt: toHex(crypto.getRandomValues(new Uint8Array(saltBytes))) };
  }

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

class QueryAnswer implements AnswerPayment {
  /** Of each entry and body. */
  private readonly paid = new Map<string, bigint>();
  private giveUpAtMs = 0;

  constructor(private readonly options: QueryOptions) {}

  async pay(entry: VerifiedEntry, purchase: Purchase): Promise<string> {
    const requestHash: Hex = `0x${toHex(await sha256(utf8(purchase.body)))}`;
    const key = `${entry.receiptKey} ${requestHash}`;
    const known = this.paid.get(key);
    if (known !== undefined) return encodeQueryClaim(known);
    const { deployment, pool, weiPerCredit } = this.options;
    const terms = await fetchVerifiedTerms(entry, purchase.signal);
    if (terms.isFree) {
      return fail("invalid_argument", "answers of this network are free: ask without paying");
    }
    const prices = ensurePayable(entry, terms, deployment, pool);
    const query = {
      pool,
      entry: entry.receiptKey,
      requestHash,
      maxPromptTokens: await promptTokensOf(entry, purchase),
      maxCompletionTokens: purchase.tokensMax || (this.options.tokensDefault ?? tokensDefault),
      deadline: BigInt(Math.floor(Date.now() / 1000) + queryLifeSeconds),
    };
    const call = payQueryCall(deployment, query, prices, weiPerCredit);
    const id = await this.options.send(call, queryPrice(prices, query), purchase.signal);
    this.paid.set(key, id);
    this.giveUpAtMs = Date.now() + (this.options.patienceMs ?? patienceDefaultMs);
    return encodeQueryClaim(id);
  }

  onStanding(): void {}

  async triesAgain(code: string, signal?: AbortSignal): Promise<boolean> {
    // It is in a block, but not yet in as many as the entry waits for.
    if (code !== "query_unknown" || Date.now() >= this.giveUpAtMs) return false;
    await rest(seenRestMs, signal);
    return signal?.aborted !== true;
  }

  end(): void {}
}
