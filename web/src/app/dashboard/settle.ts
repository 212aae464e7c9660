// SPDX-License-Identifier: Apache-2.0
// Asks an entry of one's own to bring what its clients owe to the contract at once.
import { encodeHostClaim } from "../../client/payers";
import { Fields } from "../../client/fields";
import { signIn, type HostOptions } from "../../client/hostPayer";
import { paymentAnswerBytesMax } from "../../client/limits";
import type { VerifiedEntry } from "../../client/verifiedEntry";

/** Credits of an entry's charges, by how far they are. */
export interface SettleTotals {
  readonly unsettled: bigint;
  readonly settling: bigint;
  readonly settled: bigint;
  readonly givenUp: bigint;
}

/** Whose host has signed in, may ask again. */
export class Settling {
  #token: string | undefined;

  constructor(
    readonly entry: VerifiedEntry,
    readonly options: HostOptions,
  ) {}

  /**
   * Has the entry settle, and says where its charges stand. Errors: those of signIn; `host_unknown`
   * for a wallet that did not register this entry.
   */
  async settle(signal: AbortSignal): Promise<SettleTotals> {
    this.#token ??= await signIn(this.entry, this.options, signal);
    const call = {
      method: "POST",
      path: "/v1/payment/settle",
      headers: { "teetee-payment": encodeHostClaim(this.#token) },
      body: "",
      signal,
    } as const;
    const fields = Fields.of(await this.entry.fetchJson(call, paymentAnswerBytesMax), "settle");
    return {
      unsettled: fields.bigNumber("unsettled"),
      settling: fields.bigNumber("settling"),
      settled: fields.bigNumber("settled"),
      givenUp: fields.bigNumber("given_up"),
    };
  }
}
