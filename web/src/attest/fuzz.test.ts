// SPDX-License-Identifier: Apache-2.0
// A short turn of every target on changed input; `npm run fuzz` takes longer ones.
import { describe, expect, it } from "vitest";
import { fuzzTargets, isAccepted } from "../../tests/fuzzTargets";
import { mutated, randomOf } from "../../tests/mutations";

const longMs = 60_000;

const targets = await fuzzTargets();
const turns = 150;

describe.each(targets)("$name", (target) => {
  it("takes what is well-formed", async () => {
    expect(await isAccepted(target, target.seed)).toBe(true);
  });

  it("fails with nothing but an error of its own", { timeout: longMs }, async () => {
    const random = randomOf(7);
    for (let turn = 0; turn < turns; turn++) {
      await isAccepted(target, mutated(target.seed, random));
    }
    await isAccepted(target, new Uint8Array());
  });
});
