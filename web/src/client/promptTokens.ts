// SPDX-License-Identifier: Apache-2.0
import type { Prices } from "../chain/reads";
import type { JsonObject } from "./answerShape";
import { Fields } from "./fields";
import type { VerifiedEntry } from "./verifiedEntry";

/** Of the answer of /tokenize, which lists every token of at most 256 KiB of text. */
const tokensBytesMax = 4 * 1024 * 1024;

/**
 * Tokens of a request's prompt as the model's template and tokenizer make them, asked sealed: the
 * text is the prompt's. What a client gives of the answer counts with it. Errors: those of
 * VerifiedEntry.fetchJson; `field_invalid` for a prompt that is not one text.
 */
export async function countPromptTokens(
  entry: VerifiedEntry,
  body: JsonObject,
  signal?: AbortSignal,
): Promise<number> {
  const asked = Object.fromEntries(
    ["messages", "prompt", "tools", "chat_template_kwargs", "created"].flatMap((name) =>
      body[name] === undefined ? [] : [[name, body[name]] as const],
    ),
  );
  const headers = { "content-type": "application/json" };
  const call = {
    method: "POST",
    path: "/tokenize",
    headers,
    body: JSON.stringify(asked),
    signal,
  } as const;
  const answer = await entry.fetchJson(call, tokensBytesMax);
  const given = body["answer_token_ids"];
  return Fields.of(answer, "tokens").number("count") + (Array.isArray(given) ? given.length : 0);
}

/** Credits that an answer comes to at the most. */
export function costOf(prices: Prices, promptTokens: number, completionTokens: number): bigint {
  return BigInt(promptTokens) * prices.prompt + BigInt(completionTokens) * prices.completion;
}
