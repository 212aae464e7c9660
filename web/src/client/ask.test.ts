// SPDX-License-Identifier: Apache-2.0
import { afterEach, describe, expect, it } from "vitest";
import { trustingVerifier } from "../../tests/support/statement";
import {
  type Asked,
  type Answering,
  broken,
  cut,
  errorOf,
  type Reply,
  silence,
  tampered,
  TestEntry,
  testTerms,
} from "../../tests/support/testEntry";
import type { TeeTeeError } from "../base/error";
import { adviceOf, ask, type AskEvents, type AskOptions } from "./ask";
import { EntryPool } from "./entryPool";
import { EntryRefusal } from "./fetchJson";
import { type AnswerPayment, type Payer, PaymentError } from "./payers";
import type { RouteVerifier } from "./routeVerifier";

const words = ["One", " two", "", " three", " four", "."];
const started: TestEntry[] = [];

afterEach(async () => {
  await Promise.all(started.splice(0).map((entry) => entry.stop()));
});

async function start(answering: Answering): Promise<TestEntry> {
  const entry = await TestEntry.start(answering);
  started.push(entry);
  return entry;
}

/** The id of a word is its place. */
function event(at: number, body: Asked["body"]): string {
  const delta = { content: words[at] };
  const choice = { index: 0, delta, finish_reason: null, token_ids: [at] };
  const head = { id: "chatcmpl-1", created: 5, seed: body["seed"] };
  return `data: ${JSON.stringify({ ...head, choices: [choice] })}\n\n`;
}

function ending(): string[] {
  const choice = { index: 0, delta: { content: "" }, finish_reason: "stop", token_ids: [] };
  const last = { id: "chatcmpl-1", created: 5, choices: [choice], receipt: "/v1/receipts/1" };
  return [`data: ${JSON.stringify(last)}\n\n`, "data: [DONE]\n\n"];
}

/** The rest of the words behind those that the request brings; `upTo` a place, then something else. */
function rest(asked: Asked, upTo = words.length, then: readonly string[] = ending()): Reply {
  const known = (asked.body["answer_token_ids"] as number[] | undefined) ?? [];
  expect(known).toEqual(known.map((_, at) => at));
  const pieces: string[] = [];
  for (let at = known.length; at < upTo; at++) pieces.push(event(at, asked.body));
  return { headers: { "content-type": "text/event-stream" }, pieces: [...pieces, ...then] };
}

function poolOf(...entries: readonly TestEntry[]): EntryPool {
  return new EntryPool({
    urls: entries.map((entry) => entry.url),
    terms: testTerms,
    verifier: trustingVerifier,
    silenceMs: 2000,
  });
}

const question = {
  path: "/v1/chat/completions",
  body: { messages: [{ role: "user", content: "Count" }], max_tokens: 6 },
} as const;

async function asked(options: AskOptions, events: AskEvents = {}, signal?: AbortSignal) {
  let text = "";
  const onText = (more: string) => {
    text += more;
    events.onText?.(more);
  };
  // Test entries have no hardware.
  const allowing = { allowsSimulated: true, ...options };
  const settled = await ask(allowing, signal ? { ...question, signal } : question, {
    ...events,
    onText,
  }).then(
    (answer) => ({ answer, error: undefined }),
    (error: TeeTeeError) => ({ answer: undefined, error }),
  );
  return { ...settled, text };
}

describe("ask", () => {
  it("has the whole answer of one entry, verified once", async () => {
    const entry = await start((one) => rest(one));
    const entries = poolOf(entry);
    const whole = await asked({ entries });
    expect(whole.text).toBe(words.join(""));
    expect(whole.answer?.parts.length).toBe(1);
    expect(whole.answer?.parts[0]).toMatchObject({
      tokenCount: 6,
      receiptPath: "/v1/receipts/1",
      finishReason: "stop",
      text: words.join(""),
    });
    expect(whole.answer?.seed).toBe(entry.asked[0]?.body["seed"]);
    await asked({ entries });
    expect(entry.attestations).toBe(1);
    expect(entry.asked[0]?.request.headers["content-type"]).toBe("application/json");
  });

  it("goes on elsewhere behind any token, with no character lost or twice", async () => {
    for (const how of [cut, broken]) {
      for (let upTo = 0; upTo <= words.length; upTo++) {
        const dying = await start((one) => rest(one, upTo, [how]));
        const living = await start((one) => rest(one));
        const interruptions: string[] = [];
        const whole = await asked(
          { entries: poolOf(dying, living) },
          { onInterrupted: (_, why) => interruptions.push(why.code) },
        );
        expect(whole.error).toBeUndefined();
        expect(whole.text).toBe(words.join(""));
        expect(interruptions.length).toBe(1);
        const [second] = living.asked;
        const known = (second?.body["answer_token_ids"] as number[] | undefined)?.length ?? 0;
        if (how === cut) expect(known).toBe(upTo);
        else expect(known).toBeLessThanOrEqual(upTo);
        // With the seed that the first one was given, and the time as the first one told it.
        expect(second?.body["seed"]).toBe(dying.asked[0]?.body["seed"]);
        if (known > 0) expect(second?.body["created"]).toBe(5);
        expect(whole.answer?.parts.map((part) => part.tokenCount)).toEqual(
          known === 0 ? [words.length] : [known, words.length - known],
        );
      }
    }
  });

  it("goes on with an answer that had ended", async () => {
    const limited = await start((one) => rest(one, 3, ending()));
    const first = await asked({ entries: poolOf(limited) });
    expect(first.answer?.tokenIds).toEqual([0, 1, 2]);
    const entry = await start((one) => rest(one));
    let text = first.text;
    const onText = (more: string) => {
      text += more;
    };
    const answer = await ask(
      { entries: poolOf(entry), allowsSimulated: true },
      first.answer ? { ...question, given: first.answer } : question,
      { onText },
    );
    expect(text).toBe(words.join(""));
    expect(answer.tokenIds).toEqual([0, 1, 2, 3, 4, 5]);
    expect(answer.parts[0]?.tokenCount).toBe(3);
    expect(first.answer?.tokenIds).toEqual([0, 1, 2]);
    expect(entry.asked[0]?.body["created"]).toBe(5);
  });

  it("does not take an end for one whose stream is cut behind it", async () => {
    const dying = await start((one) => rest(one, words.length, [...ending().slice(0, 1), cut]));
    const living = await start((one) => rest(one));
    const whole = await asked({ entries: poolOf(dying, living) });
    expect(whole.text).toBe(words.join(""));
    expect(living.asked.length).toBe(1);
  });

  it("learns of entries from the one that dies", async () => {
    const living = await start((one) => rest(one));
    const dying = await start((one) => rest(one, 2, [broken]));
    dying.others = [living.url, "no url", "ftp://elsewhere"];
    const whole = await asked({ entries: poolOf(dying) });
    expect(whole.text).toBe(words.join(""));
    expect(living.asked.length).toBe(1);
  });

  it("verifies anew where the entry has other keys by now", async () => {
    const entry = await start((one) => rest(one));
    const entries = poolOf(entry);
    await asked({ entries });
    await entry.renew();
    const whole = await asked({ entries });
    expect(whole.text).toBe(words.join(""));
    expect(entry.attestations).toBe(2);
  });

  it("gives up an entry that is silent", async () => {
    const silent = await start((one) => rest(one, 2, [silence]));
    const living = await start((one) => rest(one));
    const interruptions: string[] = [];
    const whole = await asked(
      { entries: poolOf(silent, living) },
      { onInterrupted: (_, why) => interruptions.push(why.code) },
    );
    expect(whole.text).toBe(words.join(""));
    expect(interruptions).toEqual(["timed_out"]);
  });

  it("takes nothing that somebody on the way has written", async () => {
    const relayed = await start((one) => rest(one, 2, [tampered]));
    const living = await start((one) => rest(one));
    const interruptions: string[] = [];
    const whole = await asked(
      { entries: poolOf(relayed, living) },
      { onInterrupted: (_, why) => interruptions.push(why.code) },
    );
    expect(whole.text).toBe(words.join(""));
    expect(interruptions).toEqual(["sealed_malformed"]);
    // Alone it is asked once more, with evidence of now, and not again.
    const alone = await start((one) => rest(one, 0, [tampered]));
    const refused = await asked({ entries: poolOf(alone) });
    expect(refused.error?.code).toBe("sealed_malformed");
    expect(alone.asked.length).toBe(2);
    expect(alone.attestations).toBe(2);
  });

  it("stops when it is told to, and the entry sees it", async () => {
    const entry = await start((one) => rest(one, 3, [silence]));
    const controller = new AbortController();
    let texts = 0;
    const onText = () => {
      if (++texts === 2) controller.abort();
    };
    const stopped = await asked({ entries: poolOf(entry) }, { onText }, controller.signal);
    expect(stopped.error?.code).toBe("cancelled");
    expect(stopped.text).toBe("One two");
    await expect.poll(() => entry.brokenOff).toBe(1);
  });

  it("passes on what every entry would refuse", async () => {
    const refusals = [
      [400, "field_invalid", "invalid_request_error"],
      [422, "grammar_stuck", "invalid_request_error"],
      [402, "payment_required", "payment_error"],
    ] as const;
    for (const [status, code, type] of refusals) {
      const body = JSON.stringify({ error: { code, type, message: "why", param: "grammar" } });
      const entry = await start(() => ({ status, pieces: [body] }));
      const other = await start((one) => rest(one));
      const refused = await asked({ entries: poolOf(entry, other) });
      expect(refused.error).toBeInstanceOf(EntryRefusal);
      expect(refused.error).toMatchObject({ code, status, param: "grammar", detail: "why" });
      expect(other.asked.length).toBe(0);
      expect(adviceOf(refused.error)).not.toBe("");
    }
  });

  it("asks a full entry again while there is patience, and tells when", async () => {
    let times = 0;
    const headers = { "retry-after": "1" };
    const body = JSON.stringify(errorOf("overloaded", "overloaded_error"));
    const entry = await start((one) =>
      ++times < 3 ? { status: 429, headers, pieces: [body] } : rest(one),
    );
    const waits: number[] = [];
    const onInterrupted = (_: string, __: TeeTeeError, seconds: number) => waits.push(seconds);
    const whole = await asked({ entries: poolOf(entry) }, { onInterrupted });
    expect(whole.text).toBe(words.join(""));
    expect(waits).toEqual([1, 1]);
    times = -100;
    const refused = await asked({ entries: poolOf(entry), patienceMs: 0 });
    expect(refused.error).toMatchObject({ code: "overloaded", retryAfterSeconds: 1, status: 429 });
    expect(adviceOf(refused.error)).toContain("Try again in 1 s");
  });

  it("goes on after an error in the middle of a stream", async () => {
    const error = `event: error\ndata: ${JSON.stringify(errorOf("stage_failed"))}\n\n`;
    const failing = await start((one) => rest(one, 3, [error, broken]));
    const living = await start((one) => rest(one));
    expect((await asked({ entries: poolOf(failing, living) })).text).toBe(words.join(""));
    // Alone it is not asked again: it lives, and says that it cannot.
    const alone = await asked({ entries: poolOf(failing) });
    expect(alone.error?.code).toBe("stage_failed");
  });

  it("asks nobody whose evidence is not right", async () => {
    const entry = await start((one) => rest(one));
    const entries = new EntryPool({
      urls: [entry.url],
      terms: { ...testTerms, policy: new Uint8Array(1) },
      verifier: trustingVerifier,
    });
    const refused = await asked({ entries, patienceMs: 0 });
    expect(refused.error?.code).toBe("statement_mismatch");
    expect(entry.asked.length).toBe(0);
  });

  it("does not believe what comes in the clear", async () => {
    const entry = await start((one) => rest(one));
    const entries = poolOf(entry);
    entry.refusal = { status: 402, code: "payment_required" };
    const refused = await asked({ entries, patienceMs: 0 });
    expect(refused.error?.code).toBe("channel_unbound");
  });

  it("tells an entry whose TEEs are simulated nothing, unless that is allowed", async () => {
    const real = await start((one) => rest(one, 2, [cut]));
    const simulated = await start((one) => rest(one));
    const verifier: RouteVerifier = {
      ...trustingVerifier,
      verifyRoute: async (evidence) => {
        const route = await trustingVerifier.verifyRoute(evidence);
        const isSimulated = route.nodes[0].receiptKey !== real.address;
        return { ...route, isSimulated };
      },
    };
    const mixed = () =>
      new EntryPool({ urls: [real.url, simulated.url], terms: testTerms, verifier });
    const options = { patienceMs: 0, allowsSimulated: false };
    const events: string[] = [];
    const refused = await asked(
      { entries: mixed(), ...options },
      { onAsked: ({ url }) => events.push(url) },
    );
    expect(refused.error?.code).toBe("simulated_rejected");
    expect(refused.error?.detail).toContain(`${simulated.url}: TEEs of its route are simulated`);
    expect(adviceOf(refused.error)).toContain("they were told nothing");
    expect(refused.text).toBe("One two");
    expect(events).not.toContain(simulated.url);
    expect(simulated.asked).toEqual([]);
    // That is what whoever says nothing of it gets, too.
    await expect(ask({ entries: mixed(), patienceMs: 0 }, question)).rejects.toThrow(
      "simulated_rejected",
    );
    expect(simulated.asked).toEqual([]);
    const whole = await asked({ entries: mixed(), patienceMs: 0 });
    expect(whole.text).toBe(words.join(""));
    expect(simulated.asked.length).toBe(1);
  });

  it("is answered by hardware behind an entry whose TEEs are simulated", async () => {
    const [simulated, real] = [await start((one) => rest(one)), await start((one) => rest(one))];
    const verifyRoute: RouteVerifier["verifyRoute"] = async (evidence) => {
      const route = await trustingVerifier.verifyRoute(evidence);
      return { ...route, isSimulated: route.nodes[0].receiptKey !== real.address };
    };
    const entries = new EntryPool({
      urls: [simulated.url, real.url],
      terms: testTerms,
      verifier: { ...trustingVerifier, verifyRoute },
    });
    const whole = await asked({ entries, allowsSimulated: false });
    expect(whole.text).toBe(words.join(""));
    expect(simulated.asked).toEqual([]);
    expect(entries.preferred).toBe(real.url);
  });

  it("lets what a caller's event throws end the answer", async () => {
    const entry = await start((one) => rest(one));
    const onText = () => {
      throw new RangeError("the caller's own");
    };
    const options = { entries: poolOf(entry), allowsSimulated: true };
    await expect(ask(options, question, { onText })).rejects.toThrow(RangeError);
  });

  it("pays again where the entry wants more, and tells it of the end", async () => {
    let times = 0;
    const body = JSON.stringify(errorOf("payment_required", "payment_error"));
    const entry = await start((one) =>
      ++times === 1 ? { status: 402, pieces: [body] } : rest(one),
    );
    const tries: string[] = [];
    const ends: boolean[] = [];
    const payment: AnswerPayment = {
      bodyMembers: async () => ({ salt: "7" }),
      pay: async () => `query id=${tries.length}`,
      onStanding: () => undefined,
      triesAgain: async (code) => {
        tries.push(code);
        return true;
      },
      unserved: () => undefined,
      end: (isServed) => void ends.push(isServed),
    };
    const payer: Payer = { kind: "query", begin: () => payment };
    const whole = await asked({ entries: poolOf(entry), payer });
    expect(whole.text).toBe(words.join(""));
    expect(tries).toEqual(["payment_required"]);
    expect(ends).toEqual([true]);
    const [first, second] = entry.asked;
    expect(first?.request.headers["teetee-payment"]).toBe("query id=0");
    expect(second?.request.headers["teetee-payment"]).toBe("query id=1");
    expect(second?.body["salt"]).toBe("7");
  });

  it("goes to no other entry where the payment failed, and says what was paid", async () => {
    const [one, other] = [await start((it) => rest(it)), await start((it) => rest(it))];
    const paid = { transaction: undefined, query: 7n, reclaimableFrom: 1, isGood: true };
    const ends: boolean[] = [];
    let payments = 0;
    const payment: AnswerPayment = {
      bodyMembers: async () => ({}),
      pay: async () => {
        payments++;
        throw new PaymentError("rpc_unavailable", "the chain is away");
      },
      onStanding: () => undefined,
      triesAgain: async () => false,
      unserved: () => paid,
      end: (isServed) => void ends.push(isServed),
    };
    const payer: Payer = { kind: "query", begin: () => payment };
    const told: unknown[] = [];
    const asking = ask({ entries: poolOf(one, other), payer, allowsSimulated: true }, question, {
      onUnserved: (payment) => told.push(payment),
    });
    await expect(asking).rejects.toThrow("rpc_unavailable");
    expect(payments).toBe(1);
    expect(told).toEqual([paid]);
    expect(ends).toEqual([false]);
  });

  function paidOnce(ends: boolean[] = []): Payer {
    const payment: AnswerPayment = {
      bodyMembers: async () => ({}),
      pay: async () => "query id=7",
      onStanding: () => undefined,
      triesAgain: async () => false,
      unserved: () => ({ transaction: "0x", query: 7n, reclaimableFrom: 1, isGood: true }),
      end: (isServed) => void ends.push(isServed),
    };
    return { kind: "query", begin: () => payment };
  }

  it("stays with the entry that was paid for the answer, and then asks no other", async () => {
    for (const failures of [2, 1000]) {
      let times = 0;
      const one = await start((it) => (++times <= failures ? { pieces: [broken] } : rest(it)));
      const other = await start((it) => rest(it));
      const entries = poolOf(one, other);
      const got = await asked({ entries, payer: paidOnce(), patienceMs: 1500 });
      expect(got.text).toBe(failures === 2 ? words.join("") : "");
      expect(got.error === undefined).toBe(failures === 2);
      expect(times).toBeGreaterThan(1);
      expect(other.asked).toEqual([]);
    }
  });

  /** As entries begin an answer: before the prompt is computed, without a token. */
  function beginning(seed: unknown): string {
    const choice = { index: 0, delta: { role: "assistant", content: "" }, finish_reason: null };
    const head = { id: "chatcmpl-1", created: 5, seed };
    return `data: ${JSON.stringify({ ...head, choices: [choice] })}\n\n`;
  }

  it("asks first where it was paid before", async () => {
    const [one, other] = [await start((it) => rest(it)), await start((it) => rest(it))];
    const entries = poolOf(one, other);
    const { receiptKey } = await entries.open(other.url);
    const payer: Payer = {
      kind: "query",
      begin: () => Object.assign(paidOnce().begin(), { paidEntry: receiptKey }),
    };
    expect((await asked({ entries, payer })).text).toBe(words.join(""));
    expect([one.asked.length, other.asked.length]).toEqual([0, 1]);
  });

  it("sends what was paid for to the letter, whatever an entry began with", async () => {
    const bodies: string[] = [];
    const one = await start((it) => {
      bodies.push(JSON.stringify(it.body));
      return bodies.length <= 2 ? { pieces: [beginning(99), cut] } : rest(it);
    });
    const got = await asked({ entries: poolOf(one), payer: paidOnce(), patienceMs: 5000 });
    expect(got.error).toBeUndefined();
    expect(got.text).toBe(words.join(""));
    expect(bodies.length).toBe(3);
    expect(new Set(bodies).size).toBe(1);
  });

  it("takes what was stopped for served only behind a token", async () => {
    for (const [pieces, isServed] of [
      [[beginning(1)], false],
      [[beginning(1), event(0, { seed: 1 })], true],
    ] as const) {
      const controller = new AbortController();
      const one = await start(() => ({ pieces: [...pieces, silence] }));
      const ends: boolean[] = [];
      const told: unknown[] = [];
      const stop = () => setTimeout(() => controller.abort(), 50);
      const got = await asked(
        { entries: poolOf(one), payer: paidOnce(ends), patienceMs: 0 },
        { onEvent: stop, onUnserved: (payment) => told.push(payment) },
        controller.signal,
      );
      expect(got.error?.code).toBe("cancelled");
      expect(ends).toEqual([isServed]);
      expect(told.length).toBe(isServed ? 0 : 1);
    }
  });

  it("pays no other entry where one does not take what it was paid", async () => {
    for (const code of ["query_unknown", "payment_in_use"]) {
      const refuse = { status: 402, pieces: [JSON.stringify(errorOf(code, "payment_error"))] };
      const [one, other] = [await start(() => refuse), await start(() => refuse)];
      let payments = 0;
      const payment: AnswerPayment = {
        bodyMembers: async () => ({}),
        pay: async () => `query id=${++payments}`,
        onStanding: () => undefined,
        triesAgain: async () => false,
        unserved: () => undefined,
        end: () => undefined,
      };
      const payer: Payer = { kind: "query", begin: () => payment };
      const entries = poolOf(one, other);
      await expect(ask({ entries, payer, allowsSimulated: true }, question)).rejects.toThrow(code);
      expect(payments).toBe(1);
    }
  });
});
