// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { orderChecks, shortHex, verdictOf, type Proof, type ProofCheck } from "./proof";

const good: ProofCheck = { name: "route", passed: true, words: "Every layer once." };
const bad: ProofCheck = { name: "entry", passed: false, words: "The signature is another's." };

function proofOf(change: Partial<Proof> = {}): Proof {
  return {
    phase: "done",
    checks: [good],
    route: [{ node: "ab", layers: [0, 3], trust: "verified" }],
    simulated: false,
    ...change,
  };
}

describe("verdictOf", () => {
  it("is verified when all are through", () => {
    expect(verdictOf(proofOf())).toBe("verified");
  });

  it("is never verified without a check, a route, or a judgement of each node", () => {
    expect(verdictOf(proofOf({ checks: [] }))).toBe("unknown");
    expect(verdictOf(proofOf({ route: [] }))).toBe("unknown");
    for (const trust of ["unknown", "checking"] as const) {
      expect(verdictOf(proofOf({ route: [{ node: "ab", layers: [0, 3], trust }] }))).toBe(
        "unknown",
      );
    }
  });

  it("fails with one check that failed, whatever else is so", () => {
    for (const phase of ["verifying", "done", "unknown"] as const) {
      expect(verdictOf(proofOf({ phase, checks: [good, bad], simulated: true }))).toBe("failed");
    }
  });

  it("fails with a node that failed", () => {
    const route = [{ node: "ab", layers: [0, 3] as const, trust: "failed" as const }];
    expect(verdictOf(proofOf({ route }))).toBe("failed");
  });

  it("is simulated when a single node is, even if nobody says so of the whole", () => {
    const route = [{ node: "ab", layers: [0, 3] as const, trust: "simulated" as const }];
    expect(verdictOf(proofOf({ route }))).toBe("simulated");
    expect(verdictOf(proofOf({ simulated: true }))).toBe("simulated");
  });

  it("is verifying until then", () => {
    expect(verdictOf(proofOf({ phase: "verifying" }))).toBe("verifying");
  });
});

it("puts what is wrong first", () => {
  expect(orderChecks([good, bad])).toEqual([bad, good]);
});

it("shortens long hex only", () => {
  expect(shortHex("ab12")).toBe("ab12");
  expect(shortHex("0123456789abcdef")).toBe("01234567…cdef");
});
