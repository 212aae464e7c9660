// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import type { Proof } from "./proof";
import { type HeldProof, ProofShelf } from "./proofShelf";

const proof: Proof = {
  phase: "done",
  checks: [],
  route: [],
  simulated: false,
  compared: { request: true, answer: true },
};

function held(id: string, size = 10) {
  return { proof, receipts: [{ id, bytes: new Uint8Array(size) }] };
}

describe("ProofShelf", () => {
  it("is verifying at once, and tells when more is known", async () => {
    const shelf = new ProofShelf();
    let calls = 0;
    shelf.subscribe(() => (calls += 1));
    let tellNow: () => void = () => {};
    shelf.start(["a"], async (tell) => {
      await new Promise<void>((resolve) => (tellNow = resolve));
      tell(held("a"));
    });
    expect(shelf.get(["a"])?.proof.phase).toBe("verifying");
    tellNow();
    await expect.poll(() => shelf.get(["a"])?.proof.phase).toBe("done");
    expect(calls).toBe(2);
    expect(shelf.receipt("a")?.length).toBe(10);
    expect(shelf.receipt("b")).toBeUndefined();
  });

  it("makes each proof once", () => {
    const shelf = new ProofShelf();
    let jobs = 0;
    const job = async () => void (jobs += 1);
    shelf.start(["a", "b"], job);
    shelf.start(["a", "b"], job);
    shelf.start([], job);
    expect(jobs).toBe(1);
  });

  it("says that nothing is known where the job fails", async () => {
    const shelf = new ProofShelf();
    shelf.start(["a"], () => Promise.reject(new Error("no way")));
    await expect.poll(() => shelf.get(["a"])?.proof.phase).toBe("unknown");
    expect(shelf.get(["a"])?.proof.problem).toBe("no way");
  });

  it("forgets what is deleted, also while it is checked", async () => {
    const shelf = new ProofShelf();
    let tellLate: (held: HeldProof) => void = () => {};
    shelf.start(["a", "b"], async (tell) => tell(held("a")));
    shelf.start(["c"], (tell) => {
      tellLate = tell;
      return new Promise(() => {});
    });
    shelf.start(["d"], async (tell) => tell(held("d")));
    let calls = 0;
    shelf.subscribe(() => (calls += 1));
    shelf.forget(["b", "c"]);
    expect(calls).toBe(1);
    tellLate(held("c"));
    expect(shelf.get(["a", "b"])).toBeUndefined();
    expect(shelf.receipt("a")).toBeUndefined();
    expect(shelf.get(["c"])).toBeUndefined();
    expect(shelf.get(["d"])).toBeDefined();
    shelf.clear();
    expect(shelf.get(["d"])).toBeUndefined();
    expect(calls).toBe(2);
  });

  it("is bounded, by number and by bytes", () => {
    const shelf = new ProofShelf();
    for (let i = 0; i < 80; i++) shelf.start([`r${i}`], async (tell) => tell(held(`r${i}`)));
    expect(shelf.get(["r15"])).toBeUndefined();
    expect(shelf.get(["r79"])).toBeDefined();
    shelf.start(["large"], async (tell) => tell(held("large", 33 << 20)));
    expect(shelf.get(["r79"])).toBeUndefined();
    expect(shelf.get(["large"])).toBeDefined();
  });
});
