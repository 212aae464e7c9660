// SPDX-License-Identifier: Apache-2.0
// What the nodes of a network are held against, made of its policy file and its manifest. Both may
// come from anybody, the entry included: what makes them the network's is that the pool on chain
// names their hashes. Where nothing pins them, whoever gave them decides what is accepted.
import { equal, toHex } from "../base/bytes";
import { fail } from "../base/error";
import { sha256Sync } from "./hash";
import { parseManifest, type Manifest } from "./manifest";
import type { PeerExpectation } from "./peer";
import { parsePolicy } from "./policyJson";
import type { Policy } from "./policy";

/** Exact bytes, as /v1/policy and /v1/manifest give them. */
export interface NetworkFiles {
  policy: Uint8Array;
  manifest: Uint8Array;
}

/** What the pool on chain says of them. */
export interface PoolPins {
  /** 32 bytes each. */
  modelRoot: Uint8Array;
  policyHash: Uint8Array;
  /** Layers of each slot, in order. */
  slotLayers: readonly number[];
}

/** Which pool of which contract; zeros where a network is on no chain. */
export interface NetworkPlace {
  chainId: bigint;
  /** 20 bytes. */
  contract: Uint8Array;
  pool: bigint;
}

export const onNoChain: NetworkPlace = { chainId: 0n, contract: new Uint8Array(20), pool: 0n };

export interface NetworkTerms {
  expectation: PeerExpectation;
  policy: Policy;
  manifest: Manifest;
  layerCount: number;
  /** Whether the pool on chain has said that these are its policy and its model. */
  isPinned: boolean;
}

function ensurePolicy(policyHash: Uint8Array, pins: PoolPins): void {
  if (!equal(policyHash, pins.policyHash)) {
    const need = `need the pool's, 0x${toHex(pins.policyHash)}`;
    fail("policy_malformed", `policy: have 0x${toHex(policyHash)}, ${need}`);
  }
}

function ensureManifest(manifest: Manifest, pins: PoolPins): void {
  if (!equal(manifest.modelRoot, pins.modelRoot)) {
    const need = `need the pool's, 0x${toHex(pins.modelRoot)}`;
    fail("shard_mismatch", `manifest: have model root 0x${toHex(manifest.modelRoot)}, ${need}`);
  }
  const { shards } = manifest;
  const isSameCut =
    shards.length === pins.slotLayers.length &&
    shards.every(({ layers }, i) => layers.end - layers.begin === pins.slotLayers[i]);
  if (!isSameCut) {
    const have = `another cut of the model into ${shards.length} shards`;
    fail(
      "shard_mismatch",
      `manifest: is of ${have}, need that of the pool's ${pins.slotLayers.length} slots`,
    );
  }
}

/**
 * Errors: `policy_malformed` (also: not the pool's), `manifest_malformed`, `shard_mismatch` (not the
 * pool's model or cut).
 */
export function readTerms(files: NetworkFiles, place: NetworkPlace, pins?: PoolPins): NetworkTerms {
  const policyHash = sha256Sync(files.policy);
  if (pins !== undefined) ensurePolicy(policyHash, pins);
  const policy = parsePolicy(files.policy);
  const manifest = parseManifest(files.manifest);
  if (pins !== undefined) ensureManifest(manifest, pins);
  const shards = manifest.shards.map(({ root, layers }) => ({ shardRoot: root, layers }));
  return {
    expectation: { ...place, modelRoot: manifest.modelRoot, policyHash, shards },
    policy,
    manifest,
    layerCount: manifest.layerCount,
    isPinned: pins !== undefined,
  };
}
