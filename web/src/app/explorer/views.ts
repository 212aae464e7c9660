// SPDX-License-Identifier: Apache-2.0
// What the explorer shows, as plain data: it comes out of a worker.

/** `unmade`: it cannot be made with what is at hand; `words` says what is missing. */
export type CheckState = "passed" | "failed" | "unmade";

export interface CheckView {
  readonly name: string;
  readonly state: CheckState;
  /** What it shows, what is wrong, or what is missing. */
  readonly words: string;
  readonly code?: string;
  readonly have?: string;
  readonly need?: string;
  readonly details?: readonly CheckView[];
}

/**
 * `verified` and `simulated` are held against a network; `alone` is consistent, and held against
 * nothing but itself.
 */
export type Verdict = "verified" | "attested" | "simulated" | "alone" | "failed";

/** A field: where its bytes stand, if they do. */
export interface FieldView {
  readonly id: string;
  readonly group: string;
  readonly label: string;
  readonly value: string;
  /** What it means, in words. */
  readonly words?: string;
  /** Of the bytes that it is in. */
  readonly begin?: number;
  readonly end?: number;
}

export interface TraceView {
  readonly begin: number;
  readonly end: number;
  /** Hex. */
  readonly digest: string;
}

export interface HardwareView {
  /** Intel's word; undefined without collateral. */
  readonly status: string | undefined;
  readonly statusWords: string;
  readonly advisories: readonly string[];
  readonly shortfalls: string;
  readonly isSimulated: boolean;
}

export interface StageView {
  /** First and last. */
  readonly layers: readonly [number, number];
  /** Receipt address, 0x hex. */
  readonly node: string;
  readonly softwareVersion: string;
  readonly epoch: number;
  /** Hex, as contracts name code; undefined where the quote is none of a TD. */
  readonly measurement: string | undefined;
  readonly shardRoot: string;
  readonly sampling: string;
  readonly input: TraceView;
  readonly output: TraceView;
  readonly signature: string;
  readonly signed: CheckState;
  readonly evidence: CheckState;
  /** Undefined where the evidence was not accepted. */
  readonly hardware: HardwareView | undefined;
  /** Whether its rows are those that the stage before sent; of the first one, the prompt's. */
  readonly joins: boolean;
  readonly statementFields: readonly FieldView[];
  readonly statement: Uint8Array<ArrayBuffer>;
  readonly quote: Uint8Array<ArrayBuffer>;
  readonly freshQuote: Uint8Array<ArrayBuffer> | undefined;
  readonly freshQuoteError: string | undefined;
}

export interface PaymentView {
  readonly kind: "free" | "voucher" | "query";
  /** Voucher's id or query's number. */
  readonly source: string;
  readonly promptPrice: string;
  readonly completionPrice: string;
  readonly charged: string;
  /** What the tokens come to at these prices. */
  readonly sum: string;
}

/** What lets others read the question: shown only when it is asked for. */
export interface OpeningView {
  readonly salt: string;
  readonly prompt: readonly number[];
  readonly answer: readonly number[];
  readonly sampling: readonly FieldView[];
}

export interface ReceiptView {
  readonly verdict: Verdict;
  /** Of what it was held against; of nothing else, "". */
  readonly network: string;
  /** Whose word it is what it was held against, where it is not the user's; else "". */
  readonly unpinned: string;
  readonly saysSimulated: boolean;
  readonly checks: readonly CheckView[];
  readonly stages: readonly StageView[];
  readonly fields: readonly FieldView[];
  readonly payment: PaymentView;
  readonly opening: OpeningView;
  readonly promptTokens: number;
  readonly cachedTokens: number;
  readonly completionTokens: number;
  readonly finishedAt: number;
  /** EIP-712 digest that the entry signed, 0x hex. */
  readonly digest: string;
  readonly chainId: string;
  readonly contract: string;
  readonly pool: string;
  /** 16 bytes, hex: its id at the entry. */
  readonly request: string;
}

export interface QuoteView {
  readonly verdict: Verdict;
  /** As of a receipt. */
  readonly unpinned: string;
  readonly network: string;
  readonly checks: readonly CheckView[];
  readonly fields: readonly FieldView[];
  readonly hardware: HardwareView | undefined;
  readonly measurement: string | undefined;
  /** Events that the guest measured, where a log came with it. */
  readonly events: readonly EventView[];
  readonly app: readonly FieldView[];
  /** Unix seconds at which it was judged, and others at which it can be. */
  readonly judgedAt: number;
  readonly collateralIssued: number | undefined;
  readonly statementFields: readonly FieldView[];
}

export interface EventView {
  readonly name: string;
  /** Text where it is some, else hex. */
  readonly payload: string;
}

/** What a network is held by; bytes as the entry handed them out. */
export interface NetworkTermsInput {
  readonly name: string;
  readonly manifest: Uint8Array;
  readonly policy: Uint8Array;
  readonly collateral: Uint8Array;
  readonly chainId: bigint;
  /** 20 bytes. */
  readonly contract: Uint8Array;
  readonly pool: bigint;
  /** Of a pool that the user has not set: who has named it, for people; else "". */
  readonly unpinned: string;
}
