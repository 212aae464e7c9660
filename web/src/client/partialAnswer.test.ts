// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { utf8 } from "../base/bytes";
import { asError } from "../base/error";
import type { AnswerShape, JsonObject } from "./answerShape";
import { answerCountOf, promptBytesOf } from "./answerShape";
import type { Standing } from "./entries";
import { refusalOf } from "./fetchJson";
import { eventBytesMax } from "./limits";
import {
  AnswerReader,
  noAnswer,
  parseStandingComment,
  requestForRest,
  saidErrorOf,
  timeoutMsOf,
} from "./partialAnswer";

const event = (json: string) => `data: ${json}\n\n`;
const token = (text: string, ids: string) =>
  event(
    `{"id":"chatcmpl-07","created":5,"seed":9,"choices":[{"index":0,"finish_reason":null,"delta":{"content":"${text}"},"token_ids":${ids}}]}`,
  );
const begin = event(
  '{"id":"chatcmpl-07","created":5,"seed":9,"choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}',
);
const closing =
  event(
    '{"id":"chatcmpl-07","created":5,"seed":9,"choices":[{"index":0,"finish_reason":"length","delta":{"content":"!"},"token_ids":[]}],"receipt":"/v1/receipts/07"}',
  ) + event('{"id":"chatcmpl-07","choices":[],"usage":{"prompt_tokens":1}}');
const done = "data: [DONE]\n\n";

function read(stream: string, piece = 7, shape: AnswerShape = "chat", isResumable = true) {
  const known = noAnswer();
  const events: JsonObject[] = [];
  const standings: Standing[] = [];
  let text = "";
  const reader = new AnswerReader(
    known,
    {
      onText: (more) => (text += more),
      onEvent: (one) => events.push(one),
      onStanding: (one) => standings.push(one),
    },
    shape,
    isResumable,
  );
  const bytes = utf8(stream);
  for (let at = 0; at < bytes.length; at += piece) {
    if (!reader.feed(bytes.subarray(at, at + piece))) break;
  }
  let code = "";
  try {
    reader.finish();
  } catch (thrown) {
    ({ code } = asError(thrown));
  }
  return { known, events, standings, text, code, reader };
}

describe("an answer's reader", () => {
  it("reads an answer however it is cut", () => {
    const stream = begin + token("H\u00e4", "[1]") + token("", "[2]") + token(" you", "[3,4]");
    for (let piece = 1; piece <= 900; piece += 13) {
      const whole = read(stream + closing + done, piece);
      expect(whole.code).toBe("");
      expect(whole.text).toBe("H\u00e4 you!");
      expect(whole.known.tokenIds).toEqual([1, 2, 3, 4]);
      expect(whole.known.seed).toBe(9);
      expect(whole.known.created).toBe(5);
      expect(whole.reader.receiptPath).toBe("/v1/receipts/07");
      expect(whole.reader.finishReason).toBe("length");
    }
  });

  it("has the text of its tokens wherever the stream ends", () => {
    const stream = begin + token("Hi", "[1]") + token("", "[2]") + token(" you", "[3]");
    const whole = stream + closing + done;
    const texts = ["", "Hi", "Hi", "Hi you"];
    for (let end = 0; end < whole.length - 2; end++) {
      const part = read(whole.slice(0, end), 64);
      expect(part.code).toBe("connection_closed");
      expect(part.text).toBe(texts[part.known.tokenIds.length]);
    }
  });

  it("gives out the end only when it has come", () => {
    const stream = begin + token("Hi", "[1]") + ":\n\n" + closing;
    expect(read(stream).events.length).toBe(2);
    expect(read(stream + done).events.length).toBe(4);
  });

  it("refuses what is no such stream", () => {
    const cases = [
      event("{"),
      event("[]"),
      done,
      event('{"choices":[1]}'),
      event('{"choices":[{}]}'),
      event('{"choices":[{"delta":{"content":"text without its tokens"}}]}'),
      event('{"seed":"9"}'),
      event('{"activations":"q4","choices":[]}'),
      token("Hi", "7"),
      token("Hi", "[-1]"),
      token("Hi", "[1.5]"),
      token("Hi", "[4294967296]"),
      closing + token("behind the end", "[1]"),
      event('{"choices":[{"finish_reason":"stop","delta":{}}],"receipt":"//elsewhere"}'),
    ];
    for (const stream of cases) {
      const refused = read(stream + begin + done);
      expect([stream, refused.code]).toEqual([stream, "invalid_json"]);
      expect(refused.text).toBe("");
      expect(refused.known.tokenIds).toEqual([]);
    }
    expect(read("x".repeat(eventBytesMax + 1), 65_536).code).toBe("limit_exceeded");
    const deep = `{"a":${"[".repeat(40)}${"]".repeat(40)}}`;
    expect(read(event(deep)).code).toBe("limit_exceeded");
    const reader = new AnswerReader(noAnswer(), {}, "chat", true);
    expect(reader.feed(new Uint8Array([0xff, 0x0a]))).toBe(false);
    expect(() => reader.finish()).toThrow("invalid_utf8");
  });

  it("reads completions and what generate answers", () => {
    const completion = read(
      event('{"id":"cmpl-1","choices":[{"text":"a","token_ids":[1],"finish_reason":null}]}') +
        event('{"choices":[{"text":"b","token_ids":[],"finish_reason":"stop"}]}') +
        done,
      7,
      "completion",
    );
    expect([completion.code, completion.text]).toEqual(["", "ab"]);
    const generated = read(
      event('{"id":"gen-1","text":"a","token_ids":[1],"finish_reason":null}') +
        event('{"text":"b","token_ids":[],"finish_reason":"stop"}') +
        event('{"usage":{"prompt_tokens":1}}') +
        done,
      7,
      "generate",
    );
    expect([generated.code, generated.text, generated.events.length]).toEqual(["", "ab", 3]);
    const wrong = read(event('{"choices":[{"delta":{},"finish_reason":null}]}'), 7, "completion");
    expect(wrong.code).toBe("invalid_json");
  });

  it("passes on what nobody can go on with", () => {
    const two =
      event('{"choices":[{"index":1,"delta":{"content":"b"},"finish_reason":null}]}') +
      event('{"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":"stop"}]}');
    expect(read(two, 7, "chat", false).code).toBe("connection_closed");
    expect(read(two + done, 7, "chat", false).text).toBe("ba");
    const call = event('{"choices":[{"delta":{"tool_calls":[]},"finish_reason":null}]}');
    expect(read(begin + call).known.isLost).toBe(true);
    expect(read(begin + token("Hi", "[1]")).known.isLost).toBe(false);
  });

  it("tells how the voucher stands, and why an answer ended", () => {
    const comment = ": payment charged=1 held=2 signed=3 claimable=18446744073709551615\n\n";
    const whole = read(comment + begin + token("Hi", "[1]") + closing + done);
    expect(whole.standings).toEqual([
      { charged: 1n, held: 2n, signed: 3n, claimable: 2n ** 64n - 1n },
    ]);
    const ended = event(
      '{"choices":[{"finish_reason":"length","delta":{},"token_ids":[]}],"ended_by":"payment"}',
    );
    expect(read(begin + ended + done).reader.endedByPayment).toBe(true);
    for (const line of [
      ": payment charged=1 held=2 signed=3",
      ": payment charged=-1 held=2 signed=3 claimable=4",
      ": payment charged=01 held=2 signed=3 claimable=4",
      ": payment charged=1 held=2 signed=3 claimable=18446744073709551616",
      ": payment charged=1 held=2 signed=3 claimable=4 more=5",
      ": keep-alive",
    ]) {
      expect(parseStandingComment(line)).toBeUndefined();
    }
  });
});

describe("an entry's error", () => {
  it("says whether another entry would refuse as well", () => {
    const of = (type: string, code: string) =>
      saidErrorOf(refusalOf({ error: { type, code, message: "m" } }, 400));
    expect(of("server_error", "stage_failed").isOfRequest).toBe(false);
    expect(of("overloaded_error", "overloaded").isOfRequest).toBe(false);
    expect(of("invalid_request_error", "kv_cache_full").isOfRequest).toBe(false);
    expect(of("invalid_request_error", "activations_differ").isOfRequest).toBe(false);
    expect(of("invalid_request_error", "field_invalid").isOfRequest).toBe(true);
    expect(of("payment_error", "payment_required").isOfRequest).toBe(true);
    expect(of("server_error", "deadline_exceeded").isOfRequest).toBe(true);
    const failed = read(
      begin +
        token("Hi", "[1]") +
        'event: error\ndata: {"error":{"type":"server_error","code":"stage_failed"}}\n\n',
    );
    expect(failed.code).toBe("stage_failed");
    expect(failed.reader.receiptPath).toBe("/v1/receipts/chatcmpl-07");
  });

  it("is one whatever it looks like", () => {
    for (const value of [undefined, null, 1, [], {}, { error: 1 }, { error: { code: 7 } }]) {
      const refusal = refusalOf(value, 502, 3);
      expect(refusal.code).toBe("http_malformed");
      expect(refusal.retryAfterSeconds).toBe(3);
    }
    const long = { error: { code: "x", message: `a\u001b[31m${"b".repeat(9999)}` } };
    const { detail } = refusalOf(long, 400);
    expect(detail.length).toBeLessThanOrEqual(500);
    expect(detail).not.toContain("\u001b");
  });
});

describe("the request for the rest", () => {
  it("is the request and what is known", () => {
    expect(requestForRest({ temperature: 1, seed: 3 }, noAnswer())).toEqual({
      temperature: 1,
      seed: 3,
      stream: true,
      return_token_ids: true,
    });
    const known = { ...noAnswer(), tokenIds: [4, 2], seed: 9, created: 5, activations: "q8" };
    expect(requestForRest({ seed: 3 }, known)).toEqual({
      stream: true,
      return_token_ids: true,
      seed: 9,
      created: 5,
      answer_token_ids: [4, 2],
      activations: "q8",
    });
    // Nothing was computed with the format.
    const none = read(event('{"activations":"q8","choices":[]}')).known;
    expect(requestForRest({}, none)).not.toHaveProperty("activations");
  });

  it("has a timeout of its own only where an entry would take it", () => {
    expect(timeoutMsOf({ timeout: 2.5 })).toBe(2500);
    for (const timeout of [undefined, "2", -1, 0, 1e300, Number.NaN]) {
      expect(timeoutMsOf({ timeout })).toBeUndefined();
    }
  });

  it("is of one answer, whose prompt has so many bytes", () => {
    expect(answerCountOf({})).toBe(1);
    expect(answerCountOf({ n: 3 })).toBe(3);
    expect(answerCountOf({ best_of: 2 })).toBe(2);
    expect(answerCountOf({ prompt: [1, 2, 3] })).toBe(1);
    expect(answerCountOf({ prompt: ["a", "b"] })).toBe(2);
    expect(answerCountOf({ prompt: ["a"] })).toBe(1);
    expect(promptBytesOf({ prompt: [1, 2, 3] })).toBe(3);
    expect(promptBytesOf({ messages: [{ role: "user", content: "\u00e4" }] })).toBe(4 + 4 + 7 + 2);
    expect(promptBytesOf({ max_tokens: 7 })).toBe(0);
  });
});
