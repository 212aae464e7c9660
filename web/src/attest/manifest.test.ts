// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { flipped, randomOf } from "../../tests/mutations";
import { readNetwork, replaced } from "../../tests/readVectors";
import { deriveRoots, encodeManifest, parseManifest, type Manifest } from "./manifest";
import { utf8 } from "../base/bytes";

const longMs = 60_000;

const filled = (value: number) => new Uint8Array(32).fill(value);

/** As in src/model/manifest_test.cpp. */
function smallManifest(changes: Partial<Manifest> = {}): Uint8Array {
  const manifest: Manifest = {
    architecture: "llama",
    name: 'a "b"\\\n\u0001\u00e9',
    layerCount: 2,
    hyperparametersSha256: filled(1),
    tokenizerSha256: filled(2),
    tensors: [
      { name: "blk.0.w", type: 8, dimensions: [32, 4], sha256: filled(3) },
      { name: "blk.1.w", type: 8, dimensions: [32, 4], sha256: filled(4) },
      { name: "token_embd.weight", type: 0, dimensions: [5], sha256: filled(5) },
    ],
    modelRoot: filled(0),
    shards: [
      { layers: { begin: 0, end: 1 }, root: filled(0), fileName: "a.gguf", fileBytes: 10 },
      { layers: { begin: 1, end: 2 }, root: filled(0), fileName: "b.gguf", fileBytes: 20 },
    ],
    ...changes,
  };
  const { modelRoot, shardRoots } = deriveRoots(manifest);
  const shards = manifest.shards.map((shard, i) => ({ ...shard, root: shardRoots[i]! }));
  return utf8(encodeManifest({ ...manifest, modelRoot, shards }));
}

const malformed = expect.objectContaining({ code: "manifest_malformed" });

describe("manifest", () => {
  it("of a real model has the roots that its nodes were cut with", () => {
    const manifest = parseManifest(readNetwork().manifest);
    expect(manifest.shards).toHaveLength(3);
    const { modelRoot, shardRoots } = deriveRoots(manifest);
    expect(modelRoot).toEqual(manifest.modelRoot);
    expect(shardRoots).toEqual(manifest.shards.map((shard) => shard.root));
  });

  it("comes back from its text", () => {
    const text = smallManifest();
    expect(utf8(encodeManifest(parseManifest(text)))).toEqual(text);
  });

  it.each([
    ["a newline behind", "}", "}\n"],
    ["white space", '"architecture":', '"architecture": '],
    ["a member less", ',"version":1', ""],
    ["a member twice", '"version":1', '"version":1,"version":1'],
    ["a member more", '"version":1', '"version":1,"x":1'],
    ["another version", '"version":1', '"version":2'],
    ["a fraction", '"version":1', '"version":1.0'],
    ["a number in a string", '"version":1', '"version":"1"'],
    ["layers below none", '"layer_count":2', '"layer_count":-2'],
    ["another index", '"index":1', '"index":0'],
    ["an unknown type", '"type":0', '"type":4'],
    ["an escape too many", '"llama"', String.raw`"l\u006cama"`],
    ["another root", /"model_root":"../, '"model_root":"00'],
    ["no dimension", "[5]", "[]"],
    ["prefixed hex", '"0101', '"0x01'],
  ])("is refused with %s", (what, from, to) => {
    const text = smallManifest();
    const changed =
      what === "a newline behind"
        ? utf8(`${new TextDecoder().decode(text)}\n`)
        : replaced(text, from, to);
    expect(() => parseManifest(changed)).toThrow(malformed);
  });

  it("is refused where its parts do not fit", () => {
    const { tensors, shards } = parseManifest(smallManifest());
    const [first, second] = shards;
    const withTensor = (at: number, change: object) => ({
      tensors: tensors.with(at, { ...tensors[at]!, ...change }),
    });
    const changes: Partial<Manifest>[] = [
      { shards: [first!, { ...second!, layers: { begin: 0, end: 2 } }] },
      { shards: [first!, { ...second!, layers: { begin: 2, end: 2 } }] },
      { shards: [first!] },
      { layerCount: 3 },
      { layerCount: 600 },
      { tensors: [tensors[1]!, tensors[0]!, tensors[2]!] },
      { tensors: [...tensors, tensors[2]!] },
      { architecture: "" },
      { name: "n".repeat(1025) },
      withTensor(1, { name: "blk.2.w" }),
      withTensor(0, { dimensions: [32, 0] }),
      withTensor(0, { dimensions: [33] }),
      withTensor(2, { name: "z".repeat(65) }),
      { shards: [{ ...first!, fileName: "../a.gguf" }, second!] },
      { shards: [{ ...first!, fileName: ".a" }, second!] },
      { shards: [{ ...first!, fileName: "-a" }, second!] },
      { shards: [{ ...first!, fileName: "b.gguf" }, second!] },
      { shards: [{ ...first!, fileBytes: 0 }, second!] },
    ];
    for (const change of changes) {
      expect(() => parseManifest(smallManifest(change)), JSON.stringify(change)).toThrow(malformed);
    }
  });

  it("is never accepted with a bit flipped but in what no root covers", { timeout: longMs }, () => {
    const { manifest: bytes } = readNetwork();
    const text = new TextDecoder().decode(bytes);
    const isFree = (at: number) => /"file_(bytes|name)":[^,]*$/.test(text.slice(0, at + 1));
    const random = randomOf(6);
    for (let at = 0; at < bytes.length; at += 1 + random(40)) {
      if (isFree(at)) continue;
      const changed = flipped(bytes, at, random(8));
      expect(() => parseManifest(changed), `byte ${at}`).toThrow(malformed);
    }
  });
});
