// SPDX-License-Identifier: Apache-2.0
// The npm packages `ai` and `@ai-sdk/openai-compatible`, pointed at an entry.
import assert from "node:assert/strict";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { generateObject, generateText, streamText, tool } from "ai";
import { z } from "zod";
import { check, runAll } from "./checks.mjs";

const provider = createOpenAICompatible({
  name: "teetee",
  baseURL: process.env.BASE_URL,
  apiKey: process.env.API_KEY ?? "unused",
  includeUsage: true,
  supportsStructuredOutputs: true,
});
const model = provider(process.env.MODEL);
const asked = { model, prompt: "Once upon a time", seed: 7, maxOutputTokens: 24, maxRetries: 0 };

check("generateText", async () => {
  const { text, usage, finishReason } = await generateText(asked);
  assert.ok(text.length > 0);
  assert.equal(usage.totalTokens, usage.inputTokens + usage.outputTokens);
  assert.ok(["stop", "length"].includes(finishReason));
});

check("streamText is the same text", async () => {
  const stream = streamText(asked);
  let text = "";
  for await (const piece of stream.textStream) text += piece;
  assert.equal(text, (await generateText(asked)).text);
  assert.ok((await stream.usage).outputTokens > 0);
});

check("generateObject", async () => {
  const { object } = await generateObject({
    ...asked, maxOutputTokens: 120, schema: z.object({ mood: z.enum(["happy", "sad"]), brave: z.boolean() }) });
  assert.ok(["happy", "sad"].includes(object.mood) && typeof object.brave === "boolean");
});

const now = tool({
  description: "The time.",
  inputSchema: z.object({ zone: z.enum(["UTC", "CET"]) }),
  execute: async ({ zone }) => `noon ${zone}`,
});

check("a tool is called and its result goes back", async () => {
  const { steps } = await generateText({ ...asked, maxOutputTokens: 80, tools: { now }, toolChoice: "required" });
  assert.equal(steps[0].toolCalls[0].toolName, "now");
  assert.match(steps[0].toolResults[0].output, /^noon (UTC|CET)$/);
  const next = await generateText({ ...asked, prompt: undefined, tools: { now }, toolChoice: "none",
    messages: [{ role: "user", content: "What time is it?" }, ...steps[0].response.messages] });
  assert.ok(next.usage.inputTokens > 0);
});

check("a tool is called in a stream", async () => {
  const stream = streamText({ ...asked, maxOutputTokens: 80, tools: { now }, toolChoice: { type: "tool", toolName: "now" } });
  const calls = await stream.toolCalls;
  assert.equal(calls.length, 1);
  assert.equal(await stream.finishReason, "tool-calls");
});

check("completions", async () => {
  const { text } = await generateText({ ...asked, model: provider.completionModel(process.env.MODEL) });
  assert.ok(text.length > 0);
});

check("errors carry status and message", async () => {
  const error = await generateText({ ...asked, model: provider("other") }).then(() => null, (caught) => caught);
  assert.equal(error.statusCode, 404);
  assert.match(error.message, /teetee-story/);
});

await runAll();
