// SPDX-License-Identifier: Apache-2.0
// The npm package `openai`, pointed at an entry: BASE_URL is its /v1, MODEL the model's id.
import assert from "node:assert/strict";
import OpenAI from "openai";
import { check, runAll } from "./checks.mjs";

const model = process.env.MODEL;
const client = new OpenAI({ baseURL: process.env.BASE_URL, apiKey: process.env.API_KEY ?? "unused", maxRetries: 0 });
const messages = [{ role: "user", content: "Once upon a time" }];
const story = { model, messages, seed: 7, max_tokens: 24 };

const weather = {
  type: "function",
  function: {
    name: "weather",
    description: "How the weather is.",
    parameters: {
      type: "object",
      properties: { place: { enum: ["home", "park"] }, hot: { type: "boolean" } },
      required: ["place", "hot"],
      additionalProperties: false,
    },
  },
};

async function refused(promise) {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  assert.fail("it was not refused");
}

check("models", async () => {
  const list = await client.models.list();
  assert.deepEqual(list.data.map((one) => one.id), [model]);
  assert.equal((await client.models.retrieve(model)).id, model);
  assert.equal((await refused(client.models.retrieve("other"))).status, 404);
});

check("chat", async () => {
  const answer = await client.chat.completions.create(story);
  assert.equal(answer.object, "chat.completion");
  assert.equal(answer.choices[0].message.role, "assistant");
  assert.ok(answer.choices[0].message.content.length > 0);
  assert.equal(answer.usage.total_tokens, answer.usage.prompt_tokens + answer.usage.completion_tokens);
  const again = await client.chat.completions.create(story);
  assert.equal(again.choices[0].message.content, answer.choices[0].message.content);
});

check("chat: response headers", async () => {
  const { response } = await client.chat.completions.create(story).withResponse();
  assert.match(response.headers.get("x-request-id"), /^req_[0-9a-f]{32}$/);
  // serve-local makes a whole answer of a stream, whose timing is told in its end.
  if (!process.env.THROUGH) assert.match(response.headers.get("server-timing"), /prompt;dur=/);
});

check("chat: stream with usage is the same text", async () => {
  const whole = await client.chat.completions.create(story);
  const stream = await client.chat.completions.create({ ...story, stream: true, stream_options: { include_usage: true } });
  let text = "", usage = null, reason = null;
  for await (const chunk of stream) {
    text += chunk.choices[0]?.delta.content ?? "";
    reason = chunk.choices[0]?.finish_reason ?? reason;
    usage = chunk.usage ?? usage;
  }
  assert.equal(text, whole.choices[0].message.content);
  assert.equal(reason, whole.choices[0].finish_reason);
  assert.deepEqual(usage, whole.usage);
});

check("chat: the stream helper", async () => {
  const stream = client.chat.completions.stream(story);
  const final = await stream.finalChatCompletion();
  assert.equal(final.choices[0].message.content, (await client.chat.completions.create(story)).choices[0].message.content);
});

check("chat: a stream that is aborted ends", async () => {
  const stream = await client.chat.completions.create({ ...story, max_tokens: 400, stream: true });
  let count = 0;
  for await (const chunk of stream) {
    count += chunk.choices.length;
    if (count === 3) stream.controller.abort();
  }
  assert.ok(count >= 3 && count < 300, String(count));
});

check("chat: n answers, each of its own seed", async () => {
  const answer = await client.chat.completions.create({ ...story, n: 3 });
  assert.deepEqual(answer.choices.map((one) => one.index), [0, 1, 2]);
  const first = await client.chat.completions.create(story);
  assert.equal(answer.choices[0].message.content, first.choices[0].message.content);
  const second = await client.chat.completions.create({ ...story, seed: 8 });
  assert.equal(answer.choices[1].message.content, second.choices[0].message.content);
  const texts = ["", "", ""];
  for await (const chunk of await client.chat.completions.create({ ...story, n: 3, stream: true }))
    for (const choice of chunk.choices) texts[choice.index] += choice.delta.content ?? "";
  assert.deepEqual(texts, answer.choices.map((one) => one.message.content));
});

check("chat: stop", async () => {
  const whole = (await client.chat.completions.create(story)).choices[0].message.content;
  const word = whole.trim().split(" ")[3];
  const cut = await client.chat.completions.create({ ...story, stop: [word] });
  assert.equal(cut.choices[0].message.content, whole.slice(0, whole.indexOf(word)));
  assert.equal(cut.choices[0].finish_reason, "stop");
});

check("chat: logprobs", async () => {
  const answer = await client.chat.completions.create({ ...story, logprobs: true, top_logprobs: 3 });
  const entries = answer.choices[0].logprobs.content;
  assert.equal(entries.length, answer.usage.completion_tokens);
  for (const one of entries) {
    assert.ok(one.logprob <= 0);
    assert.equal(one.top_logprobs.length, 3);
    assert.equal(Buffer.from(one.bytes).toString(), one.token);
  }
});

check("chat: logit_bias and penalties", async () => {
  const plain = await client.chat.completions.create({ ...story, temperature: 0 });
  const first = await client.chat.completions.create({ ...story, temperature: 0, logprobs: true, max_tokens: 1 });
  const tokens = await fetch(new URL("/tokenize", process.env.BASE_URL), {
    method: "POST",
    body: JSON.stringify({ content: first.choices[0].logprobs.content[0].token.trim() }),
  }).then((response) => response.json());
  const biased = await client.chat.completions.create({
    ...story, temperature: 0, logit_bias: Object.fromEntries(tokens.tokens.map((id) => [String(id), -100])),
  });
  assert.notEqual(biased.choices[0].message.content, plain.choices[0].message.content);
  const long = { ...story, temperature: 0, max_tokens: 120 };
  const texts = [];
  for (const penalty of [{}, { frequency_penalty: 2 }, { presence_penalty: 2 }])
    texts.push((await client.chat.completions.create({ ...long, ...penalty })).choices[0].message.content);
  assert.equal(new Set(texts).size, 3);
});

check("chat: json_object", async () => {
  const answer = await client.chat.completions.create({
    ...story, max_tokens: 200, temperature: 0.2, response_format: { type: "json_object" } });
  if (answer.choices[0].finish_reason === "stop") JSON.parse(answer.choices[0].message.content);
  assert.match(answer.choices[0].message.content, /^\s*\{/);
});

check("chat: json_schema", async () => {
  const schema = {
    type: "object",
    properties: { mood: { enum: ["happy", "sad"] }, age: { type: "integer", minimum: 0, maximum: 99 } },
    required: ["mood", "age"], additionalProperties: false,
  };
  const answer = await client.chat.completions.create({
    ...story, max_tokens: 80, response_format: { type: "json_schema", json_schema: { name: "mood", strict: true, schema } } });
  const value = JSON.parse(answer.choices[0].message.content);
  assert.ok(["happy", "sad"].includes(value.mood) && Number.isInteger(value.age), JSON.stringify(value));
});

check("chat: a tool that must be called", async () => {
  const answer = await client.chat.completions.create({ ...story, max_tokens: 80, tools: [weather], tool_choice: "required" });
  assert.equal(answer.choices[0].finish_reason, "tool_calls");
  assert.equal(answer.choices[0].message.content, null);
  const [call] = answer.choices[0].message.tool_calls;
  assert.equal(call.function.name, "weather");
  const parsed = JSON.parse(call.function.arguments);
  assert.ok(["home", "park"].includes(parsed.place) && typeof parsed.hot === "boolean");
  // The conversation goes on with what the tool said.
  const next = await client.chat.completions.create({
    ...story, tools: [weather], tool_choice: "none",
    messages: [...messages, answer.choices[0].message, { role: "tool", tool_call_id: call.id, content: "It rains." }] });
  assert.ok(next.choices[0].message.content.length > 0);
});

check("chat: a tool by name, streamed", async () => {
  const stream = client.chat.completions.stream({
    ...story, max_tokens: 80, tools: [weather, { type: "function", function: { name: "now" } }],
    tool_choice: { type: "function", function: { name: "now" } } });
  const final = await stream.finalChatCompletion();
  const [call] = final.choices[0].message.tool_calls;
  assert.equal(call.function.name, "now");
  assert.deepEqual(JSON.parse(call.function.arguments), {});
  assert.equal(final.choices[0].finish_reason, "tool_calls");
});

check("completions", async () => {
  const asked = { model, prompt: "Once upon a time", seed: 3, max_tokens: 16 };
  const answer = await client.completions.create(asked);
  assert.equal(answer.object, "text_completion");
  let text = "";
  for await (const chunk of await client.completions.create({ ...asked, stream: true })) text += chunk.choices[0]?.text ?? "";
  assert.equal(text, answer.choices[0].text);
  const several = await client.completions.create({ ...asked, prompt: ["Once upon a time", "The dog"], n: 2 });
  assert.deepEqual(several.choices.map((one) => one.index), [0, 1, 2, 3]);
  assert.equal(several.choices[0].text, answer.choices[0].text);
  const probable = await client.completions.create({ ...asked, logprobs: 2 });
  assert.equal(probable.choices[0].logprobs.tokens.length, probable.usage.completion_tokens);
});

check("responses", async () => {
  const answer = await client.responses.create({ model, input: "Once upon a time", max_output_tokens: 24, instructions: "Tell a story." });
  assert.equal(answer.object, "response");
  assert.ok(answer.output_text.length > 0);
  assert.equal(answer.status, answer.incomplete_details ? "incomplete" : "completed");
});

check("responses: stream", async () => {
  const stream = client.responses.stream({ model, input: [{ role: "user", content: "Once upon a time" }], max_output_tokens: 24 });
  let text = "", last = null;
  for await (const event of stream) {
    assert.equal(event.sequence_number, (last?.sequence_number ?? -1) + 1);
    last = event;
    if (event.type === "response.output_text.delta") text += event.delta;
  }
  assert.equal((await stream.finalResponse()).output[0].content[0].text, text);
  assert.ok(["response.completed", "response.incomplete"].includes(last.type));
  assert.equal(last.response.output[0].content[0].text, text);
  assert.ok(last.response.usage.output_tokens > 0);
});

check("responses: a form and a tool", async () => {
  const schema = { type: "object", properties: { a: { type: "boolean" } }, required: ["a"], additionalProperties: false };
  const formed = await client.responses.create({
    model, input: "x", seed: 7, max_output_tokens: 60, text: { format: { type: "json_schema", name: "a", schema } } });
  assert.equal(typeof JSON.parse(formed.output_text).a, "boolean");
  const called = await client.responses.create({
    model, input: "x", seed: 7, max_output_tokens: 80, tools: [{ type: "function", ...weather.function, strict: true }], tool_choice: "required" });
  const [item] = called.output;
  assert.equal(item.type, "function_call");
  const next = await client.responses.create({
    model, max_output_tokens: 8,
    input: [{ role: "user", content: "x" }, item, { type: "function_call_output", call_id: item.call_id, output: "rain" }] });
  assert.ok(next.usage.input_tokens > 0);
});

check("embeddings", async () => {
  const answer = await client.embeddings.create({ model, input: ["the cat", "the dog", "the cat"] });
  assert.equal(answer.data.length, 3);
  assert.deepEqual(answer.data[0].embedding, answer.data[2].embedding);
  assert.notDeepEqual(answer.data[0].embedding, answer.data[1].embedding);
  const norm = Math.hypot(...answer.data[0].embedding);
  assert.ok(Math.abs(norm - 1) < 1e-3, String(norm));
});

check("errors have OpenAI's shape and classes", async () => {
  const wrongType = await refused(client.chat.completions.create({ ...story, temperature: "hot" }));
  assert.ok(wrongType instanceof OpenAI.BadRequestError);
  assert.equal(wrongType.code, "field_invalid");
  assert.equal(wrongType.param, "temperature");
  assert.equal(wrongType.type, "invalid_request_error");
  assert.match(wrongType.requestID, /^req_/);
  assert.ok((await refused(client.chat.completions.create({ ...story, model: "gpt-4" }))) instanceof OpenAI.NotFoundError);
  const long = await refused(client.chat.completions.create({ ...story, messages: [{ role: "user", content: "word ".repeat(4000) }] }));
  assert.equal(long.code, "context_exceeded");
  const format = await refused(client.chat.completions.create({ ...story, response_format: { type: "xml" } }));
  assert.equal(format.param, "response_format");
});

await runAll();
