// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import {
  lackOf,
  orderChecks,
  shortHex,
  shownTrust,
  shownVerdict,
  verdictOf,
  type Proof,
  type ProofCheck,
} from "./proof";

const good: ProofCheck = { name: "route", passed: true, words: "Every layer once." };
const bad: ProofCheck = { name: "entry", passed: false, words: "The signature is another's." };

function proofOf(change: Partial<Proof> = {}): Proof {
  return {
    phase: "done",
    checks: [good],
    route: [{ node: "ab", layers: [0, 3], trust: "verified" }],
    simulated: false,
    compared: { request: true, answer: true },
    ...change,
  };
}

describe("verdictOf", () => {
  it("is verified when all are through", () => {
    expect(verdictOf(proofOf())).toBe("verified");
  });

  it("is shown as verified only where the user has set what it was held against", () => {
    expect(shownVerdict(proofOf(), true)).toBe("verified");
    expect(shownVerdict(proofOf(), false)).toBe("attested");
    expect(shownVerdict(proofOf({ simulated: true }), false)).toBe("simulated");
    expect(shownVerdict(proofOf({ checks: [bad] }), false)).toBe("failed");
  });

  it("names a node as the whole", () => {
    expect(shownTrust("verified", true)).toBe("verified");
    expect(shownTrust("verified", false)).toBe("attested");
    for (const trust of ["checking", "simulated", "failed", "unknown"] as const) {
      expect(shownTrust(trust, false)).toBe(trust);
    }
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

  it("is no more than partial unless request and answer were compared, and says which was not", () => {
    const cases = [
      [{ request: false, answer: true }, /: the request that was sent\.$/],
      [{ request: true, answer: false }, /: the text above\.$/],
      [{ request: false, answer: false }, /: the request that was sent and the text above\.$/],
    ] as const;
    for (const [compared, words] of cases) {
      const proof = proofOf({ compared });
      expect(verdictOf(proof)).toBe("partial");
      expect(lackOf(proof)).toMatch(words);
      // What protects nothing is called that before all else.
      expect(verdictOf({ ...proof, simulated: true })).toBe("simulated");
      expect(verdictOf({ ...proof, checks: [bad] })).toBe("failed");
      expect(verdictOf({ ...proof, route: [] })).toBe("unknown");
    }
    expect(lackOf(proofOf())).toBeUndefined();
  });

  it("is no more than partial where a part has no receipt", () => {
    const proof = proofOf({ phase: "unknown", problem: "Part 1 has none." });
    expect(verdictOf(proof)).toBe("partial");
    expect(lackOf(proof)).toBe("Part 1 has none.");
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
