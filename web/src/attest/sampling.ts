// SPDX-License-Identifier: Apache-2.0
// How the tail picks a token; src/base/request.hpp.
import { fail } from "../base/error";
import { utf8Length } from "../base/text";

/** Added to the logit of one token. */
export interface LogitBias {
  token: number;
  bias: number;
}

/** Names of constraint kinds, at the place of their number. */
export const constraintKinds = ["none", "gbnf", "json_schema", "json_object"] as const;
/** How rows travel between shards, at the place of their number. */
export const activationFormats = ["f32", "f16", "q8"] as const;
/** How a prompt's embedding is made, at the place of its number. */
export const poolings = ["none", "mean", "last"] as const;

export type ActivationFormat = (typeof activationFormats)[number];
export type Pooling = (typeof poolings)[number];

/** Fractions are floats of 32 bits. */
export interface SamplingOptions {
  temperature: number;
  topK: number;
  topP: number;
  seed: bigint;
  minP: number;
  typicalP: number;
  repetitionPenalty: number;
  repetitionWindow: number;
  presencePenalty: number;
  frequencyPenalty: number;
  /** Tokens ascending, each once. */
  logitBias: readonly LogitBias[];
  logprobs: boolean;
  topLogprobs: number;
  /** The place of its name in constraintKinds. */
  constraintKind: number;
  constraint: string;
  /** So many of the prompt's last tokens are the answer's first ones. */
  answerGiven: number;
  activations: ActivationFormat;
  pooling: Pooling;
}

export const logitBiasCountMax = 1024;
export const constraintBytesMax = 64 * 1024;
const topLogprobsMax = 20;

function invalid(field: string, have: string | number, need: string): never {
  return fail("invalid_argument", `${field}: have ${have}, need ${need}`);
}

function ensureBias(bias: readonly LogitBias[]): void {
  if (bias.length > logitBiasCountMax) {
    invalid("logit_bias", `${bias.length} tokens`, `at most ${logitBiasCountMax}`);
  }
  for (const [i, { token, bias: value }] of bias.entries()) {
    if (i > 0 && token <= bias[i - 1]!.token) {
      invalid("logit_bias", "tokens out of order", "each token once, ascending");
    }
    if (!(value >= -100 && value <= 100)) {
      invalid("logit_bias", value, "values between -100 and 100");
    }
  }
}

function ensureConstraint(options: SamplingOptions): void {
  const bytes = utf8Length(options.constraint);
  const kind = constraintKinds[options.constraintKind];
  const hasSource = kind === "gbnf" || kind === "json_schema";
  if (bytes > constraintBytesMax || (hasSource ? bytes === 0 : bytes !== 0)) {
    const need = hasSource ? `1 to ${constraintBytesMax}` : "none";
    invalid("constraint", `${bytes} bytes`, need);
  }
}

/** Error: `invalid_argument` naming field, have and need. */
export function ensureSampling(options: SamplingOptions): void {
  // Each condition is false for NaN. 0.01 is the float nearest to it.
  const within = (field: string, value: number, isValid: boolean, need: string) => {
    if (!isValid) invalid(field, value, need);
  };
  const { temperature, topP, minP, typicalP, repetitionPenalty, presencePenalty } = options;
  const { frequencyPenalty, logprobs, topLogprobs } = options;
  within("temperature", temperature, temperature >= 0 && temperature <= 100, "between 0 and 100");
  within("top_p", topP, topP > 0 && topP <= 1, "above 0 and at most 1");
  within("min_p", minP, minP >= 0 && minP <= 1, "between 0 and 1");
  within("typical_p", typicalP, typicalP > 0 && typicalP <= 1, "above 0 and at most 1");
  within(
    "repetition_penalty",
    repetitionPenalty,
    repetitionPenalty >= Math.fround(0.01) && repetitionPenalty <= 100,
    "between 0.01 and 100",
  );
  const isSmall = (value: number) => value >= -2 && value <= 2;
  within("presence_penalty", presencePenalty, isSmall(presencePenalty), "between -2 and 2");
  within("frequency_penalty", frequencyPenalty, isSmall(frequencyPenalty), "between -2 and 2");
  if (topLogprobs > (logprobs ? topLogprobsMax : 0)) {
    invalid(
      "top_logprobs",
      topLogprobs,
      logprobs ? `at most ${topLogprobsMax}` : "logprobs as well",
    );
  }
  ensureBias(options.logitBias);
  ensureConstraint(options);
}
