// SPDX-License-Identifier: Apache-2.0
// Parses and judges away from the page, which stays responsive however large a receipt is.
import { asError } from "../../base/error";
import { judgeQuote, type QuoteInput } from "./judgeQuote";
import { judgeReceipt, type ReceiptInput } from "./judgeReceipt";
import { DocumentError, type Place } from "./placedError";
import type { QuoteView, ReceiptView } from "./views";

export type WorkerRequest = { readonly id: number } & (
  | { readonly kind: "receipt"; readonly input: ReceiptInput }
  | { readonly kind: "quote"; readonly input: QuoteInput }
);

export type WorkerAnswer = { readonly id: number } & (
  | { readonly view: ReceiptView | QuoteView }
  | { readonly error: { readonly code: string; readonly detail: string; readonly place?: Place } }
);

async function answer(request: WorkerRequest): Promise<WorkerAnswer> {
  const { id } = request;
  try {
    const view =
      request.kind === "receipt"
        ? await judgeReceipt(request.input)
        : await judgeQuote(request.input);
    return { id, view };
  } catch (thrown) {
    const { code, detail } = asError(thrown);
    const place = thrown instanceof DocumentError ? thrown.place : undefined;
    return { id, error: place === undefined ? { code, detail } : { code, detail, place } };
  }
}

addEventListener("message", (event: MessageEvent<WorkerRequest>) => {
  void answer(event.data).then((message) => postMessage(message));
});
