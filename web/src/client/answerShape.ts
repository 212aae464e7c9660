// SPDX-License-Identifier: Apache-2.0
import { utf8 } from "../base/bytes";
import { fail } from "../base/error";

// In which shape an entry answers, by the path that is asked (src/client/answer_shape.hpp).

/** choices with a delta; choices with a text; the text in the object itself. */
export type AnswerShape = "chat" | "completion" | "generate";

export const answerPaths = {
  "/v1/chat/completions": "chat",
  "/v1/completions": "completion",
  "/generate": "generate",
} as const satisfies Record<string, AnswerShape>;

export type AnswerPath = keyof typeof answerPaths;
export type JsonObject = { readonly [name: string]: unknown };

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * Where tokens and the reason of the end stand in an event: its first choice, or the event itself;
 * undefined where it has none, as one with the usage. Error: `invalid_json`.
 */
export function partOf(shape: AnswerShape, event: JsonObject): JsonObject | undefined {
  if (shape === "generate") {
    return "text" in event || "finish_reason" in event ? event : undefined;
  }
  const choices = event["choices"];
  if (!Array.isArray(choices) || choices.length === 0) return undefined;
  const part: unknown = choices[0];
  const isPart =
    isObject(part) &&
    (shape === "chat" ? isObject(part["delta"]) : typeof part["text"] === "string");
  return isPart ? part : fail("invalid_json", "answer: a choice without its text");
}

/** The text of a part, "" where it has none. */
export function textOf(shape: AnswerShape, part: JsonObject): string {
  const holder = shape === "chat" ? part["delta"] : part;
  const text = isObject(holder) ? holder[shape === "chat" ? "content" : "text"] : undefined;
  return typeof text === "string" ? text : "";
}

function integerAt(body: JsonObject, name: string): number {
  const value = body[name];
  return typeof value === "number" && Number.isSafeInteger(value) ? value : 0;
}

/** How many answers a request asks for; only one can be gone on with. */
export function answerCountOf(body: JsonObject): number {
  const each = Math.max(integerAt(body, "n"), integerAt(body, "best_of"), 1);
  const prompts = body["prompt"];
  // A list of numbers is one prompt, in tokens; any other list is of prompts.
  if (!Array.isArray(prompts) || typeof prompts[0] === "number") return each;
  return prompts.length <= 1 ? each : Math.max(each, prompts.length);
}

/** The most tokens that a request lets an answer have; 0 where it does not say. */
export function tokensMaxOf(body: JsonObject): number {
  return Math.max(integerAt(body, "max_completion_tokens"), integerAt(body, "max_tokens"), 0);
}

function bytesIn(value: unknown): number {
  if (typeof value === "string") return utf8(value).length;
  if (Array.isArray(value)) {
    // A prompt may be given as numbers of tokens.
    return value.reduce<number>(
      (sum, item) => sum + (typeof item === "number" ? 1 : bytesIn(item)),
      0,
    );
  }
  if (!isObject(value)) return 0;
  return Object.entries(value).reduce(
    (sum, [name, member]) => sum + utf8(name).length + bytesIn(member),
    0,
  );
}

/** Bytes of all that a request says, each of which may be a token of the prompt. */
export function promptBytesOf(body: JsonObject): number {
  return ["messages", "prompt", "tools"].reduce((sum, name) => sum + bytesIn(body[name]), 0);
}
