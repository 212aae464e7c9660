// SPDX-License-Identifier: Apache-2.0
// Documents in the fragment of a link, which no server sees: packed (raw DEFLATE, RFC 1951), in
// base64url, behind the number of this form.
import { fromBase64, toBase64 } from "../../base/bytes";
import { asError, fail } from "../../base/error";

/** Of the whole link; what is longer, mail programs and chats cut off. */
export const linkCharactersMax = 64 * 1024;
/** Of what a link unpacks to: a small link must not become a large document. */
export const linkedBytesMax = 4 * 1024 * 1024;
const form = "1";

async function through(
  bytes: Uint8Array<ArrayBuffer>,
  stream: CompressionStream | DecompressionStream,
  bytesMax: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const reader = new Blob([bytes]).stream().pipeThrough(stream).getReader();
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    size += value.length;
    if (size > bytesMax) {
      await reader.cancel();
      fail("limit_exceeded", `link: it unpacks to more than ${bytesMax} bytes`);
    }
    parts.push(value as Uint8Array<ArrayBuffer>);
  }
  const whole = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** What stands in the link for these bytes; undefined where that is longer than `charactersMax`. */
export async function packForLink(
  bytes: Uint8Array,
  charactersMax = linkCharactersMax,
): Promise<string | undefined> {
  if (bytes.length > linkedBytesMax) return undefined;
  const packed = await through(
    new Uint8Array(bytes),
    new CompressionStream("deflate-raw"),
    linkedBytesMax + 4096,
  );
  const text = `${form}.${toBase64(packed).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "")}`;
  return text.length > charactersMax ? undefined : text;
}

/** Error: `invalid_argument` for another form or a cut link; `limit_exceeded`. */
export async function unpackFromLink(text: string): Promise<Uint8Array<ArrayBuffer>> {
  const match = /^1\.([A-Za-z0-9_-]*)$/.exec(text);
  if (!match || match[1]!.length % 4 === 1) {
    return fail("invalid_argument", "link: have another form, need it whole, as it was copied");
  }
  const plain = match[1]!.replace(/-/g, "+").replace(/_/g, "/");
  try {
    const packed = fromBase64(plain + "=".repeat((4 - (plain.length % 4)) % 4));
    return await through(packed, new DecompressionStream("deflate-raw"), linkedBytesMax);
  } catch (thrown) {
    if (asError(thrown).code === "limit_exceeded") throw thrown;
    return fail("invalid_argument", "link: it does not unpack: a part of it is missing");
  }
}
