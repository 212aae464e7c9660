// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { draftOf, settingsOf } from "./settings";

const empty = draftOf({});

describe("settingsOf", () => {
  it("leaves to the entry what is empty", () => {
    expect(settingsOf(empty)).toEqual({ settings: {}, errors: {} });
  });

  it("reads back what draftOf wrote", () => {
    const settings = {
      systemPrompt: "Be brief.",
      temperature: 0,
      topP: 0.9,
      maxTokens: 256,
      seed: 4294967295,
      stop: ["END", " two words"],
    };
    expect(settingsOf(draftOf(settings))).toEqual({ settings, errors: {} });
  });

  it("takes a decimal comma", () => {
    expect(settingsOf({ ...empty, temperature: "0,7" }).settings.temperature).toBe(0.7);
  });

  it.each([
    ["temperature", "2.1"],
    ["temperature", "-1"],
    ["temperature", "1e1"],
    ["topP", "0"],
    ["topP", "1.01"],
    ["maxTokens", "0"],
    ["maxTokens", "1.5"],
    ["seed", "4294967296"],
    ["seed", "NaN"],
    ["stop", "a\nb\nc\nd\ne"],
  ] as const)("says what is wrong with %s %s", (name, text) => {
    const { settings, errors } = settingsOf({ ...empty, [name]: text });
    expect(Object.keys(errors)).toEqual([name]);
    expect(settings).toEqual({});
  });
});
