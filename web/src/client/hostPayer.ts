// SPDX-License-Identifier: Apache-2.0
import type { Address, Hex } from "viem";
import { fail } from "../base/error";
import { toAddress } from "../chain/deployment";
import { codeOf, Fields } from "./fields";
import { paymentAnswerBytesMax } from "./limits";
import {
  type AnswerPayment,
  encodeHostClaim,
  type Payer,
  paymentHeader,
  type Purchase,
} from "./payers";
import type { VerifiedEntry } from "./verifiedEntry";

export interface HostOptions {
  /** With its checksum. */
  readonly wallet: Address;
  readonly chainId: number;
  /** `personal_sign` of the wallet. */
  readonly sign: (message: string) => Promise<Hex>;
  /**
   * The host (and port) of the page, where it is one of the entry's names: wallets warn of a sign-in
   * to another one. Without it the message is in the name of "teetee".
   */
  readonly domain?: string;
}

const anonymousDomain = "teetee";
const tokenPattern = /^[0-9a-f]{64}$/;

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

/**
 * That a message is a sign-in (EIP-4361) of this wallet to this entry on this chain, in one of these
 * names, and nothing else: the wallet signs whatever it is given. Error: `sign_in_rejected`.
 */
export function ensureSignIn(
  message: string,
  about: {
    readonly domains: readonly string[];
    readonly wallet: Address;
    readonly entry: Address;
    readonly chainId: number;
  },
): void {
  const time = "\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ";
  const lines = [
    `(${about.domains.map(escaped).join("|")}) wants you to sign in with your Ethereum account:`,
    about.wallet,
    "",
    "Use, free of charge, a model that you host\\.",
    "",
    `URI: teetee:${about.entry}`,
    "Version: 1",
    `Chain ID: ${about.chainId}`,
    "Nonce: [0-9a-f]{16,256}",
    `Issued At: ${time}`,
    `Expiration Time: ${time}`,
  ];
  if (!new RegExp(`^${lines.join("\n")}$`).test(message)) {
    fail("sign_in_rejected", "the message to sign is none of this entry's");
  }
}

/** One POST of JSON, sealed; one text out of the answer. */
async function post(
  entry: VerifiedEntry,
  path: string,
  body: Readonly<Record<string, string>>,
  member: string,
  domain: string | undefined,
  signal: AbortSignal | undefined,
): Promise<string> {
  const headers = {
    "content-type": "application/json",
    ...(domain === undefined ? {} : { host: domain }),
  };
  const call = { method: "POST", path, headers, body: JSON.stringify(body), signal } as const;
  const answer = await entry.fetchJson(call, paymentAnswerBytesMax);
  return Fields.of(answer, "sign-in").text(member, paymentAnswerBytesMax);
}

async function challenge(
  entry: VerifiedEntry,
  options: HostOptions,
  signal: AbortSignal | undefined,
): Promise<string> {
  const ask = (domain: string | undefined) =>
    post(entry, "/v1/sign-in", { address: options.wallet }, "message", domain, signal);
  try {
    return await ask(options.domain);
  } catch (thrown) {
    // The page is of another origin than the entry.
    if (options.domain === undefined || codeOf(thrown) !== "field_invalid") throw thrown;
    return ask(undefined);
  }
}

/**
 * A wallet's proof to one entry that it is there: a token for an hour, hex. Errors: those of asking;
 * `sign_in_rejected`, also where the message is of another entry; `host_unknown`; whatever `sign`
 * throws.
 */
export async function signIn(
  entry: VerifiedEntry,
  options: HostOptions,
  signal?: AbortSignal,
): Promise<string> {
  const message = await challenge(entry, options, signal);
  ensureSignIn(message, {
    domains: [anonymousDomain, ...(options.domain === undefined ? [] : [options.domain])],
    wallet: options.wallet,
    // The message has it with its checksum, whatever the letters of the evidence.
    entry: toAddress(entry.receiptKey, "entry"),
    chainId: options.chainId,
  });
  const signature = await options.sign(message);
  const body = { message, signature };
  const token = await post(entry, "/v1/sign-in/token", body, "token", undefined, signal);
  return tokenPattern.test(token)
    ? token
    : fail("invalid_json", "sign-in.token: need 64 hex digits");
}

/** For a host of the pool, whose use is free. */
export class HostPayer implements Payer {
  readonly kind = "host";
  /** By the entry's receipt key; also while the wallet is asked, so that it is asked once. */
  private readonly tokens = new Map<string, Promise<string>>();

  constructor(readonly options: HostOptions) {}

  begin(): AnswerPayment {
    return new HostAnswer(this);
  }

  /** Signs in where no token is known. Errors: those of signIn. */
  async tokenFor(entry: VerifiedEntry, signal?: AbortSignal): Promise<string> {
    const known = this.tokens.get(entry.receiptKey);
    if (known) return known;
    const token = signIn(entry, this.options, signal);
    this.tokens.set(entry.receiptKey, token);
    token.catch(() => this.tokens.delete(entry.receiptKey));
    return token;
  }

  forget(entry: Address): void {
    this.tokens.delete(entry);
  }
}

class HostAnswer implements AnswerPayment {
  private entry: Address | undefined;
  private isRenewed = false;

  constructor(private readonly payer: HostPayer) {}

  async bodyMembers() {
    return {};
  }

  async pay(entry: VerifiedEntry, purchase: Purchase): Promise<string> {
    this.entry = entry.receiptKey;
    return encodeHostClaim(await this.payer.tokenFor(entry, purchase.signal));
  }

  onStanding(): void {}

  /** Once, when a token is too old. */
  async triesAgain(code: string): Promise<boolean> {
    if (code !== "sign_in_rejected" || this.entry === undefined || this.isRenewed) return false;
    this.payer.forget(this.entry);
    this.isRenewed = true;
    return true;
  }

  unserved(): undefined {}

  end(): void {}
}

/** What an entry's charges have come to, credits. */
export interface ChargeTotals {
  readonly unsettled: bigint;
  /** On the way to the contract. */
  readonly settling: bigint;
  readonly settled: bigint;
  readonly givenUp: bigint;
}

/**
 * Has an entry settle at once, by the wallet that registered it, whatever gas it takes; says where its
 * charges stand. Errors: those of signIn; `host_unknown` for a wallet that is not the entry's host.
 */
export async function settleNow(
  entry: VerifiedEntry,
  payer: HostPayer,
  signal?: AbortSignal,
): Promise<ChargeTotals> {
  const headers = {
    "content-type": "application/json",
    [paymentHeader]: encodeHostClaim(await payer.tokenFor(entry, signal)),
  };
  const call = { method: "POST", path: "/v1/payment/settle", headers, signal } as const;
  const fields = Fields.of(await entry.fetchJson(call, paymentAnswerBytesMax), "settlement");
  return {
    unsettled: fields.bigNumber("unsettled"),
    settling: fields.bigNumber("settling"),
    settled: fields.bigNumber("settled"),
    givenUp: fields.bigNumber("given_up"),
  };
}
