// SPDX-License-Identifier: Apache-2.0
import type { Address, Hex } from "viem";
import { TeeTeeError } from "../base/error";
import { parseEntryTerms, type Standing } from "./entries";
import { paymentAnswerBytesMax } from "./limits";
import type { VerifiedEntry } from "./verifiedEntry";

// How answers are paid for (docs/api.md, "Paying"). What goes into the header TeeTee-Payment is
// sealed with the request.

export const paymentHeader = "teetee-payment";

/** An answer that is asked for. */
export interface Purchase {
  /** The body of the request, as it is sent. */
  readonly body: string;
  /** Bytes of its text, each of which may be a token. */
  readonly promptBytes: number;
  /** The most tokens that the answer may have; 0 where the request does not say. */
  readonly tokensMax: number;
  readonly signal?: AbortSignal | undefined;
}

/** The payment itself failed: no entry would do better, and none is paid in its place. */
export class PaymentError extends TeeTeeError {
  constructor(code: string, detail: string) {
    super(code, detail);
    this.name = "PaymentError";
  }
}

/** A payment for an answer that did not come. */
export interface UnservedPayment {
  readonly transaction: Hex | undefined;
  /** undefined until it is in a block. */
  readonly query: bigint | undefined;
  /** Unix seconds: from then on what nobody served comes back. */
  readonly reclaimableFrom: number;
  /** The same question, asked again, is not paid for again. */
  readonly isGood: boolean;
}

type BodyMembers = Readonly<Record<string, unknown>>;

/** How one answer is paid for, at whichever entries give it. */
export interface AnswerPayment {
  /**
   * What goes into the body of the request, unless the question says it itself; unknown members are
   * ignored by entries. `requestWith` makes the request that these members come to, so that one that
   * was paid for before can be made again.
   */
  bodyMembers(requestWith: (members: BodyMembers) => string): Promise<BodyMembers>;
  /** The receipt key of the entry that was paid for this request before: it is asked first. */
  readonly paidEntry?: Address | undefined;
  /** What goes into TeeTee-Payment; undefined where answers are free. */
  pay(entry: VerifiedEntry, purchase: Purchase): Promise<string | undefined>;
  /** The entry tells, while it answers, how the voucher stands. */
  onStanding(entry: VerifiedEntry, standing: Standing): void;
  /** Whether to pay and ask once more, after the entry has refused with this. */
  triesAgain(code: string, signal?: AbortSignal): Promise<boolean>;
  /** What was paid for the answer and has not been used, where it failed. */
  unserved(): UnservedPayment | undefined;
  /** The answer is over; `isServed`: nothing more is to be had for what was paid. */
  end(isServed: boolean): void;
}

/** How a client pays the entries that it asks; several answers may be paid for at a time. */
export interface Payer {
  readonly kind: "free" | "host" | "query" | "voucher";
  begin(): AnswerPayment;
}

class FreeAnswer implements AnswerPayment {
  async bodyMembers(): Promise<BodyMembers> {
    return {};
  }
  async pay(): Promise<undefined> {
    return undefined;
  }
  onStanding(): void {}
  async triesAgain(): Promise<boolean> {
    return false;
  }
  unserved(): undefined {}
  end(): void {}
}

/** For networks without a chain. */
export class FreePayer implements Payer {
  readonly kind = "free";

  begin(): AnswerPayment {
    return new FreeAnswer();
  }
}

/**
 * GET /v1/payment, sealed, so that nobody on the way changes prices. Errors: those of
 * VerifiedEntry.fetchJson, `invalid_json`.
 */
export async function fetchVerifiedTerms(entry: VerifiedEntry, signal?: AbortSignal) {
  const call = { method: "GET", path: "/v1/payment", signal } as const;
  return parseEntryTerms(await entry.fetchJson(call, paymentAnswerBytesMax));
}

/** The members of a payment by voucher; without the proof it may only raise the sum. */
export interface VoucherClaim {
  readonly voucher: Hex;
  readonly amount: bigint;
  readonly signature: Hex;
  readonly proof?: { readonly timeMs: number; readonly signature: Hex };
}

/** As src/billing/payment_header.hpp has it. */
export function encodeVoucherClaim(claim: VoucherClaim): string {
  const spend = `voucher id=${claim.voucher}, amount=${claim.amount}, signature=${claim.signature}`;
  const { proof } = claim;
  return proof ? `${spend}, time=${proof.timeMs}, request=${proof.signature}` : spend;
}

export function encodeQueryClaim(query: bigint): string {
  return `query id=${query}`;
}

export function encodeHostClaim(token: string): string {
  return `host token=${token}`;
}

/** Resolves after the time, or when the signal comes. */
export function rest(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    if (signal?.aborted) done();
    else signal?.addEventListener("abort", done);
  });
}
