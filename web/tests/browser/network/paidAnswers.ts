// SPDX-License-Identifier: Apache-2.0
import { attestVerifier } from "../../../src/client/attestVerifier";
import { ask, type Question } from "../../../src/client/ask";
import { Fields, parseJson } from "../../../src/client/fields";
import { fetchReceipts } from "../../../src/client/receipts";
import { VoucherPayer } from "../../../src/client/voucherPayer";
import { reach, verify, type Connection } from "../../../src/app/network/connection";
import { noneKnown } from "../../support/noneKnown";
import type { UpNetwork } from "./upNetwork";

/** An answer that was paid for from the voucher that `teetee up` has opened, and its receipt. */
export interface PaidAnswer {
  readonly receipt: Uint8Array<ArrayBuffer>;
  readonly request: string;
  readonly text: string;
}

/** Asks an entry as the page does, and pays. */
export class PaidAnswers {
  private constructor(
    readonly connection: Connection,
    private readonly payer: VoucherPayer,
  ) {}

  static async open(network: UpNetwork): Promise<PaidAnswers> {
    const settings = { entryUrl: network.urls[0]!, rpcUrls: [network.rpcUrl] };
    const reached = await reach(settings, noneKnown, new AbortController().signal);
    const connection = await verify(reached, attestVerifier);
    const limits = { bytesMax: 4096, depthMax: 4 };
    const file = Fields.of(parseJson(network.file("payment.json"), "payment", limits), "payment");
    const payer = new VoucherPayer({
      deployment: network.reader.deployment,
      pool: network.pool,
      voucher: file.hex("voucher", 32),
      sessionKey: file.hex("session_key", 32),
      ceiling: file.bigNumber("ceiling"),
    });
    return new PaidAnswers(connection, payer);
  }

  async ask(tokens: number, more: Question["body"] = {}): Promise<PaidAnswer> {
    const body = { prompt: "Once upon a time", max_tokens: tokens, ...more };
    const question: Question = { path: "/v1/completions", body };
    const { entries } = this.connection;
    const options = { entries, payer: this.payer, patienceMs: 60_000, allowsSimulated: true };
    const answer = await ask(options, question, {});
    const [part] = answer.parts;
    const [got] = await fetchReceipts(entries, answer.parts);
    if (part === undefined || got?.receipt === undefined) {
      throw got?.error ?? new Error("an answer without a receipt");
    }
    return { receipt: got.receipt, request: part.request, text: part.text };
  }
}
