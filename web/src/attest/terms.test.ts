// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { flipped } from "../../tests/mutations";
import { readNetwork } from "../../tests/readVectors";
import { onNoChain, readTerms, type PoolPins } from "./terms";

const files = readNetwork();
const { expectation, manifest } = readTerms(files, onNoChain);
const pins: PoolPins = {
  modelRoot: manifest.modelRoot,
  policyHash: expectation.policyHash,
  slotLayers: [2, 2, 1],
};

describe("terms", () => {
  it("are of the files, and pinned by the pool", () => {
    const place = { chainId: 5n, contract: new Uint8Array(20).fill(7), pool: 3n };
    const terms = readTerms(files, place, pins);
    expect(terms.isPinned).toBe(true);
    expect(terms.expectation).toMatchObject(place);
    expect(terms.expectation.shards).toHaveLength(3);
    expect(readTerms(files, onNoChain).isPinned).toBe(false);
  });

  it.each([
    ["policy_malformed", { policyHash: flipped(pins.policyHash, 0, 0) }],
    ["shard_mismatch", { modelRoot: flipped(pins.modelRoot, 0, 0) }],
    ["shard_mismatch", { slotLayers: [2, 1, 2] }],
    ["shard_mismatch", { slotLayers: [2, 2] }],
  ])("are refused with %s where the pool has others", (code, changes) => {
    expect(() => readTerms(files, onNoChain, { ...pins, ...changes })).toThrow(
      expect.objectContaining({ code }),
    );
  });

  it("are refused where a file is malformed", () => {
    const policy = files.policy.subarray(1);
    expect(() => readTerms({ ...files, policy }, onNoChain)).toThrow(
      expect.objectContaining({ code: "policy_malformed" }),
    );
    const manifestBytes = files.manifest.subarray(1);
    expect(() => readTerms({ ...files, manifest: manifestBytes }, onNoChain)).toThrow(
      expect.objectContaining({ code: "manifest_malformed" }),
    );
  });
});
