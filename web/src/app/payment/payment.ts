// SPDX-License-Identifier: Apache-2.0
import { createContext, useContext } from "react";
import { TeeTeeError } from "../../base/error";
import type { Prices } from "../../chain/reads";
import type { Payer } from "../../client/payers";
import type { PaidQuery } from "../../client/paidQueries";
import type { SendOptions } from "../wallet/wallet";
import type { Session } from "./sessions";
import type { PaymentMode, Step } from "./step";

/** What is known of the money of one wallet; undefined: not known (yet). */
export interface Money {
  /** Spendable credits. */
  readonly balance?: bigint;
  /** Wei. */
  readonly eth?: bigint;
  readonly weiPerCredit?: bigint;
  readonly prices?: Prices;
  /** The wallet has a live node in the pool, and so uses it free of charge. */
  readonly isHost?: boolean;
  /** A chain of one's own machine, whose ETH is worth nothing. */
  readonly isDevChain?: boolean;
  /** The entry sends the transaction that opens a session of so many credits or more. */
  readonly openedFrom?: bigint;
  /** The session that answers are paid from. */
  readonly session?: Session;
  /** Credits that are left of it. */
  readonly left?: bigint;
  /** Signed, and not in the contract: they may be opened yet. Nothing is paid from them. */
  readonly opening: readonly Session[];
  /** Those that are over, whose rest may be reclaimed. */
  readonly ended: readonly Session[];
  /** Questions that a transaction was sent for, and whose credits are locked yet. */
  readonly queries: readonly PaidQuery[];
  /** Of the newest block that was seen, Unix seconds. */
  readonly chainTime?: number;
  /** Why the chain cannot be read. */
  readonly problem?: TeeTeeError;
}

/** Of a session: the wallet signs; the entry sends its transaction, or the wallet does. */
export type OpenPhase = "signing" | "opening" | "sending";

/** Errors: those of the wallet's actions; `cancelled` where the user says no. */
export interface PaymentActions {
  refresh(): Promise<void>;
  buy(credits: bigint, options?: SendOptions): Promise<void>;
  /** Reserves credits for this browser until then; error also `payment_required`. */
  openSession(
    ceiling: bigint,
    days: number,
    onPhase?: (phase: OpenPhase) => void,
    signal?: AbortSignal,
  ): Promise<void>;
  /** Opens what was signed, with the same signature; `byWallet`: by a transaction of the wallet. */
  openSigned(
    session: Session,
    byWallet: boolean,
    onPhase?: (phase: OpenPhase) => void,
    signal?: AbortSignal,
  ): Promise<void>;
  endSession(options?: SendOptions): Promise<void>;
  reclaim(session: Session, options?: SendOptions): Promise<void>;
  /** What nobody served comes back as credits, a day after its deadline. */
  reclaimQuery(query: PaidQuery, options?: SendOptions): Promise<void>;
  /** One whose transaction nobody finds; error `not_ready` until it could be reclaimed, by both clocks. */
  forgetQuery(query: PaidQuery): void;
  /** ETH that is worth nothing, on a chain of one's own machine. */
  fund(): Promise<void>;
  /** Who pays for the next answer; undefined where answers are free. */
  payer(): Promise<Payer | undefined>;
}

export interface Payment extends Money, PaymentActions {
  readonly mode: PaymentMode;
  setMode(mode: PaymentMode): void;
  readonly step: Step;
  readonly isFree: boolean;
}

const none = () => Promise.reject(new TeeTeeError("not_ready", "payment is not ready yet"));

export const noMoney: Money = { opening: [], ended: [], queries: [] };

export const noPayment: Payment = {
  ...noMoney,
  mode: "session",
  setMode: () => {},
  step: "waiting",
  isFree: false,
  refresh: () => Promise.resolve(),
  buy: none,
  openSession: none,
  openSigned: none,
  endSession: none,
  reclaim: none,
  reclaimQuery: none,
  forgetQuery: () => {},
  fund: none,
  payer: none,
};

export const PaymentContext = createContext<Payment>(noPayment);

export function usePayment(): Payment {
  return useContext(PaymentContext);
}
