// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { bodyOf } from "./askNetwork";
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
