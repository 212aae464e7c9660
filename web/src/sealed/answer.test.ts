// SPDX-License-Identifier: Apache-2.0
import { beforeEach, describe, expect, it } from "vitest";
import { AnswerSealer } from "../../tests/support/sealedEntry";
import { concat, fromUtf8, utf8 } from "../base/bytes";
import { AnswerOpener, openAnswer } from "./answer";
import { encodeHeaders, prefixed, u16, u32 } from "./fields";

const secret = Uint8Array.from({ length: 32 }, (_, at) => at);
const headers = { "content-type": "text/event-stream" };

let sealer: AnswerSealer;

beforeEach(async () => {
  sealer = await AnswerSealer.of(secret);
});

/** Salt and head; records of "a", "b", and the final one of "c". */
async function parts(): Promise<Uint8Array<ArrayBuffer>[]> {
  const head = await sealer.head(200, headers);
  const bodies = [
    await sealer.record(utf8("a"), false),
    await sealer.record(utf8("b"), false),
    await sealer.record(utf8("c"), true),
  ];
  return [head, ...bodies];
}

/** Everything at once, with the end. */
async function open(...bytes: readonly Uint8Array[]): Promise<string> {
  const opener = new AnswerOpener(secret);
  const text = fromUtf8(await opener.feed(concat(...bytes)));
  opener.end();
  return text;
}

async function codeOf(...bytes: readonly Uint8Array[]): Promise<string> {
  return open(...bytes).then(
    () => "",
    (thrown: { code: string }) => thrown.code,
  );
}

describe("a sealed answer", () => {
  it("comes to light as it comes in, however it is cut", async () => {
    const whole = concat(...(await parts()));
    for (const piece of [1, 7, 512, 531, 533, 10_000]) {
      const opener = new AnswerOpener(secret);
      let text = "";
      for (let at = 0; at < whole.length; at += piece) {
        text += fromUtf8(await opener.feed(whole.subarray(at, at + piece)));
      }
      opener.end();
      expect(text).toBe("abc");
      expect(opener.head).toEqual({ status: 200, headers });
      expect(opener.complete).toBe(true);
    }
  });

  it("may have an empty body, and long records", async () => {
    const head = await sealer.head(404);
    expect(await open(head, await sealer.record(new Uint8Array(0), true))).toBe("");
    const other = await AnswerSealer.of(secret);
    const long = "x".repeat(60_000);
    const text = await open(
      await other.head(200),
      await other.record(utf8(long), false),
      await other.record(utf8("!"), true),
    );
    expect(text).toBe(`${long}!`);
  });

  it("is none without its final record, wherever it is cut", async () => {
    const whole = concat(...(await parts()));
    for (const length of [0, 1, 31, 32, 36, 37, 600, whole.length - 1]) {
      expect(await codeOf(whole.subarray(0, length))).toBe("sealed_truncated");
    }
  });

  it("is refused with a byte changed", async () => {
    const whole = concat(...(await parts()));
    for (let at = 0; at < whole.length; at += 41) {
      const changed = whole.slice();
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(await codeOf(changed)).not.toBe("");
    }
  });

  it("is refused with a record missing, doubled or out of order", async () => {
    const [head, a, b, c] = (await parts()) as [Uint8Array, Uint8Array, Uint8Array, Uint8Array];
    expect(await open(head, a, b, c)).toBe("abc");
    expect(await codeOf(head, b, c)).toBe("decrypt_failed");
    expect(await codeOf(head, a, c)).toBe("decrypt_failed");
    expect(await codeOf(head, a, a, b, c)).toBe("decrypt_failed");
    expect(await codeOf(head, b, a, c)).toBe("decrypt_failed");
    expect(await codeOf(a, head, b, c)).not.toBe("");
  });

  it("is refused with anything behind the final record", async () => {
    const all = await parts();
    expect(await codeOf(...all, new Uint8Array(1))).toBe("sealed_malformed");
    expect(await codeOf(...all, await sealer.record(utf8("d"), true))).toBe("sealed_malformed");
    const opener = new AnswerOpener(secret);
    await opener.feed(concat(...all));
    await expect(opener.feed(new Uint8Array(1))).rejects.toThrow("sealed_malformed");
    expect(opener.complete).toBe(false);
  });

  it("is refused where the final record is marked as another, and the reverse", async () => {
    const all = await parts();
    const [, a, , c] = all as [Uint8Array, Uint8Array, Uint8Array, Uint8Array];
    a[4] = 1;
    expect(await codeOf(...all)).toBe("decrypt_failed");
    a[4] = 0;
    c[4] = 0;
    expect(await codeOf(...all)).toBe("decrypt_failed");
    c[4] = 2;
    expect(await codeOf(...all)).toBe("sealed_malformed");
  });

  it("is refused with lengths that are none, before anything is waited for", async () => {
    const head = await sealer.head(200);
    for (const length of [0, 15, 16, 17, 511 + 16, 513 + 16, 256 + 16, 131_072 + 16, 2 ** 32 - 1]) {
      const header = concat(u32(length), new Uint8Array([0]));
      expect(await codeOf(head, header)).toBe("sealed_malformed");
    }
  });

  it("is refused with padding that is none, and content longer than its record", async () => {
    const head = await sealer.head(200);
    const plain = new Uint8Array(512);
    plain.set(prefixed(utf8("a")));
    plain[511] = 1;
    expect(await codeOf(head, await sealer.plainRecord(plain, 1))).toBe("sealed_malformed");
    const other = await AnswerSealer.of(secret);
    const long = new Uint8Array(512);
    long.set(u32(509));
    expect(await codeOf(await other.head(200), await other.plainRecord(long, 1))).toBe(
      "sealed_malformed",
    );
  });

  it("has a head that is one", async () => {
    const heads = [
      u16(200),
      concat(u16(199), u16(0)),
      concat(u16(600), u16(0)),
      concat(u16(200), u16(0), new Uint8Array(1)),
      concat(u16(200), u16(17)),
      concat(u16(200), u16(1), prefixed(utf8("A")), prefixed(utf8(""))),
      concat(u16(200), u16(1), prefixed(utf8("a")), prefixed(utf8("\n"))),
      concat(u16(200), u16(2), ...["b", "", "a", ""].map((text) => prefixed(utf8(text)))),
      concat(u16(200), u16(2), ...["a", "", "a", ""].map((text) => prefixed(utf8(text)))),
    ];
    for (const content of heads) {
      const one = await AnswerSealer.of(secret);
      expect(await codeOf(one.salt, await one.record(content, true))).toBe("sealed_malformed");
    }
    const well = await AnswerSealer.of(secret);
    const content = concat(u16(200), encodeHeaders({ a: "1", b: "2" }));
    expect(await codeOf(well.salt, await well.record(content, true))).toBe("");
  });

  it("is of one request alone", async () => {
    const opener = new AnswerOpener(new Uint8Array(32));
    await expect(opener.feed(concat(...(await parts())))).rejects.toThrow("decrypt_failed");
    await expect(opener.feed(new Uint8Array(0))).rejects.toThrow("decrypt_failed");
    expect(() => opener.end()).toThrow("decrypt_failed");
  });
});

function streamOf(
  chunks: readonly Uint8Array<ArrayBuffer>[],
  onCancel: () => void = () => undefined,
): ReadableStream<Uint8Array> {
  const rest = [...chunks];
  return new ReadableStream<Uint8Array>({
    pull(controller) {
      const chunk = rest.shift();
      if (chunk) controller.enqueue(chunk);
      else controller.close();
    },
    cancel: onCancel,
  });
}

describe("the answer of a fetch", () => {
  it("has its head first, and its body as it comes", async () => {
    const answer = await openAnswer(streamOf(await parts()), secret);
    expect(answer.head.status).toBe(200);
    const pieces: string[] = [];
    for await (const piece of answer.body) pieces.push(fromUtf8(piece));
    expect(pieces).toEqual(["a", "b", "c"]);
  });

  it("keeps what came with its head", async () => {
    const answer = await openAnswer(streamOf([concat(...(await parts()))]), secret);
    let text = "";
    for await (const piece of answer.body) text += fromUtf8(piece);
    expect(text).toBe("abc");
  });

  it("throws behind what came where it is cut", async () => {
    const answer = await openAnswer(streamOf((await parts()).slice(0, 3)), secret);
    let text = "";
    const read = async () => {
      for await (const piece of answer.body) text += fromUtf8(piece);
    };
    await expect(read()).rejects.toThrow("sealed_truncated");
    expect(text).toBe("ab");
    await expect(openAnswer(streamOf([]), secret)).rejects.toThrow("sealed_truncated");
  });

  it("is cancelled by whoever breaks off", async () => {
    let isCancelled = false;
    const stream = streamOf(await parts(), () => (isCancelled = true));
    const answer = await openAnswer(stream, secret);
    for await (const piece of answer.body) {
      expect(fromUtf8(piece)).toBe("a");
      break;
    }
    expect(isCancelled).toBe(true);
  });
});
