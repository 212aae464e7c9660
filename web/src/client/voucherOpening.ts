// SPDX-License-Identifier: Apache-2.0
import type { Address, Hex } from "viem";
import { privateKeyToAddress } from "viem/accounts";
import { utf8 } from "../base/bytes";
import { fail } from "../base/error";
import type { Deployment } from "../chain/deployment";
import { makeSessionKey, randomSalt, type Voucher, voucherId } from "../chain/typedData";
import { postVoucher, type VoucherOpening } from "./entries";
import type { FetchOptions } from "./fetchJson";
import { Fields, parseJson } from "./fields";
import { rest } from "./payers";
import type { VoucherSession } from "./voucherPayer";

/** A session with the voucher that its payer is to sign. */
export interface VoucherDraft {
  readonly voucher: Voucher;
  readonly session: VoucherSession;
  /** Unix seconds. */
  readonly expiry: number;
}

export interface VoucherTerms {
  readonly payer: Address;
  readonly pool: bigint;
  /** Credits that are set aside, of those that the payer has. */
  readonly ceiling: bigint;
  /** Unix seconds, 30 days ahead at most. */
  readonly expiry: number;
}

/** With a new key. What the wallet signs is `voucherTypedData(deployment, draft.voucher)`. */
export function draftVoucher(deployment: Deployment, terms: VoucherTerms): VoucherDraft {
  const { payer, pool, ceiling, expiry } = terms;
  if (ceiling <= 0n || ceiling >= 1n << 64n) {
    fail("amount_malformed", `voucher: have ${ceiling} credits, need 1 to 2^64 - 1`);
  }
  const { key, address } = makeSessionKey();
  const voucher: Voucher = {
    payer,
    pool,
    sessionKey: address,
    ceiling,
    expiry: BigInt(expiry),
    salt: randomSalt(),
  };
  const id = voucherId(deployment, voucher);
  return { voucher, session: { deployment, pool, voucher: id, sessionKey: key, ceiling }, expiry };
}

const openingRestMs = 1000;
const openingPatienceMs = 120_000;

/**
 * Has an entry send the transaction that opens a voucher, and waits until entries take it. Errors:
 * those of postVoucher; `voucher_unknown` where the entry opened another one; `timed_out`; `cancelled`.
 */
export async function openByEntry(
  url: string,
  draft: VoucherDraft,
  signature: Hex,
  options: FetchOptions & { readonly patienceMs?: number } = {},
): Promise<void> {
  const { payer, pool, sessionKey, ceiling, expiry, salt } = draft.voucher;
  const opening: VoucherOpening = { payer, pool, sessionKey, ceiling, expiry, salt, signature };
  const giveUpAtMs = Date.now() + (options.patienceMs ?? openingPatienceMs);
  for (;;) {
    const state = await postVoucher(url, opening, options);
    if (state.voucher !== draft.session.voucher) {
      fail("voucher_unknown", `voucher: have ${state.voucher}, need ${draft.session.voucher}`);
    }
    if (state.isOpen) return;
    if (Date.now() >= giveUpAtMs) fail("timed_out", "the voucher is not open yet: try again");
    await rest(openingRestMs, options.signal);
    if (options.signal?.aborted) fail("cancelled", "the opening was stopped");
  }
}

const sessionBytesMax = 4096;
const sessionMembers = [
  "version",
  "chain_id",
  "contract",
  "pool",
  "voucher",
  "session_key",
  "ceiling",
  "expiry",
];

/**
 * As `teetee voucher open --session` writes it, for the page's own store and for the program. Whoever
 * has the text can spend what is left of the voucher.
 */
export function encodeSession(session: VoucherSession, expiry: number): string {
  return JSON.stringify({
    version: 1,
    chain_id: session.deployment.chainId,
    contract: session.deployment.contract.toLowerCase(),
    pool: Number(session.pool),
    voucher: session.voucher,
    session_key: session.sessionKey,
    ceiling: session.ceiling.toString(),
    expiry,
  });
}

/** Error: `config_invalid`, which never quotes the key. */
export function parseSession(text: string): {
  readonly session: VoucherSession;
  readonly expiry: number;
} {
  const limits = { bytesMax: sessionBytesMax, depthMax: 4 };
  const name = "payment session";
  const fields = Fields.of(parseJson(utf8(text), name, limits), name, "config_invalid");
  fields.ensureOnly(sessionMembers);
  if (fields.number("version") !== 1) fields.wrong("version", "1");
  const sessionKey = fields.anyHex("session_key", 32);
  try {
    privateKeyToAddress(sessionKey);
  } catch {
    fields.wrong("session_key", "0x and 64 hex digits of a private key");
  }
  const session: VoucherSession = {
    deployment: {
      chainId: fields.number("chain_id") || fields.wrong("chain_id", "a chain's id"),
      contract: fields.address("contract"),
    },
    pool: fields.bigNumber("pool") || fields.wrong("pool", "a pool's number"),
    voucher: fields.hex("voucher", 32),
    sessionKey,
    ceiling: fields.bigNumber("ceiling"),
  };
  return { session, expiry: fields.number("expiry") };
}
