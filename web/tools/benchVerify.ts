// SPDX-License-Identifier: Apache-2.0
// What verifying a route of three nodes costs, from the bytes that an entry gives: npm run bench
import { termsOf } from "../tests/network";
import { readNetwork } from "../tests/readVectors";
import { parseAttestation, verifyRoute } from "../src/attest/route";
import { checkReceipt } from "../src/attest/receiptCheck";
import { parseReceipt } from "../src/attest/receiptJson";

const turns = 30;

async function timeMs(run: () => Promise<unknown>): Promise<number> {
  const begin = performance.now();
  await run();
  return performance.now() - begin;
}

async function report(name: string, run: () => Promise<unknown>): Promise<void> {
  const first = await timeMs(run);
  const times: number[] = [];
  for (let i = 0; i < turns; i++) times.push(await timeMs(run));
  times.sort((a, b) => a - b);
  const median = times[turns / 2]!;
  process.stdout.write(
    `${name}: first ${first.toFixed(1)} ms, then median ${median.toFixed(1)} ms of ${turns}\n`,
  );
}

export async function main(): Promise<number> {
  const network = readNetwork();
  const { nonce, time } = network;
  // Policy, manifest and collateral anew each time.
  await report("route of three nodes, all from bytes", async () => {
    const terms = await termsOf(network);
    return verifyRoute(parseAttestation(network.attestation), terms, nonce, time);
  });
  const terms = await termsOf(network);
  await report("route of three nodes, terms verified before", () =>
    verifyRoute(parseAttestation(network.attestation), terms, nonce, time),
  );
  const { expectation: peers, policy, layerCount, collateral } = terms;
  await report("receipt with fresh quotes, terms verified before", () =>
    checkReceipt(parseReceipt(network.receipt), { peers, policy, layerCount, collateral }),
  );
  return 0;
}
