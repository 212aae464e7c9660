// SPDX-License-Identifier: Apache-2.0
// Against a real network on this machine, without a chain: `npm run test:network`.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { concat, fromUtf8, utf8 } from "../../src/base/bytes";
import { ask, type AskEvents, type Question } from "../../src/client/ask";
import {
  fetchEntryList,
  fetchEntryTerms,
  fetchHealth,
  fetchModels,
} from "../../src/client/entries";
import { EntryPool } from "../../src/client/entryPool";
import { EntryRefusal } from "../../src/client/fetchJson";
import { countPromptTokens } from "../../src/client/promptTokens";
import { fetchReceipts } from "../../src/client/receipts";
import { VerifiedEntry } from "../../src/client/verifiedEntry";
import { hasBinary, UpNetwork } from "./upNetwork";
import { verifierOf } from "./verifier";

const prompt = "Once upon a time";

describe.skipIf(!hasBinary)("a network without a chain", { timeout: 60_000 }, () => {
  let network: UpNetwork;
  const verifier = verifierOf(() => network);
  let entries: EntryPool;

  const poolOf = (urls: readonly string[]) =>
    new EntryPool({ urls, terms: network.terms, verifier });

  beforeAll(async () => {
    network = await UpNetwork.start(5450, "--no-chain", "--shards", "2", "--replicas", "2");
    entries = poolOf(network.urls);
  }, 240_000);

  afterAll(() => network.stop());

  async function asked(question: Question, events: AskEvents = {}, pool = entries) {
    let text = "";
    const onText = (more: string) => {
      text += more;
      events.onText?.(more);
    };
    const answer = await ask(
      { entries: pool, patienceMs: 30_000, allowsSimulated: true },
      question,
      {
        ...events,
        onText,
      },
    );
    return { answer, text };
  }

  /** The same in the clear, from the first entry, whole. */
  async function inTheClear(path: string, body: object): Promise<string> {
    const response = await fetch(`${network.urls[0]}${path}`, {
      method: "POST",
      body: JSON.stringify(body),
    });
    const value = (await response.json()) as {
      text?: string;
      choices?: { text?: string; message?: { content: string } }[];
    };
    const [choice] = value.choices ?? [];
    return value.text ?? choice?.text ?? choice?.message?.content ?? "";
  }

  it("says what it is", async () => {
    const url = network.urls[0] ?? "";
    const health = await fetchHealth(url);
    expect(health).toMatchObject({ isReady: true, isSimulated: true });
    expect(await fetchModels(url)).toEqual([health.model]);
    expect(await fetchEntryTerms(url)).toEqual({ isFree: true });
    const list = await fetchEntryList(url);
    expect(list.entries.map((entry) => entry.apiUrl).sort()).toEqual([...network.urls].sort());
  });

  it("is verified, every node of it", async () => {
    const entry = await entries.open(network.urls[0] ?? "");
    const { nodes } = entry.route;
    expect(nodes.length).toBeGreaterThanOrEqual(2);
    expect(nodes[0].layers.begin).toBe(0);
    expect(await entries.isUnchanged(entry)).toBe(true);
    // Another file is another policy, even if it says the same.
    const { policy } = network.terms;
    const terms = { ...network.terms, policy: concat(policy, utf8("\n")) };
    const open = VerifiedEntry.open({ url: entry.url, terms, verifier });
    await expect(open).rejects.toThrow("statement_mismatch");
  });

  it("answers sealed requests on all three paths as in the clear", async () => {
    const common = { seed: 7, temperature: 1, max_tokens: 40 };
    const questions: Question[] = [
      { path: "/generate", body: { ...common, prompt } },
      { path: "/v1/completions", body: { ...common, prompt } },
      {
        path: "/v1/chat/completions",
        body: { ...common, messages: [{ role: "user", content: prompt }] },
      },
    ];
    for (const question of questions) {
      const { text, answer } = await asked(question);
      expect(text).not.toBe("");
      expect(text).toBe(await inTheClear(question.path, question.body));
      expect(answer.parts.length).toBe(1);
    }
  });

  it("hands out the receipt of an answer, sealed", async () => {
    const { answer } = await asked({ path: "/generate", body: { prompt, max_tokens: 8 } });
    const [first] = await fetchReceipts(entries, answer.parts);
    const receipt = JSON.parse(fromUtf8(first?.receipt ?? new Uint8Array(0))) as {
      stages: unknown[];
    };
    expect(receipt.stages.length).toBe(2);
  });

  it("goes on elsewhere when the entry is killed in mid-stream", async () => {
    const body = { prompt, seed: 11, temperature: 1, max_tokens: 400 };
    const whole = await inTheClear("/v1/completions", body);
    const [first, second] = network.urls;
    let texts = 0;
    const interruptions: string[] = [];
    const { text, answer } = await asked(
      { path: "/v1/completions", body },
      {
        onText: () => {
          if (++texts === 5) network.killEntry(first ?? "");
        },
        onInterrupted: (url) => interruptions.push(url),
      },
      poolOf([first ?? ""]),
    );
    expect(text).toBe(whole);
    // The second one was learned from the first.
    expect(answer.parts.map((part) => part.entry.url)).toEqual([first, second]);
    expect(interruptions[0]).toBe(first);
    const receipts = await fetchReceipts(entries, answer.parts.slice(1));
    expect(receipts[0]?.error).toBeUndefined();
  });

  it("goes on at the entry itself once it is started again with new keys", async () => {
    const url = network.urls[0] ?? "";
    // Verified before its death, or since.
    const pool = poolOf([url]);
    await expect
      .poll(
        () =>
          fetchHealth(url).then(
            (health) => health.isReady,
            () => false,
          ),
        {
          timeout: 40_000,
        },
      )
      .toBe(true);
    await pool.open(url);
    network.killEntry(url);
    const { text } = await asked({ path: "/generate", body: { prompt, max_tokens: 8 } }, {}, pool);
    expect(text).not.toBe("");
  });

  it("stops computing when nobody wants the answer any more", async () => {
    const controller = new AbortController();
    const url = network.urls[1] ?? "";
    const question: Question = {
      path: "/v1/completions",
      body: { prompt, max_tokens: 480, grammar: 'root ::= "a"*' },
      signal: controller.signal,
    };
    let texts = 0;
    const onText = () => {
      if (++texts === 3) controller.abort();
    };
    await expect(asked(question, { onText }, poolOf([url]))).rejects.toThrow("cancelled");
    expect(texts).toBe(3);
    await expect
      .poll(() => fetchHealth(url).then((health) => health.activeRequests), { timeout: 5000 })
      .toBe(0);
  });

  it("counts the tokens of a prompt as they are then charged", async () => {
    const messages = [
      { role: "system", content: "Tell stories." },
      { role: "user", content: "Of a caf\u00e9." },
    ];
    const bodies = [
      ["/v1/chat/completions", { messages, max_tokens: 1 }],
      ["/v1/completions", { prompt, max_tokens: 1 }],
    ] as const;
    for (const [path, body] of bodies) {
      const usages: unknown[] = [];
      const question: Question = {
        path,
        body: { ...body, stream_options: { include_usage: true } },
      };
      await asked(question, {
        onEvent: (event) => {
          if (event["usage"]) usages.push(event["usage"]);
        },
      });
      const count = await entries.use(network.urls[0] ?? "", (entry) =>
        countPromptTokens(entry, body),
      );
      expect(usages).toMatchObject([{ prompt_tokens: count }]);
    }
  });

  it("says by name what is wrong with a request", async () => {
    const refusal = async (body: Question["body"]) => {
      const thrown = await asked({ path: "/v1/completions", body }).then(
        () => undefined,
        (error: unknown) => error,
      );
      expect(thrown).toBeInstanceOf(EntryRefusal);
      return thrown as EntryRefusal;
    };
    const hot = await refusal({ prompt, temperature: "hot" });
    expect(hot).toMatchObject({ code: "field_invalid", param: "temperature", status: 400 });
    expect(await refusal({ prompt, grammar: "root :=" })).toMatchObject({
      code: "grammar_invalid",
    });
    const long = "word ".repeat(4000);
    expect((await refusal({ prompt: long })).code).toMatch(/context_exceeded|kv_cache_full/);
    expect(await refusal({ prompt, model: "another" })).toMatchObject({ code: "model_unknown" });
  });
});
