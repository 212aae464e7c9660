// SPDX-License-Identifier: Apache-2.0
// What one stage says it has computed for one request; src/attest/stage_record.hpp.
import { equal, toHex } from "../base/bytes";
import { fail } from "../base/error";
import { Eip712Struct, eip712Digest, type Eip712Domain } from "./eip712";
import { recoverAddress } from "./secp256k1";
import type { LayerRange } from "./statement";
import type { TraceDigest } from "./trace";

export interface StageRecord {
  /** 16 bytes. */
  request: Uint8Array;
  /** Version of the request's route. */
  epoch: number;
  /** 32 bytes each. */
  modelRoot: Uint8Array;
  shardRoot: Uint8Array;
  layers: LayerRange;
  /** Of the request's sampling options, the same on every stage. */
  sampling: Uint8Array;
  /** Rows that came in: activations; on the stage of layer 0 tokens. */
  input: TraceDigest;
  /** Rows that went out: activations; from the tail the tokens it sampled. */
  output: TraceDigest;
}

const recordType =
  "StageRecord(bytes16 request,uint32 epoch,bytes32 modelRoot,bytes32 shardRoot," +
  "uint32 layerBegin,uint32 layerEnd,bytes32 sampling,uint32 inputBegin,uint32 inputEnd," +
  "bytes32 input,uint32 outputBegin,uint32 outputEnd,bytes32 output)";

/** What the stage signs (EIP-712). */
export function recordDigest(domain: Eip712Domain, record: StageRecord): Uint8Array {
  const fields = new Eip712Struct(recordType)
    .bytesN(record.request)
    .integer(record.epoch)
    .bytes32(record.modelRoot)
    .bytes32(record.shardRoot)
    .integer(record.layers.begin)
    .integer(record.layers.end)
    .bytes32(record.sampling);
  for (const trace of [record.input, record.output]) {
    fields.integer(trace.begin).integer(trace.end).bytes32(trace.digest);
  }
  return eip712Digest(domain, fields.hash());
}

/** Error: `signature_invalid` unless that account made the signature. */
export async function verifyRecord(
  domain: Eip712Domain,
  record: StageRecord,
  signature: Uint8Array,
  address: Uint8Array,
): Promise<void> {
  const signer = await recoverAddress(recordDigest(domain, record), signature);
  if (!equal(signer, address)) {
    const need = `0x${toHex(address)}`;
    fail("signature_invalid", `stage record: have signer 0x${toHex(signer)}, need ${need}`);
  }
}
