// SPDX-License-Identifier: Apache-2.0
import type { Address, Hex } from "viem";
import { fail } from "../base/error";
import { sha256, toHex, utf8 } from "../base/bytes";
import { type Deployment, isSameAddress, isSameDeployment } from "../chain/deployment";
import type { Prices } from "../chain/reads";
import { requestDigest, signDigest, spendDigest } from "../chain/typedData";
import { type PaidTerms, parseStanding, type Standing } from "./entries";
import { paymentAnswerBytesMax } from "./limits";
import {
  type AnswerPayment,
  encodeVoucherClaim,
  fetchVerifiedTerms,
  type Payer,
  paymentHeader,
  type Purchase,
  rest,
} from "./payers";
import { costOf } from "./promptTokens";
import type { VerifiedEntry } from "./verifiedEntry";

/** A voucher with the key that spends it. Whoever holds it can spend what is left. */
export interface VoucherSession {
  readonly deployment: Deployment;
  readonly pool: bigint;
  readonly voucher: Hex;
  /** 32 bytes. */
  readonly sessionKey: Hex;
  readonly ceiling: bigint;
}

export interface VoucherOptions {
  /** Signs for no more than so many credits beyond what an entry had charged before. */
  readonly spendMax?: bigint;
  /** Completion tokens that are signed for at first; then doubled. */
  readonly tokensAhead?: number;
  /** How long the opening of the voucher is waited for. */
  readonly patienceMs?: number;
  /** However the voucher stands by now. */
  readonly onStanding?: (entry: Address, standing: Standing) => void;
}

/** Of a template, around what the client says. */
const templateTokens = 64;
/** A prompt of more tokens than bytes is none; some templates say more than the client does. */
const promptFactorMax = 64;
/** Twice what the program begins with: a page takes longer to sign. */
const tokensAheadDefault = 128;
const patienceDefaultMs = 60_000;
const openingRestMs = 1000;

function least(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

function most(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}

function usedOf(standing: Standing): bigint {
  return standing.charged + standing.held;
}

/** One entry. */
interface Account {
  readonly chargedBefore: bigint;
  /** What answers under way are about to take, as far as it is foreseen. */
  ahead: bigint;
}

/** That the entry is of the voucher's pool, and is paid as who its evidence says that it is. */
export function ensurePayable(
  entry: VerifiedEntry,
  terms: PaidTerms,
  deployment: Deployment,
  pool: bigint,
): Prices {
  if (!isSameDeployment(terms.deployment, deployment) || terms.pool !== pool) {
    fail(
      "invalid_argument",
      `payment: have one for pool ${pool} of ${deployment.contract}, the entry is of pool ${terms.pool} of ${terms.deployment.contract}`,
    );
  }
  if (!isSameAddress(terms.entry, entry.receiptKey)) {
    fail("channel_unbound", "the entry wants to be paid as another one");
  }
  return terms.prices ?? fail("not_ready", "the pool takes no requests now: try again");
}

/**
 * Pays out of a voucher. Signs for the prompt and the beginning of an answer, and for more as the
 * answer comes, in steps that double; never for more than the voucher has, nor than the options
 * allow. A voucher has one sum for all that an entry is to have of it: what is signed for one answer
 * covers what the others under way are about to take, too.
 */
export class VoucherPayer implements Payer {
  readonly kind = "voucher";
  private readonly accounts = new Map<string, Account>();
  /** The last one's, by entry. */
  private readonly timesMs = new Map<string, number>();

  constructor(
    readonly session: VoucherSession,
    readonly options: VoucherOptions = {},
  ) {}

  begin(): AnswerPayment {
    return new VoucherAnswer(this);
  }

  /** How the voucher stands with an entry. Errors: those of raise. */
  async standing(entry: VerifiedEntry, signal?: AbortSignal): Promise<Standing> {
    // Less than what was shown before changes nothing.
    return this.raise(entry, 1n, signal);
  }

  /** Shows an entry that it may claim so much in all. Errors: those of VerifiedEntry.fetchJson. */
  async raise(entry: VerifiedEntry, amount: bigint, signal?: AbortSignal): Promise<Standing> {
    const claim = encodeVoucherClaim({
      voucher: this.session.voucher,
      amount,
      signature: await this.signSpend(entry.receiptKey, amount),
    });
    const headers = { "content-type": "application/json", [paymentHeader]: claim };
    const call = { method: "POST", path: "/v1/payment/raise", headers, signal } as const;
    const standing = parseStanding(await entry.fetchJson(call, paymentAnswerBytesMax));
    this.options.onStanding?.(entry.receiptKey, standing);
    return standing;
  }

  /** The header for one request, for a sum. */
  async claim(entry: VerifiedEntry, amount: bigint, body: string): Promise<string> {
    const { deployment, voucher, sessionKey } = this.session;
    const timeMs = this.nextTimeMs(entry);
    const bodyHash: Hex = `0x${toHex(await sha256(utf8(body)))}`;
    const terms = { voucher, entry: entry.receiptKey, bodyHash, time: BigInt(timeMs) };
    return encodeVoucherClaim({
      voucher,
      amount,
      signature: await this.signSpend(entry.receiptKey, amount),
      proof: {
        timeMs,
        signature: await signDigest(requestDigest(deployment, terms), sessionKey),
      },
    });
  }

  accountOf(entry: Address, standing: Standing): Account {
    const key = entry.toLowerCase();
    const known = this.accounts.get(key);
    if (known) return known;
    const made = { chargedBefore: standing.charged, ahead: 0n };
    this.accounts.set(key, made);
    return made;
  }

  /** The most that may be signed. */
  limitOf(account: Account, standing: Standing): bigint {
    const all = least(standing.claimable, this.session.ceiling);
    const { spendMax } = this.options;
    return spendMax === undefined ? all : least(all, account.chargedBefore + spendMax);
  }

  private async signSpend(entry: Address, amount: bigint): Promise<Hex> {
    const { deployment, voucher, sessionKey } = this.session;
    return signDigest(spendDigest(deployment, { voucher, entry, amount }), sessionKey);
  }

  /**
   * By the entry's clock. Each request has a time of its own, so that the same one can be made twice,
   * by others too.
   */
  private nextTimeMs({ receiptKey, clockAhead }: VerifiedEntry): number {
    const key = receiptKey.toLowerCase();
    const random = crypto.getRandomValues(new Uint16Array(1))[0] ?? 0;
    const nowMs = (Math.floor(Date.now() / 1000) + clockAhead) * 1000 + (random % 1000);
    const timeMs = Math.max((this.timesMs.get(key) ?? 0) + 1, nowMs);
    this.timesMs.set(key, timeMs);
    return timeMs;
  }
}

class VoucherAnswer implements AnswerPayment {
  private account: Account | undefined;
  /** Of the entry that was paid last. */
  private entry: Address | undefined;
  private prices: Prices = { prompt: 0n, completion: 0n };
  private ahead = 0n;
  private tokensAhead = 0;
  private promptFactor = 1;
  private giveUpAtMs = 0;
  private isRaising = false;
  private readonly ended = new AbortController();

  constructor(private readonly payer: VoucherPayer) {}

  async bodyMembers() {
    return {};
  }

  async pay(entry: VerifiedEntry, purchase: Purchase): Promise<string> {
    const { deployment, pool } = this.payer.session;
    const terms = await fetchVerifiedTerms(entry, purchase.signal);
    if (terms.isFree) {
      return fail("invalid_argument", "answers of this network are free: ask without a voucher");
    }
    this.prices = ensurePayable(entry, terms, deployment, pool);
    if (this.giveUpAtMs === 0) {
      this.giveUpAtMs = Date.now() + (this.payer.options.patienceMs ?? patienceDefaultMs);
    }
    const standing = await this.payer.standing(entry, purchase.signal);
    const amount = this.sumToSign(entry.receiptKey, standing, purchase, terms.leadTokens);
    return this.payer.claim(entry, amount, purchase.body);
  }

  onStanding(entry: VerifiedEntry, standing: Standing): void {
    this.payer.options.onStanding?.(entry.receiptKey, standing);
    const { account } = this;
    if (!account || this.entry === undefined || !isSameAddress(entry.receiptKey, this.entry)) {
      return;
    }
    this.giveUpAtMs = 0;
    this.promptFactor = 1;
    const used = usedOf(standing);
    // The prompt is held by now.
    this.foresee(costOf(this.prices, 0, this.tokensAhead));
    const left = standing.signed - least(standing.signed, used);
    if (left >= account.ahead / 2n || this.isRaising) return;
    const amount = least(used + 2n * account.ahead, this.payer.limitOf(account, standing));
    if (amount > standing.signed) void this.raise(entry, amount);
  }

  async triesAgain(code: string, signal?: AbortSignal): Promise<boolean> {
    if (code === "payment_required" && this.promptFactor < promptFactorMax) {
      this.promptFactor *= 4;
      return true;
    }
    if (code === "voucher_unknown" && Date.now() < this.giveUpAtMs) {
      // Its opening is in a block, but not yet in as many as the entry waits for.
      await rest(openingRestMs, signal);
      return signal?.aborted !== true;
    }
    return false;
  }

  /** What was signed for and not served stays in the voucher. */
  unserved(): undefined {}

  end(): void {
    this.foresee(0n);
    this.account = undefined;
    this.ended.abort();
  }

  /** What is not raised now can be at the next comment; else the answer ends for want of money. */
  private async raise(entry: VerifiedEntry, amount: bigint): Promise<void> {
    this.isRaising = true;
    try {
      await this.payer.raise(entry, amount, this.ended.signal);
      this.tokensAhead *= 2;
    } catch {
      // The answer goes on as far as it is paid.
    } finally {
      this.isRaising = false;
    }
  }

  private sumToSign(
    entry: Address,
    standing: Standing,
    purchase: Purchase,
    leadTokens: number,
  ): bigint {
    this.foresee(0n);
    const account = this.payer.accountOf(entry, standing);
    this.account = account;
    this.entry = entry;
    this.tokensAhead = Math.max(this.payer.options.tokensAhead ?? tokensAheadDefault, leadTokens);
    const promptTokens = (purchase.promptBytes + templateTokens) * this.promptFactor;
    this.foresee(costOf(this.prices, promptTokens, this.tokensAhead));
    // What the others have begun is held already, or foreseen, or for a moment both: that is signed
    // for too early, and not charged.
    const need = most(standing.signed, usedOf(standing) + account.ahead);
    return least(need, this.payer.limitOf(account, standing));
  }

  private foresee(amount: bigint): void {
    if (!this.account) return;
    this.account.ahead += amount - this.ahead;
    this.ahead = amount;
  }
}
