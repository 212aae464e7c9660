// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { trustingVerifier } from "../../../tests/support/statement";
import { TestEntry, testTerms } from "../../../tests/support/testEntry";
import { sha256Sync } from "../../attest/hash";
import { toHex, utf8 } from "../../base/bytes";
import { EntryPool } from "../../client/entryPool";
import { proofShelf } from "../proof/proofShelf";
import { askNetwork, bodyOf } from "./askNetwork";
import { LiveAnswers } from "./liveAnswer";

describe("bodyOf", () => {
  const messages = [{ role: "user", text: "Once" }] as const;

  it("says only what the settings say", () => {
    expect(bodyOf({ messages, settings: {} })).toEqual({
      messages: [{ role: "user", content: "Once" }],
      stream_options: { include_usage: true },
    });
  });

  it("has all settings under the API's names, the system prompt first", () => {
    const settings = {
      systemPrompt: "Be brief.",
      temperature: 0,
      topP: 0.5,
      maxTokens: 7,
      seed: 0,
      stop: ["END"],
    };
    expect(bodyOf({ messages, settings })).toMatchObject({
      messages: [
        { role: "system", content: "Be brief." },
        { role: "user", content: "Once" },
      ],
      temperature: 0,
      top_p: 0.5,
      max_tokens: 7,
      seed: 0,
      stop: ["END"],
    });
  });
});

describe("LiveAnswers", () => {
  it("shows the latest one that is under way", () => {
    const live = new LiveAnswers();
    const [a, b] = [Symbol(), Symbol()];
    live.set(a, { tokens: 1 });
    live.set(b, { upTo: 9n });
    expect(live.latest()).toEqual({ tokens: 0, upTo: 9n });
    live.end(b);
    expect(live.latest()).toEqual({ tokens: 1 });
    live.end(a);
    expect(live.latest()).toBeUndefined();
  });
});

describe("askNetwork", () => {
  it("keeps who gave the answer, and holds its proof against what was connected", async () => {
    const choice = { index: 0, delta: { content: "yes" }, finish_reason: "stop", token_ids: [1] };
    const said = { id: "chatcmpl-1", created: 5, choices: [choice], receipt: "/v1/receipts/1" };
    const entry = await TestEntry.start(() => ({
      headers: { "content-type": "text/event-stream" },
      pieces: [`data: ${JSON.stringify(said)}\n\n`, "data: [DONE]\n\n"],
    }));
    try {
      const entries = new EntryPool({
        urls: [entry.url],
        terms: testTerms,
        verifier: trustingVerifier,
      });
      const yardstick = { isOwn: false, words: "The pool is one that the entry names." };
      const chain = undefined;
      const facts = await askNetwork(
        { entries, chain, yardstick, payer: undefined, isSimulated: true, onPaid: () => {} },
        { messages: [{ role: "user", text: "Once" }], settings: {} },
        () => {},
        new AbortController().signal,
        () => {},
      );
      const sent = entry.asked[0]?.request.body ?? "";
      expect(facts).toEqual({
        receipts: ["1"],
        requestHashes: [toHex(sha256Sync(utf8(sent)))],
        entryUrls: [entry.url],
      });
      expect(proofShelf.get(["1"])?.yardstick).toBe(yardstick);
      await expect.poll(() => proofShelf.get(["1"])?.proof.phase).not.toBe("verifying");
      expect(proofShelf.get(["1"])?.yardstick).toBe(yardstick);
    } finally {
      proofShelf.clear();
      await entry.stop();
    }
  });
});
