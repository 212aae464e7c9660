// SPDX-License-Identifier: Apache-2.0
import { concat } from "../base/bytes";
import { fail, TeeTeeError } from "../base/error";
import { parseJson } from "./fields";
import { errorBytesMax } from "./limits";

// HTTP with a limit on everything that the other side can size.

/** What the other side answers instead of an answer: its code and words, and when to try again. */
export class EntryRefusal extends TeeTeeError {
  /** 0 where it came in the middle of a stream. */
  readonly status: number;
  /** OpenAI's kind of error, "" where it said none. */
  readonly type: string;
  /** The field that is wrong. */
  readonly param: string | undefined;
  readonly retryAfterSeconds: number | undefined;

  constructor(
    code: string,
    detail: string,
    parts: {
      readonly status: number;
      readonly type?: string;
      readonly param?: string | undefined;
      readonly retryAfterSeconds?: number | undefined;
    },
  ) {
    super(code, detail);
    this.name = "EntryRefusal";
    this.status = parts.status;
    this.type = parts.type ?? "";
    this.param = parts.param;
    this.retryAfterSeconds = parts.retryAfterSeconds;
  }
}

export interface FetchOptions {
  readonly method?: "GET" | "POST";
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array<ArrayBuffer> | string;
  readonly signal?: AbortSignal | undefined;
  /** Until the whole answer is there. */
  readonly timeoutMs?: number;
}

export interface FetchedBytes {
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

export const timeoutDefaultMs = 20_000;
const messageMax = 500;

/** Printable, for people: control characters are none of their business. */
function foreignText(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f]+/g, " ").slice(0, messageMax);
}

function seconds(value: string | null): number | undefined {
  return value !== null && /^[0-9]{1,6}$/.test(value) ? Number(value) : undefined;
}

const codePattern = /^[a-z_]{1,64}$/;

/** Of an error object in OpenAI's shape; what it does not say is `fallback`'s. */
export function refusalOf(
  value: unknown,
  status: number,
  retryAfterSeconds?: number | undefined,
): EntryRefusal {
  const error =
    typeof value === "object" && value !== null ? (value as { error?: unknown }).error : undefined;
  const members =
    typeof error === "object" && error !== null ? (error as Record<string, unknown>) : {};
  const { code, message, type, param } = members;
  const isCode = typeof code === "string" && codePattern.test(code);
  const words =
    typeof message === "string" && message !== ""
      ? foreignText(message)
      : `answers with status ${status}`;
  return new EntryRefusal(isCode ? code : "http_malformed", words, {
    status,
    type: typeof type === "string" && codePattern.test(type) ? type : "",
    param: typeof param === "string" ? foreignText(param) : undefined,
    retryAfterSeconds,
  });
}

/** Of an answer that is no answer. */
export function refusalOfBody(
  status: number,
  bytes: Uint8Array,
  retryAfter: string | null,
): EntryRefusal {
  let value: unknown;
  try {
    value = parseJson(bytes, "error", { bytesMax: errorBytesMax, depthMax: 16 });
  } catch {
    value = undefined;
  }
  return refusalOf(value, status, seconds(retryAfter));
}

/** What a failed fetch is: `cancelled` by the caller, `timed_out`, else `connect_failed`. */
export function fetchError(thrown: unknown, signal: AbortSignal | undefined, isTimeUp: boolean) {
  if (thrown instanceof TeeTeeError) return thrown;
  if (signal?.aborted) return new TeeTeeError("cancelled", "the request was stopped");
  if (isTimeUp) return new TeeTeeError("timed_out", "no answer came in time");
  // What browsers tell of it differs, and never says more.
  return new TeeTeeError(
    "connect_failed",
    "the address cannot be reached, or the connection broke",
  );
}

/** Ends with whichever of the two signals comes first, or after the time. */
export class Deadline {
  private readonly controller = new AbortController();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private readonly forward = () => this.controller.abort();
  isTimeUp = false;

  constructor(private readonly outer: AbortSignal | undefined) {
    if (outer?.aborted) this.controller.abort();
    outer?.addEventListener("abort", this.forward);
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  /** Counts from now on. */
  set(milliseconds: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.isTimeUp = true;
      this.controller.abort();
    }, milliseconds);
  }

  /** What is under way is of no more use. */
  abort(): void {
    this.controller.abort();
  }

  clear(): void {
    clearTimeout(this.timer);
    this.outer?.removeEventListener("abort", this.forward);
  }
}

/** All of a body. Error: `body_too_large`. */
export async function readAll(
  body: ReadableStream<Uint8Array> | null,
  bytesMax: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array[] = [];
  let count = 0;
  const reader = body?.getReader();
  while (reader) {
    const { done, value } = await reader.read();
    if (done) break;
    count += value.length;
    if (count > bytesMax) {
      await reader.cancel().catch(() => undefined);
      fail("body_too_large", `answer: need at most ${bytesMax} bytes`);
    }
    parts.push(value);
  }
  return concat(...parts);
}

/** Nothing of the page goes along: no cookies, no referrer; nothing is kept. */
export const fetchSettings = {
  cache: "no-store",
  credentials: "omit",
  redirect: "error",
  referrerPolicy: "no-referrer",
} as const;

/**
 * Any answer of at most so many bytes, whatever its status. Errors: `connect_failed`, `timed_out`,
 * `cancelled`, `body_too_large`.
 */
export async function fetchBytes(
  url: string,
  bytesMax: number,
  options: FetchOptions = {},
): Promise<FetchedBytes> {
  const deadline = new Deadline(options.signal);
  deadline.set(options.timeoutMs ?? timeoutDefaultMs);
  try {
    const response = await fetch(url, {
      ...fetchSettings,
      method: options.method ?? "GET",
      signal: deadline.signal,
      ...(options.headers ? { headers: options.headers } : {}),
      ...(options.body === undefined ? {} : { body: options.body }),
    });
    const bytes = await readAll(response.body, bytesMax);
    return { status: response.status, headers: response.headers, bytes };
  } catch (thrown) {
    throw fetchError(thrown, options.signal, deadline.isTimeUp);
  } finally {
    deadline.clear();
  }
}

/** An answer of 200. Errors: those of fetchBytes; EntryRefusal for any other status. */
export async function fetchDocument(
  url: string,
  bytesMax: number,
  options: FetchOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const answer = await fetchBytes(url, bytesMax, options);
  if (answer.status >= 200 && answer.status < 300) return answer.bytes;
  throw refusalOfBody(answer.status, answer.bytes, answer.headers.get("retry-after"));
}

/** The same as JSON. Errors also `invalid_json`, `invalid_utf8`, `limit_exceeded` (depth). */
export async function fetchJson(
  url: string,
  bytesMax: number,
  options: FetchOptions & { readonly depthMax?: number } = {},
): Promise<unknown> {
  const bytes = await fetchDocument(url, bytesMax, options);
  return parseJson(bytes, "answer", { bytesMax, depthMax: options.depthMax ?? 16 });
}
