// SPDX-License-Identifier: Apache-2.0
import { concat, utf8 } from "../base/bytes";
import { fail, TeeTeeError } from "../base/error";
import { FieldReader } from "./fields";
import { answerBytesMax, isPowerOfTwo, recordBytesMax, recordBytesMin, tagBytes } from "./limits";

// The answer to a sealed request (docs/api.md, "Sealed requests"): 32 bytes salt, then records.

export const saltBytes = 32;
export const recordHeaderBytes = 4 + 1;
const answerKeyInfo = "teetee sealed answer key v1";

/** What HTTP says of an answer. */
export interface AnswerHead {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
}

/** HKDF-SHA256 of the request's secret with the answer's salt. */
export async function answerKey(secret: Uint8Array, salt: Uint8Array): Promise<CryptoKey> {
  const material = await crypto.subtle.importKey("raw", new Uint8Array(secret), "HKDF", false, [
    "deriveKey",
  ]);
  return crypto.subtle.deriveKey(
    { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(salt), info: utf8(answerKeyInfo) },
    material,
    { name: "AES-GCM", length: 256 },
    false,
    ["encrypt", "decrypt"],
  );
}

/** The number of a record, 12 bytes big-endian. */
export function recordNonce(number: number): Uint8Array<ArrayBuffer> {
  const nonce = new Uint8Array(12);
  new DataView(nonce.buffer).setBigUint64(4, BigInt(number));
  return nonce;
}

function decodeHead(content: Uint8Array): AnswerHead {
  const reader = new FieldReader(content);
  const status = reader.u16("head");
  if (status < 200 || status > 599) fail("sealed_malformed", "head: no status of an answer");
  const headers = reader.headers();
  if (reader.remaining !== 0) fail("sealed_malformed", "head: bytes behind its end");
  return { status, headers };
}

/**
 * Opens an answer as its bytes come. An error is the end: every later call throws it as well. Calls
 * must follow each other.
 */
export class AnswerOpener {
  private key: CryptoKey | undefined;
  private unread: Uint8Array[] = [];
  private unreadBytes = 0;
  private takenBytes = 0;
  private records = 0;
  private failed: TeeTeeError | undefined;
  private answerHead: AnswerHead | undefined;
  private isComplete = false;

  constructor(private readonly secret: Uint8Array) {}

  /** Once record 0 is there. */
  get head(): AnswerHead | undefined {
    return this.answerHead;
  }

  /** The final record has been opened, and nothing was behind it. */
  get complete(): boolean {
    return this.isComplete && this.failed === undefined;
  }

  /**
   * Takes bytes as they come and returns what of the body has come to light. Errors:
   * `decrypt_failed` for a record that is not the next one of this answer as it was sealed;
   * `sealed_malformed`; `limit_exceeded`.
   */
  async feed(bytes: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
    if (this.failed) throw this.failed;
    try {
      this.takenBytes += bytes.length;
      if (this.takenBytes > answerBytesMax) {
        fail("limit_exceeded", `sealed answer: need at most ${answerBytesMax} bytes`);
      }
      if (bytes.length > 0) this.unread.push(bytes);
      this.unreadBytes += bytes.length;
      return await this.openRecords();
    } catch (thrown) {
      this.failed =
        thrown instanceof TeeTeeError
          ? thrown
          : new TeeTeeError("decrypt_failed", "sealed answer: it cannot be opened");
      throw this.failed;
    }
  }

  /** The connection has ended. Errors: `sealed_truncated`, or that of the last feed. */
  end(): void {
    if (this.failed) throw this.failed;
    if (!this.isComplete) {
      fail("sealed_truncated", "sealed answer: it ended before its final record");
    }
  }

  private async openRecords(): Promise<Uint8Array<ArrayBuffer>> {
    if (!this.key) {
      const salt = this.takeFront(saltBytes);
      if (!salt) return new Uint8Array(0);
      this.key = await answerKey(this.secret, salt);
    }
    const body: Uint8Array[] = [];
    while (!this.isComplete) {
      const content = await this.openRecord(this.key);
      if (!content) break;
      if (this.answerHead) body.push(content);
      else this.answerHead = decodeHead(content);
    }
    if (this.isComplete && this.unreadBytes > 0) {
      fail("sealed_malformed", "sealed answer: bytes behind the final record");
    }
    return concat(...body);
  }

  /** The content of the next record; undefined where it is not all there yet. */
  private async openRecord(key: CryptoKey): Promise<Uint8Array | undefined> {
    const header = this.peekFront(recordHeaderBytes);
    if (!header) return undefined;
    const ciphertextBytes = new FieldReader(header).u32("record");
    const plainBytes = ciphertextBytes - tagBytes;
    const flag = header[4] ?? 0xff;
    const isLength =
      isPowerOfTwo(plainBytes) && plainBytes >= recordBytesMin && plainBytes <= recordBytesMax;
    if (!isLength || flag > 1) fail("sealed_malformed", "record: length or flag is none");
    const record = this.takeFront(recordHeaderBytes + ciphertextBytes);
    if (!record) return undefined;
    const plain = new FieldReader(await this.decrypt(key, record));
    const content = plain.prefixed("content");
    plain.padding();
    this.records += 1;
    this.isComplete = flag === 1;
    return content;
  }

  private async decrypt(key: CryptoKey, record: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
    try {
      const plain = await crypto.subtle.decrypt(
        {
          name: "AES-GCM",
          iv: recordNonce(this.records),
          additionalData: record.subarray(0, recordHeaderBytes),
        },
        key,
        record.subarray(recordHeaderBytes),
      );
      return new Uint8Array(plain);
    } catch {
      return fail(
        "decrypt_failed",
        `record ${this.records}: not as it was sealed, or in its place`,
      );
    }
  }

  /** A copy of the first bytes, which stay; undefined where there are fewer. */
  private peekFront(count: number): Uint8Array<ArrayBuffer> | undefined {
    if (this.unreadBytes < count) return undefined;
    if ((this.unread[0]?.length ?? 0) < count) this.unread = [concat(...this.unread)];
    return new Uint8Array((this.unread[0] ?? new Uint8Array(0)).subarray(0, count));
  }

  private takeFront(count: number): Uint8Array<ArrayBuffer> | undefined {
    const front = this.peekFront(count);
    const first = this.unread[0];
    if (!front || !first) return front;
    this.unread[0] = first.subarray(count);
    if (this.unread[0].length === 0) this.unread.shift();
    this.unreadBytes -= count;
    return front;
  }
}

/** An answer on its way. */
export interface OpenedAnswer {
  readonly head: AnswerHead;
  /** The body in pieces as they come to light; it throws unless it ends with the final record. */
  readonly body: AsyncGenerator<Uint8Array<ArrayBuffer>, void, undefined>;
}

/**
 * Opens the answer in the body of a fetch; resolves when its head is there. Breaking off the body
 * cancels the fetch. Errors: those of AnswerOpener, and of reading the stream.
 */
export async function openAnswer(
  stream: ReadableStream<Uint8Array>,
  secret: Uint8Array,
): Promise<OpenedAnswer> {
  const reader = stream.getReader();
  const opener = new AnswerOpener(secret);
  let first: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  let isEnd = false;
  try {
    while (!opener.head) {
      const { done, value } = await reader.read();
      if (done) opener.end();
      if (value) first = concat(first, await opener.feed(value));
      isEnd = done;
    }
  } catch (thrown) {
    await reader.cancel().catch(() => undefined);
    throw thrown;
  }
  return { head: opener.head, body: bodyOf(reader, opener, first, isEnd) };
}

async function* bodyOf(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  opener: AnswerOpener,
  first: Uint8Array<ArrayBuffer>,
  isEnd: boolean,
): AsyncGenerator<Uint8Array<ArrayBuffer>, void, undefined> {
  try {
    if (first.length > 0) yield first;
    while (!isEnd) {
      const { done, value } = await reader.read();
      isEnd = done;
      if (!value) continue;
      const piece = await opener.feed(value);
      if (piece.length > 0) yield piece;
    }
    opener.end();
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}
