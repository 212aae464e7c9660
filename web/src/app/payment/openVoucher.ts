// SPDX-License-Identifier: Apache-2.0
import type { Hex } from "viem";
import { asError, fail } from "../../base/error";
import { openVoucherCall } from "../../chain/calls";
import { type ChainReader, readBalance, readHead, readVoucher } from "../../chain/reads";
import {
  makeSessionKey,
  randomSalt,
  type Voucher,
  voucherId,
  voucherTypedData,
} from "../../chain/typedData";
import { parseVoucherOpened } from "../../client/entries";
import type { EntryPool } from "../../client/entryPool";
import { paymentAnswerBytesMax } from "../../client/limits";
import { fetchVerifiedTerms, rest } from "../../client/payers";
import type { WalletActions } from "../wallet/wallet";
import type { OpenPhase } from "./payment";
import type { Session, SessionOwner } from "./sessions";

export interface OpeningTools {
  readonly owner: SessionOwner;
  readonly reader: ChainReader;
  readonly entries: EntryPool;
  readonly wallet: WalletActions;
}

export interface OpeningWish {
  readonly ceiling: bigint;
  readonly days: number;
  readonly onPhase?: ((phase: OpenPhase) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Once it is signed: from then on its credits may be reserved, whatever becomes of the page. */
  readonly onSigned: (session: Session) => void;
}

const secondsOfDay = 86_400;
const askAgainMs = 1_000;
/** An entry sends it within seconds; then as many blocks must follow as it waits for. */
const openWaitMs = 120_000;

/** The entry does not open this one, whoever asks; the wallet can. */
const declined = new Set(["route_unknown", "wallet_empty", "overloaded", "rpc_unavailable"]);
/** The entry may not have seen the credits yet that the chain has. */
const notYet = new Set(["payment_required", "timed_out", "connect_failed", "not_ready"]);

/**
 * A session: the wallet signs a voucher for a key of this browser. The entry sends the transaction
 * that opens it, where it does that; else the wallet sends it. Errors: those of the wallet;
 * `payment_required`, `call_reverted`, `timed_out`, `cancelled`.
 */
export async function openVoucher(tools: OpeningTools, wish: OpeningWish): Promise<Session> {
  const { owner, reader, wallet } = tools;
  const balance = await readBalance(reader, owner.payer);
  if (balance < wish.ceiling) {
    fail("payment_required", `the wallet has ${balance} credits, this takes ${wish.ceiling}`);
  }
  const head = await readHead(reader);
  const key = makeSessionKey();
  const voucher: Voucher = {
    payer: owner.payer,
    pool: owner.pool,
    sessionKey: key.address,
    ceiling: wish.ceiling,
    // Of the chain's clock, which a dev chain may have to itself.
    expiry: BigInt(
      Math.max(head.timestamp, Math.floor(Date.now() / 1000)) + wish.days * secondsOfDay,
    ),
    salt: randomSalt(),
  };
  wish.onPhase?.("signing");
  const signature = await wallet.signVoucher(voucherTypedData(reader.deployment, voucher));
  const session: Session = {
    ...owner,
    voucher: voucherId(reader.deployment, voucher),
    sessionKey: key.key,
    ceiling: wish.ceiling,
    expiry: Number(voucher.expiry),
    since: Math.floor(Date.now() / 1000),
    charged: {},
  };
  wish.onSigned(session);
  if (await openByEntry(tools, wish, voucher, signature)) return session;
  wish.onPhase?.("sending");
  const call = openVoucherCall(reader.deployment, voucher, signature);
  await wallet.send(call, { signal: wish.signal });
  return session;
}

/** Sealed, so that nobody on the way learns who chats from when on. */
function openingCall(voucher: Voucher, signature: Hex) {
  const body = JSON.stringify({
    payer: voucher.payer,
    pool: voucher.pool.toString(),
    session_key: voucher.sessionKey,
    ceiling: voucher.ceiling.toString(),
    expiry: Number(voucher.expiry),
    salt: voucher.salt,
    signature,
  });
  const headers = { "content-type": "application/json" };
  return { method: "POST", path: "/v1/vouchers", headers, body } as const;
}

/** False where the entry opens none like it. */
async function openByEntry(
  { entries, reader }: OpeningTools,
  { ceiling, onPhase, signal }: OpeningWish,
  voucher: Voucher,
  signature: Hex,
): Promise<boolean> {
  const entry = await entries.open(entries.preferred);
  const terms = await fetchVerifiedTerms(entry, signal);
  if (terms.isFree || !terms.opensVouchers || ceiling < terms.voucherCeilingMin) return false;
  onPhase?.("opening");
  const id = voucherId(reader.deployment, voucher);
  const call = { ...openingCall(voucher, signature), signal } as const;
  for (const until = Date.now() + openWaitMs; Date.now() < until;) {
    if (signal?.aborted) fail("cancelled", "not waited for any longer; it may still be opened");
    try {
      const opened = parseVoucherOpened(await entry.fetchJson(call, paymentAnswerBytesMax));
      if (opened.isOpen) return true;
    } catch (thrown) {
      const error = asError(thrown);
      // Somebody may have opened it meanwhile.
      if (declined.has(error.code)) return (await readVoucher(reader, id)) !== undefined;
      if (!notYet.has(error.code)) throw error;
    }
    await rest(askAgainMs, signal);
  }
  return (await readVoucher(reader, id)) !== undefined;
}
