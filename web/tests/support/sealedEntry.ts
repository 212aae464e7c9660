// SPDX-License-Identifier: Apache-2.0
import { concat, utf8 } from "../../src/base/bytes";
import { answerKey, recordNonce, saltBytes } from "../../src/sealed/answer";
import { encodeHeaders, FieldReader, prefixed, u16, u32 } from "../../src/sealed/fields";
import { sizeClass } from "../../src/sealed/limits";
import {
  answerLabel,
  answerSecretBytes,
  outsideBytes,
  requestAad,
  requestInfo,
  sealedSuite,
} from "../../src/sealed/request";

// The entry's side of sealed requests, which the page does not have.

export interface OpenedRequest {
  readonly sentAt: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly answerSecret: Uint8Array;
}

/** Throws for what was not sealed to this key for this path. */
export async function openRequest(
  body: Uint8Array,
  path: string,
  keys: CryptoKeyPair,
): Promise<OpenedRequest> {
  const outside = body.slice(0, outsideBytes);
  const statementHash = outside.slice(7, 39);
  const recipient = await sealedSuite().createRecipientContext({
    recipientKey: keys,
    enc: outside.slice(39).buffer,
    info: requestInfo(statementHash).buffer,
  });
  const aad = requestAad(outside, { method: "POST", path });
  const plain = await recipient.open(body.slice(outsideBytes).buffer, aad.buffer);
  const reader = new FieldReader(new Uint8Array(plain));
  const sentAt = reader.u64("time");
  const headers = reader.headers();
  const inner = new TextDecoder().decode(reader.prefixed("body"));
  reader.padding();
  const secret = await recipient.export(utf8(answerLabel).buffer, answerSecretBytes);
  return { sentAt, headers, body: inner, answerSecret: new Uint8Array(secret) };
}

/** Seals an answer, record by record. */
export class AnswerSealer {
  private records = 0;

  private constructor(
    readonly salt: Uint8Array<ArrayBuffer>,
    private readonly key: CryptoKey,
  ) {}

  static async of(secret: Uint8Array): Promise<AnswerSealer> {
    const salt = crypto.getRandomValues(new Uint8Array(saltBytes));
    return new AnswerSealer(salt, await answerKey(secret, salt));
  }

  async head(
    status: number,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Uint8Array<ArrayBuffer>> {
    const content = concat(u16(status), encodeHeaders(headers));
    return concat(this.salt, await this.record(content, false));
  }

  async record(content: Uint8Array, isFinal: boolean): Promise<Uint8Array<ArrayBuffer>> {
    const text = prefixed(content);
    const plain = new Uint8Array(sizeClass(text.length, 512));
    plain.set(text);
    return this.plainRecord(plain, isFinal ? 1 : 0);
  }

  /** Whatever the plaintext and the flag are. */
  async plainRecord(
    plain: Uint8Array<ArrayBuffer>,
    flag: number,
  ): Promise<Uint8Array<ArrayBuffer>> {
    const header = concat(u32(plain.length + 16), new Uint8Array([flag]));
    const iv = recordNonce(this.records++);
    const algorithm = { name: "AES-GCM", iv, additionalData: header };
    const ciphertext = await crypto.subtle.encrypt(algorithm, this.key, plain);
    return concat(header, new Uint8Array(ciphertext));
  }
}
