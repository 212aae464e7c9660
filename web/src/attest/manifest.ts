// SPDX-License-Identifier: Apache-2.0
// The canonical description of a model, and what its roots are; src/model/manifest.hpp, which is the
// specification.
import { equal, fromHex, toHex, utf8 } from "../base/bytes";
import { fail } from "../base/error";
import { parseJson } from "../base/json";
import { ByteWriter } from "../base/reader";
import { inContext, quoteForeign, utf8Length } from "../base/text";
import { JsonFields, JsonPlace } from "./jsonObject";
import {
  fileNameBytesMax,
  layerCountMax,
  manifestBytesMax,
  manifestTensorsMax,
  modelNameBytesMax,
  shardCountMax,
  tensorDimensionsMax,
  tensorNameBytesMax,
} from "./limits";
import { merkleLeaf, merkleRoot } from "./merkle";
import type { LayerRange } from "./statement";

export interface ManifestTensor {
  name: string;
  /** As GGUF numbers it. */
  type: number;
  dimensions: readonly number[];
  sha256: Uint8Array;
}

export interface ManifestShard {
  layers: LayerRange;
  root: Uint8Array;
  fileName: string;
  fileBytes: number;
}

export interface Manifest {
  architecture: string;
  /** "" when absent. */
  name: string;
  layerCount: number;
  hyperparametersSha256: Uint8Array;
  tokenizerSha256: Uint8Array;
  /** Of the whole model, ascending by name. */
  tensors: readonly ManifestTensor[];
  modelRoot: Uint8Array;
  /** Ascending by layer; a shard's index is its place here. */
  shards: readonly ManifestShard[];
}

const malformedCode = "manifest_malformed";
const manifestVersion = 1;
const numberMax = Number.MAX_SAFE_INTEGER;
const u32Max = 0xffffffff;
const jsonDepthMax = 8;

/** Elements of a block, by GGUF's number of the type; src/tensor/data_type.cpp. */
const blockElements: ReadonlyMap<number, number> = new Map([
  ...[0, 1, 24, 25, 26, 27, 28, 30].map((type) => [type, 1] as const),
  ...[2, 3, 6, 7, 8, 9, 20].map((type) => [type, 32] as const),
  ...[10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 21, 22, 23, 29].map((type) => [type, 256] as const),
]);

function malformed(detail: string): never {
  return fail(malformedCode, detail);
}

/** 12 for "blk.12.attn_q.weight" (decimal, no leading zero); undefined for any other form. */
function layerOf(tensorName: string): number | undefined {
  const layer = /^blk\.(0|[1-9]\d*)\./.exec(tensorName)?.[1];
  return layer === undefined || Number(layer) > u32Max ? undefined : Number(layer);
}

/** Whether the shard with these layers holds the tensor; src/model/cut.hpp. */
function serves(
  layerCount: number,
  outputIsTied: boolean,
  layers: LayerRange,
  tensorName: string,
): boolean {
  const first = layers.begin === 0;
  const last = layers.end === layerCount;
  const layer = layerOf(tensorName);
  if (layer !== undefined) return layer >= layers.begin && layer < layers.end;
  if (tensorName === "token_embd.weight") return first || (last && outputIsTied);
  if (tensorName === "position_embd.weight") return first;
  if (tensorName.startsWith("output.") || tensorName.startsWith("output_norm.")) return last;
  return true;
}

function u32Bytes(value: number): Uint8Array {
  return new ByteWriter().u32(value).view();
}

function metadataLeaf(manifest: Manifest): Uint8Array {
  return merkleLeaf("teetee.model.metadata.v1", [
    utf8(manifest.architecture),
    utf8(manifest.name),
    u32Bytes(manifest.layerCount),
    manifest.hyperparametersSha256,
    manifest.tokenizerSha256,
  ]);
}

function tensorLeaf(tensor: ManifestTensor): Uint8Array {
  const dimensions = new ByteWriter();
  for (const dimension of tensor.dimensions) dimensions.u64(BigInt(dimension));
  return merkleLeaf("teetee.model.tensor.v1", [
    utf8(tensor.name),
    u32Bytes(tensor.type),
    dimensions.view(),
    tensor.sha256,
  ]);
}

export interface ModelRoots {
  modelRoot: Uint8Array;
  /** In the manifest's order. */
  shardRoots: Uint8Array[];
}

/** From metadata, tensors and cut alone. */
export function deriveRoots(manifest: Manifest): ModelRoots {
  const metadata = metadataLeaf(manifest);
  const leaves = manifest.tensors.map(tensorLeaf);
  const modelRoot = merkleRoot([metadata, ...leaves]);
  const outputIsTied = !manifest.tensors.some((tensor) => tensor.name === "output.weight");
  const shardRoots = manifest.shards.map(({ layers }) => {
    const shard = [modelRoot, u32Bytes(layers.begin), u32Bytes(layers.end)];
    const served = leaves.filter((_, i) =>
      serves(manifest.layerCount, outputIsTied, layers, manifest.tensors[i]!.name),
    );
    return merkleRoot([merkleLeaf("teetee.shard.v1", shard), metadata, ...served]);
  });
  return { modelRoot, shardRoots };
}

function digestText(digest: Uint8Array): string {
  return `"${toHex(digest)}"`;
}

/** Escapes what RFC 8785 (section 3.2.2.2) wants escaped, as JSON.stringify does. */
function quoted(text: string): string {
  return JSON.stringify(text);
}

/** JSON in the canonical form of RFC 8785: keys sorted, no white space. */
export function encodeManifest(manifest: Manifest): string {
  const shards = manifest.shards.map(
    (shard, i) =>
      `{"file_bytes":${shard.fileBytes},"file_name":${quoted(shard.fileName)},"index":${i},` +
      `"layer_begin":${shard.layers.begin},"layer_end":${shard.layers.end},` +
      `"root":${digestText(shard.root)}}`,
  );
  const tensors = manifest.tensors.map(
    (tensor) =>
      `{"dimensions":[${tensor.dimensions.join(",")}],"name":${quoted(tensor.name)},` +
      `"sha256":${digestText(tensor.sha256)},"type":${tensor.type}}`,
  );
  return (
    `{"architecture":${quoted(manifest.architecture)},` +
    `"hyperparameters_sha256":${digestText(manifest.hyperparametersSha256)},` +
    `"layer_count":${manifest.layerCount},"model_root":${digestText(manifest.modelRoot)},` +
    `"name":${quoted(manifest.name)},"shards":[${shards.join(",")}],` +
    `"tensors":[${tensors.join(",")}],` +
    `"tokenizer_sha256":${digestText(manifest.tokenizerSha256)},"version":${manifestVersion}}`
  );
}

function readDigest(fields: JsonFields, key: string): Uint8Array {
  const digits = fields.text(key);
  if (!/^[0-9a-f]{64}$/.test(digits)) fields.place.at(key).wrong("another text", "64 hex digits");
  return fromHex(digits);
}

function readShard(fields: JsonFields, i: number): ManifestShard {
  const index = fields.number("index", u32Max);
  if (index !== i) fields.place.at("index").wrong(String(index), String(i));
  return {
    layers: {
      begin: fields.number("layer_begin", u32Max),
      end: fields.number("layer_end", u32Max),
    },
    root: readDigest(fields, "root"),
    fileName: fields.text("file_name"),
    fileBytes: fields.number("file_bytes", numberMax),
  };
}

function readTensor(fields: JsonFields): ManifestTensor {
  const place = fields.place.at("dimensions");
  const dimensions = fields.array("dimensions", tensorDimensionsMax).map((value) => {
    const holder = new JsonFields(new Map([["dimension", value]]), place);
    return holder.number("dimension", numberMax);
  });
  return {
    name: fields.text("name"),
    type: fields.number("type", u32Max),
    dimensions,
    sha256: readDigest(fields, "sha256"),
  };
}

function readManifest(fields: JsonFields): Manifest {
  const version = fields.number("version", numberMax);
  if (version !== manifestVersion) {
    fields.place.at("version").wrong(String(version), String(manifestVersion));
  }
  return {
    architecture: fields.text("architecture"),
    name: fields.text("name"),
    layerCount: fields.number("layer_count", u32Max),
    hyperparametersSha256: readDigest(fields, "hyperparameters_sha256"),
    tokenizerSha256: readDigest(fields, "tokenizer_sha256"),
    modelRoot: readDigest(fields, "model_root"),
    shards: fields.objects("shards", shardCountMax).map(readShard),
    tensors: fields.objects("tensors", manifestTensorsMax).map(readTensor),
  };
}

function ensureTensor(tensor: ManifestTensor, layerCount: number): void {
  const name = quoteForeign(tensor.name);
  const nameBytes = utf8Length(tensor.name);
  if (nameBytes < 1 || nameBytes > tensorNameBytesMax) {
    malformed(`${name}: need a name of 1 to ${tensorNameBytesMax} bytes`);
  }
  const block = blockElements.get(tensor.type);
  if (block === undefined) malformed(`tensor type ${tensor.type}`);
  if (tensor.dimensions.includes(0) || tensor.dimensions[0]! % block !== 0) {
    malformed(`${name}: dimensions do not fit the type`);
  }
  const layer = layerOf(tensor.name);
  if (layer !== undefined && layer >= layerCount) {
    malformed(`${name}: the model has ${layerCount} layers`);
  }
}

/** As bytes of UTF-8, which is the order of code points and not of JavaScript's units. */
function isBefore(a: string, b: string): boolean {
  const [left, right] = [utf8(a), utf8(b)];
  for (let i = 0; i < left.length && i < right.length; i++) {
    if (left[i] !== right[i]) return left[i]! < right[i]!;
  }
  return left.length < right.length;
}

function ensureTensors(manifest: Manifest): void {
  const bare = new Set(Array.from({ length: manifest.layerCount }, (_, layer) => layer));
  for (const [i, tensor] of manifest.tensors.entries()) {
    ensureTensor(tensor, manifest.layerCount);
    if (i > 0 && !isBefore(manifest.tensors[i - 1]!.name, tensor.name)) {
      malformed(`${quoteForeign(tensor.name)}: need tensors in the order of names`);
    }
    const layer = layerOf(tensor.name);
    if (layer !== undefined) bare.delete(layer);
  }
  for (const layer of bare) {
    malformed(`layer ${layer}: has no tensor, so this is not the whole model`);
  }
}

function ensureShards(manifest: Manifest): void {
  const fileNames = new Set<string>();
  let next = 0;
  for (const [i, { layers, fileName, fileBytes }] of manifest.shards.entries()) {
    const isPlain = /^[a-zA-Z0-9_][a-zA-Z0-9._-]*$/.test(fileName);
    if (!isPlain || fileName.length > fileNameBytesMax || fileNames.has(fileName)) {
      const need = "need letters, digits, '.', '-' and '_', and each name once";
      malformed(`file name ${quoteForeign(fileName)}: ${need}`);
    }
    fileNames.add(fileName);
    if (fileBytes === 0) malformed(`${fileName}: need a size`);
    if (layers.begin !== next || layers.end <= layers.begin) {
      const have = `layers ${layers.begin} to ${layers.end}`;
      malformed(`shard ${i}: has ${have}, need some from ${next} on`);
    }
    next = layers.end;
  }
  if (next !== manifest.layerCount) {
    malformed(`shards: have ${next} layers, need ${manifest.layerCount}`);
  }
}

function ensureValid(manifest: Manifest): void {
  const { architecture, name, layerCount } = manifest;
  if (architecture === "" || utf8Length(architecture) > modelNameBytesMax) {
    malformed(`architecture: need 1 to ${modelNameBytesMax} bytes of UTF-8`);
  }
  if (utf8Length(name) > modelNameBytesMax) {
    malformed(`name: need at most ${modelNameBytesMax} bytes of UTF-8`);
  }
  if (layerCount < 1 || layerCount > layerCountMax) {
    malformed(`layer_count: have ${layerCount}, need 1 to ${layerCountMax}`);
  }
  ensureTensors(manifest);
  ensureShards(manifest);
  const roots = deriveRoots(manifest);
  if (!equal(roots.modelRoot, manifest.modelRoot)) {
    const need = toHex(roots.modelRoot);
    malformed(`model_root: have ${toHex(manifest.modelRoot)}, need ${need}`);
  }
  for (const [i, shard] of manifest.shards.entries()) {
    const need = roots.shardRoots[i]!;
    if (!equal(shard.root, need)) {
      malformed(`root of shard ${i}: have ${toHex(shard.root)}, need ${toHex(need)}`);
    }
  }
}

/**
 * Accepts exactly the canonical text of a valid manifest, so one text stands for one manifest; every
 * root is derived anew. Error: `manifest_malformed`.
 */
export function parseManifest(source: Uint8Array): Manifest {
  const limits = { bytesMax: manifestBytesMax, depthMax: jsonDepthMax };
  const value = inContext("", () => parseJson(source, limits), malformedCode);
  const manifest = readManifest(new JsonFields(value, new JsonPlace("manifest", malformedCode)));
  // This also finds whatever is missing, out of order or behind the end.
  if (!equal(utf8(encodeManifest(manifest)), source)) {
    malformed("not in canonical form: need every key, in order, without white space");
  }
  ensureValid(manifest);
  return manifest;
}
