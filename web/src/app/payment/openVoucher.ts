// SPDX-License-Identifier: Apache-2.0
import { privateKeyToAddress } from "viem/accounts";
import { asError, fail, TeeTeeError } from "../../base/error";
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
import type { VerifiedEntry } from "../../client/verifiedEntry";
import type { WalletActions } from "../wallet/wallet";
import type { OpenPhase } from "./payment";
import type { Session, SessionOwner } from "./sessions";

export interface OpeningTools {
  readonly owner: SessionOwner;
  readonly reader: ChainReader;
  readonly entries: EntryPool;
  readonly wallet: WalletActions;
}

export interface OpeningOptions {
  readonly onPhase?: ((phase: OpenPhase) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface OpeningWish extends OpeningOptions {
  readonly ceiling: bigint;
  readonly days: number;
  /** Once it is signed: from then on its credits may be reserved, whatever becomes of the page. */
  readonly onSigned: (session: Session) => void;
}

const secondsOfDay = 86_400;
const askAgainMs = 1_000;
/** An entry sends it within seconds; then as many blocks must follow as it waits for. */
const openWaitMs = 120_000;

/** The entry does not open this one, whoever asks; the wallet can. */
const declined = new Set([
  "route_unknown",
  "wallet_empty",
  "overloaded",
  "rpc_unavailable",
  "fee_too_high",
]);
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
  // Whatever can fail without a signature is to fail before there is one.
  const opener = await openerOf(tools, wish.ceiling, wish.signal);
  const head = await readHead(reader);
  const key = makeSessionKey();
  const voucher: Voucher = {
    payer: owner.payer,
    pool: owner.pool,
    sessionKey: key.address,
    ceiling: wish.ceiling,
    // The contract goes by the chain's clock, not by this browser's.
    expiry: BigInt(head.timestamp + wish.days * secondsOfDay),
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
    since: head.timestamp,
    isOpen: false,
    opening: { salt: voucher.salt, signature },
    charged: {},
  };
  wish.onSigned(session);
  await openBy(tools, session, opener, wish);
  return session;
}

/**
 * Opens what was signed before, with the same signature; however often that is done, it is opened
 * once. By the wallet alone where `byWallet`. Errors: as openVoucher, and `not_found` for a session
 * of an older page, whose signature is not kept.
 */
export async function openSigned(
  tools: OpeningTools,
  session: Session,
  options: OpeningOptions & { readonly byWallet: boolean },
): Promise<void> {
  if ((await readVoucher(tools.reader, session.voucher)) !== undefined) return;
  const { byWallet, signal } = options;
  const opener = byWallet ? undefined : await openerOf(tools, session.ceiling, signal);
  await openBy(tools, session, opener, options);
}

/** The entry that sends the transaction; undefined where it opens none like it. */
async function openerOf(
  { entries }: OpeningTools,
  ceiling: bigint,
  signal: AbortSignal | undefined,
): Promise<VerifiedEntry | undefined> {
  const entry = await entries.open(entries.preferred);
  const terms = await fetchVerifiedTerms(entry, signal);
  const opens = !terms.isFree && terms.opensVouchers && ceiling >= terms.voucherCeilingMin;
  return opens ? entry : undefined;
}

async function openBy(
  tools: OpeningTools,
  session: Session,
  opener: VerifiedEntry | undefined,
  options: OpeningOptions,
): Promise<void> {
  const { reader, wallet } = tools;
  const { opening, sessionKey } = session;
  const { onPhase, signal } = options;
  if (!opening || !sessionKey) {
    return fail("not_found", "what was signed for this session is not kept: open another one");
  }
  const { signature, salt } = opening;
  const { payer, pool, ceiling } = session;
  const expiry = BigInt(session.expiry);
  const voucher = {
    payer,
    pool,
    sessionKey: privateKeyToAddress(sessionKey),
    ceiling,
    expiry,
    salt,
  };
  if (opener) {
    onPhase?.("opening");
    if (await openByEntry(tools, opener, { voucher, signature }, signal)) return;
  }
  onPhase?.("sending");
  await wallet.send(openVoucherCall(reader.deployment, voucher, signature), {
    from: payer,
    signal,
  });
}

/** Sealed, so that nobody on the way learns who chats from when on. */
function openingCall(voucher: Voucher, signature: string) {
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

/** False where the entry does not open it. What counts as open is what the contract has. */
async function openByEntry(
  { reader }: OpeningTools,
  entry: VerifiedEntry,
  signed: { readonly voucher: Voucher; readonly signature: string },
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const id = voucherId(reader.deployment, signed.voucher);
  const call = { ...openingCall(signed.voucher, signed.signature), signal } as const;
  const isThere = async () => (await readVoucher(reader, id)) !== undefined;
  for (const until = Date.now() + openWaitMs; Date.now() < until;) {
    if (signal?.aborted) fail("cancelled", "not waited for any longer; it may still be opened");
    try {
      const opened = parseVoucherOpened(await entry.fetchJson(call, paymentAnswerBytesMax));
      if (opened.isOpen && (await isThere())) return true;
    } catch (thrown) {
      const error = asError(thrown);
      // Somebody may have opened it meanwhile.
      if (declined.has(error.code)) return isThere();
      if (!notYet.has(error.code)) throw error;
    }
    await rest(askAgainMs, signal);
  }
  return isThere();
}

/** Of one that was signed: it may be open by now, or be opened by whoever got it. */
export function signedError(thrown: unknown): TeeTeeError {
  const { code, detail } = asError(thrown);
  const why = code === "cancelled" ? "" : `${detail}; `;
  return new TeeTeeError(
    code === "cancelled" ? "not_ready" : code,
    `${why}the session is signed and may still be opened, so it is kept: look again under Payment`,
  );
}
