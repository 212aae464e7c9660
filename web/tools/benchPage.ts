// SPDX-License-Identifier: Apache-2.0
// What benchBrowser.ts runs in a page.
import { networkOf, termsOf } from "../tests/network";
import { parseAttestation, verifyRoute } from "../src/attest/route";

const names = ["policy.json", "manifest.json", "collateral.json", "attestation.json"];
const others = ["receipt.json", "request.json", "answer.txt", "index.json"];

/** Milliseconds that verifying a route of three nodes took, each time all from bytes. */
export async function measureRoute(turns: number): Promise<number[]> {
  const files = new Map<string, Uint8Array>();
  for (const name of [...names, ...others]) {
    const answer = await fetch(`/tests/vectors/${name}`);
    files.set(name, new Uint8Array(await answer.arrayBuffer()));
  }
  const network = networkOf((name) => files.get(name)!);
  const { nonce, time } = network;
  const times: number[] = [];
  for (let i = 0; i < turns; i++) {
    const begin = performance.now();
    const terms = await termsOf(network);
    await verifyRoute(parseAttestation(network.attestation), terms, nonce, time);
    times.push(performance.now() - begin);
  }
  return times;
}
