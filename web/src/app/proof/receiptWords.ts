// SPDX-License-Identifier: Apache-2.0
import { haveAndNeed } from "../../attest/check";
import type { ProofCheck } from "./proof";

/** As `attest` says it: what was looked at, and the error where it is not so. */
export interface FoundCheck {
  readonly what: string;
  readonly error?: { readonly code: string; readonly detail: string } | undefined;
}

interface Words {
  name: string;
  /** What it shows, where it holds. */
  words: string;
}

/** Of checks whose name begins so. The layers that it names come behind. */
const ofLayers: readonly (readonly [string, string, string])[] = [
  [
    "fresh quote of",
    "Fresh quote of",
    "Its TEE vouched once more, over this very receipt, so the evidence is no older than the answer.",
  ],
  [
    "evidence of",
    "TEE, code and weights of",
    "A quote under a root that the pool accepts shows the code and the weights that ran there.",
  ],
  ["signature of", "Signature of", "The node signed what it computed, with the key in its TEE."],
  ["rows that left", "Output of", "What it sent on is exactly what it signed for."],
];

const others: readonly (readonly [string, Words])[] = [
  ["route", { name: "Route", words: "Every layer of the model worked on it once, in order." }],
  [
    "hand-over",
    { name: "Hand-over", words: "Each node took in exactly what the one before sent." },
  ],
  [
    "tokens",
    {
      name: "Tokens",
      words:
        "Each token of the answer is the one that the last node picked, and the counts are right.",
    },
  ],
  [
    "entry: signature over the fresh quotes",
    { name: "Signature over the fresh quotes", words: "The entry signed them as they came." },
  ],
  ["entry", { name: "Signature of the entry", words: "The entry signed the receipt as a whole." }],
  [
    "opening",
    {
      name: "Prompt and settings",
      words: "Prompt, answer and sampling settings are those that all nodes worked with.",
    },
  ],
  [
    "payment",
    {
      name: "Price",
      words: "Charged is no more than what the tokens come to; cached ones were free.",
    },
  ],
  [
    "request",
    { name: "Your request", words: "It answers exactly the request that this page sent." },
  ],
  ["answer", { name: "The text", words: "The text above is exactly the one that was signed." }],
  ["notice", { name: "Notice", words: "Whether the TEEs are simulated is said as it is." }],
];

function wordsOf(what: string): Words {
  for (const [begin, name, words] of ofLayers) {
    if (what.startsWith(begin))
      return { name: `${name} ${what.slice(begin.length).trim()}`, words };
  }
  const other = others.find(([begin]) => what.startsWith(begin));
  return other ? other[1] : { name: what, words: "It holds." };
}

/** A check of a receipt for people. `part` names the part of the answer, where there are several. */
export function proofCheckOf(check: FoundCheck, part = ""): ProofCheck {
  const { name, words } = wordsOf(check.what);
  const { error } = check;
  const whole = part === "" ? name : `${part}: ${name}`;
  if (!error) return { name: whole, passed: true, words };
  return {
    name: whole,
    passed: false,
    words: `${error.detail} (${error.code}).`,
    ...haveAndNeed(error.detail),
  };
}
