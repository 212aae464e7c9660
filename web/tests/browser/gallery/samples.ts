// SPDX-License-Identifier: Apache-2.0
import type { Proof, ProofCheck } from "../../../src/app/proof/proof";
import type { NetworkPicture } from "../../../src/scene/picture";

const hex = (digit: string) => digit.repeat(64);

const checks: ProofCheck[] = [
  {
    name: "evidence of layers 0 to 5",
    passed: true,
    words: "The quote is signed by the root of its policy.",
  },
  { name: "signature of layers 0 to 5", passed: true, words: "Signed by the statement's key." },
  { name: "route", passed: true, words: "Every layer once, in order." },
  { name: "hand-over", passed: true, words: "Each stage took in what the one before sent." },
];

const verified: Proof = {
  phase: "done",
  checks,
  checksExpected: 4,
  route: [
    {
      node: hex("a"),
      layers: [0, 5],
      trust: "verified",
      code: hex("1"),
      codeName: "TeeTee 0.1.0",
      weights: hex("2"),
      hardware: "UpToDate",
    },
    {
      node: hex("b"),
      layers: [6, 11],
      trust: "verified",
      code: hex("1"),
      weights: hex("3"),
      hardware: "SWHardeningNeeded",
      advisories: ["INTEL-SA-00615"],
    },
  ],
  simulated: false,
  compared: { request: true, answer: true },
  cost: 416,
  promptTokens: 8,
  completionTokens: 80,
  anchor: { state: "anchored", words: "Settled in block 1,234.", transaction: `0x${hex("c")}` },
  requestHash: hex("d"),
  answerHash: hex("e"),
  created: 1_790_000_000,
};

export const proofs: Record<string, Proof> = {
  verifying: { ...verified, phase: "verifying", checks: checks.slice(0, 2) },
  verified,
  simulated: {
    ...verified,
    simulated: true,
    cost: 0,
    route: verified.route.map((stage) => ({ ...stage, trust: "simulated" })),
  },
  partial: { ...verified, compared: { request: false, answer: true } },
  failed: {
    ...verified,
    checks: [
      ...checks,
      {
        name: "entry",
        passed: false,
        words: "The receipt is not signed by the entry.",
        have: `0x${"7".repeat(40)}`,
        need: `0x${"8".repeat(40)}`,
      },
    ],
  },
  unknown: {
    phase: "unknown",
    checks: [],
    route: [],
    simulated: false,
    compared: { request: false, answer: false },
    problem: "The entry no longer has this receipt.",
  },
};

export const picture: NetworkPicture = {
  shards: [
    { layers: [0, 5], nodes: [1, 2, 3].map((at) => ({ id: `a${at}`, live: at !== 3 })) },
    { layers: [6, 11], nodes: [1, 2, 3, 4].map((at) => ({ id: `b${at}`, live: true })) },
  ],
  route: ["a1", "b2"],
  tokensPerSecond: 40,
};

/** Some 2,000 tokens' worth of markdown of every kind. */
export function longAnswer(): string {
  const section = (at: number) => `## Part ${at}

Some words about **part ${at}**, with \`code\`, a [link](https://example.org/${at}) and more words that
make the paragraph long enough to wrap over several lines of the page.

1. First thing of ${at}
2. Second thing

| name | value |
| --- | ---: |
| a | ${at} |

\`\`\`python
def part_${at}(x):
    return x * ${at}  # a comment
\`\`\`
`;
  return Array.from({ length: 40 }, (_, at) => section(at)).join("\n");
}
