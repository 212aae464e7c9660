// SPDX-License-Identifier: Apache-2.0
// How far a voucher, a query or a refund is, from its times and what is left.

/** Entries keep that long to claim what was signed for (Limits.SETTLE_GRACE), queries a day. */
export const settleGraceSeconds = 7 * 86_400;
export const queryGraceSeconds = 86_400;

/**
 * `open` it can be spent; `ending` entries may still claim; `reclaimable` what is left can be taken
 * back; `empty` nothing is left.
 */
export type VoucherPhase = "open" | "ending" | "reclaimable" | "empty";

export function voucherPhase(
  voucher: { readonly remaining: bigint; readonly expiry: number },
  now: number,
): VoucherPhase {
  if (voucher.remaining === 0n) return "empty";
  if (now < voucher.expiry) return "open";
  return now <= voucher.expiry + settleGraceSeconds ? "ending" : "reclaimable";
}

export type RefundPhase = "none" | "waiting" | "ready";

export function refundPhase(
  refund: { readonly amount: bigint; readonly readyAt: number },
  now: number,
): RefundPhase {
  if (refund.amount === 0n) return "none";
  return now < refund.readyAt ? "waiting" : "ready";
}

/** Until when a query that nobody served cannot be taken back. */
export function isQueryReclaimable(deadline: number, now: number): boolean {
  return now > deadline + queryGraceSeconds;
}
