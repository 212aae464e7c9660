// SPDX-License-Identifier: Apache-2.0
import { DocumentError } from "./placedError";
import type { WorkerAnswer, WorkerRequest } from "./explorer.worker";
import type { QuoteInput } from "./judgeQuote";
import type { ReceiptInput } from "./judgeReceipt";
import type { QuoteView, ReceiptView } from "./views";
import workerUrl from "./explorer.worker?worker&url";

interface Waiting {
  resolve(view: ReceiptView | QuoteView): void;
  reject(error: Error): void;
}

/** Trusted types: a script's URL must come from a policy; this one knows the worker alone. */
function workerScriptUrl(): string {
  const { trustedTypes } = globalThis as {
    trustedTypes?: {
      createPolicy(
        name: string,
        rules: { createScriptURL(url: string): string },
      ): { createScriptURL(url: string): string };
    };
  };
  if (trustedTypes === undefined) return workerUrl;
  const policy = trustedTypes.createPolicy("teetee-explorer", {
    createScriptURL: (url) => {
      if (url === workerUrl) return url;
      throw new TypeError("not the explorer's worker");
    },
  });
  return policy.createScriptURL(workerUrl);
}

class JudgeClient {
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | undefined;
  #lastId = 0;

  judge(kind: "receipt", input: ReceiptInput, signal: AbortSignal): Promise<ReceiptView>;
  judge(kind: "quote", input: QuoteInput, signal: AbortSignal): Promise<QuoteView>;
  judge(
    kind: WorkerRequest["kind"],
    input: ReceiptInput | QuoteInput,
    signal: AbortSignal,
  ): Promise<ReceiptView | QuoteView> {
    this.#lastId += 1;
    const id = this.#lastId;
    return new Promise((resolve, reject) => {
      const waiting: Waiting = { resolve, reject };
      this.#waiting.set(id, waiting);
      signal.addEventListener("abort", () => this.#cancel(id), { once: true });
      this.#running().postMessage({ id, kind, input } as WorkerRequest);
    });
  }

  #running(): Worker {
    if (this.#worker !== undefined) return this.#worker;
    const worker = new Worker(scriptUrl(), { type: "module" });
    worker.addEventListener("message", (event: MessageEvent<WorkerAnswer>) =>
      this.#take(event.data),
    );
    worker.addEventListener("error", () => this.#fail());
    this.#worker = worker;
    return worker;
  }

  #take(answer: WorkerAnswer): void {
    const waiting = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    if (waiting === undefined) return;
    if ("view" in answer) waiting.resolve(answer.view);
    else {
      const { code, detail, place } = answer.error;
      waiting.reject(new DocumentError(code, detail, place));
    }
  }

  /** What nobody waits for any more is not computed to its end. */
  #cancel(id: number): void {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return;
    this.#waiting.delete(id);
    waiting.reject(new DocumentError("cancelled", "it was stopped"));
    if (this.#waiting.size > 0) return;
    this.#worker?.terminate();
    this.#worker = undefined;
  }

  #fail(): void {
    const error = new DocumentError("internal", "the checks ended unexpectedly: try again");
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
    this.#worker?.terminate();
    this.#worker = undefined;
  }
}

let knownUrl: string | undefined;

/** A policy's name may be taken once. */
function scriptUrl(): string {
  knownUrl ??= workerScriptUrl();
  return knownUrl;
}

export const judgeClient = new JudgeClient();
