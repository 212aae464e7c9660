// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { type Proof, shownVerdict } from "./proof";
import { type CheckedProof, ProofShelf } from "./proofShelf";

const proof: Proof = {
  phase: "done",
  checks: [],
  route: [],
  simulated: false,
  compared: { request: true, answer: true },
};

const yardstick = { isOwn: false, words: "The pool is one that the entry names." };

function held(id: string, size = 10) {
  return { proof, receipts: [{ id, bytes: new Uint8Array(size) }] };
}

describe("ProofShelf", () => {
  it("is verifying at once, and tells when more is known", async () => {
    const shelf = new ProofShelf();
    let calls = 0;
    shelf.subscribe(() => (calls += 1));
    let tellNow: () => void = () => {};
    shelf.start(["a"], yardstick, async (tell) => {
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
    shelf.start(["a", "b"], yardstick, job);
    shelf.start(["a", "b"], yardstick, job);
    shelf.start([], yardstick, job);
    expect(jobs).toBe(1);
  });

  it("keeps what a proof was held against, whatever is connected and set later", async () => {
    const shelf = new ProofShelf();
    const own = { isOwn: true, words: "The pool is one that you have set." };
    const good: Proof = {
      ...proof,
      checks: [{ name: "route", passed: true, words: "" }],
      route: [{ node: "ab", layers: [0, 3], trust: "verified" }],
    };
    const shown = (id: string) => {
      const one = shelf.get([id]);
      return one && shownVerdict(one.proof, one.yardstick.isOwn);
    };
    shelf.start(["a"], yardstick, async (tell) => {
      tell({ proof: good, receipts: [] });
      return async () => tell({ proof: good, receipts: [] });
    });
    await expect.poll(() => shown("a")).toBe("attested");
    shelf.start(["a"], own, async (tell) => tell({ proof: good, receipts: [] }));
    shelf.start(["b"], own, async (tell) => tell({ proof: good, receipts: [] }));
    await expect.poll(() => shown("b")).toBe("verified");
    expect(shown("a")).toBe("attested");
    await shelf.look(["a"]);
    expect(shown("a")).toBe("attested");
    expect(shelf.get(["a"])?.yardstick).toBe(yardstick);
  });

  it("says that nothing is known where the job fails", async () => {
    const shelf = new ProofShelf();
    shelf.start(["a"], yardstick, () => Promise.reject(new Error("no way")));
    await expect.poll(() => shelf.get(["a"])?.proof.phase).toBe("unknown");
    expect(shelf.get(["a"])?.proof.problem).toBe("no way");
  });

  it("forgets what is deleted, also while it is checked", async () => {
    const shelf = new ProofShelf();
    let tellLate: (held: CheckedProof) => void = () => {};
    shelf.start(["a", "b"], yardstick, async (tell) => tell(held("a")));
    shelf.start(["c"], yardstick, (tell) => {
      tellLate = tell;
      return new Promise(() => {});
    });
    shelf.start(["d"], yardstick, async (tell) => tell(held("d")));
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
    for (let i = 0; i < 80; i++)
      shelf.start([`r${i}`], yardstick, async (tell) => tell(held(`r${i}`)));
    expect(shelf.get(["r15"])).toBeUndefined();
    expect(shelf.get(["r79"])).toBeDefined();
    shelf.start(["large"], yardstick, async (tell) => tell(held("large", 33 << 20)));
    expect(shelf.get(["r79"])).toBeUndefined();
    expect(shelf.get(["large"])).toBeDefined();
  });
});
