// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { proofCheckOf } from "./receiptWords";

describe("proofCheckOf", () => {
  it("says what a check shows, and of which layers", () => {
    const check = proofCheckOf({ what: "evidence of layers 0 to 3" });
    expect(check).toMatchObject({ name: "TEE, code and weights of layers 0 to 3", passed: true });
    expect(proofCheckOf({ what: "rows that left layers 4 to 7" }).name).toBe(
      "Output of layers 4 to 7",
    );
    expect(proofCheckOf({ what: "entry: signature over the fresh quotes" }).name).toBe(
      "Signature over the fresh quotes",
    );
    expect(proofCheckOf({ what: "entry: signature over the receipt" }).name).toBe(
      "Signature of the entry",
    );
  });

  it("says what is wrong, with what was found and needed", () => {
    const error = { code: "receipt_rejected", detail: "have 0x01, need 0x02" };
    expect(proofCheckOf({ what: "answer: its hash", error }, "Part 2")).toEqual({
      name: "Part 2: The text",
      passed: false,
      words: "have 0x01, need 0x02 (receipt_rejected).",
      have: "0x01",
      need: "0x02",
    });
  });

  it("calls a check that it does not know by its own name", () => {
    expect(proofCheckOf({ what: "something new" }).name).toBe("something new");
  });
});
