// SPDX-License-Identifier: Apache-2.0
// What a network of a development TEE answered, once: tests/vectors/README.md says how it was taken.
import { fromHex } from "../src/base/bytes";
import { verifyCollateral, type VerifiedCollateral } from "../src/attest/collateral";
import { parseCollateral } from "../src/attest/collateralJson";
import type { PeerExpectation } from "../src/attest/peer";
import { platformOfCollateral } from "../src/attest/platform";
import { parsePolicy } from "../src/attest/policyJson";
import { parseAttestation, type ShownRoute, type Terms } from "../src/attest/route";
import { onNoChain, readTerms } from "../src/attest/terms";

interface Index {
  /** When /attestation answered, and was asked with which nonce. */
  time: number;
  nonce: string;
}

export interface Network {
  policy: Uint8Array;
  manifest: Uint8Array;
  collateral: Uint8Array;
  attestation: Uint8Array;
  /** With a fresh quote of each stage. */
  receipt: Uint8Array;
  request: Uint8Array;
  answer: Uint8Array;
  time: number;
  nonce: Uint8Array;
}

/** From its files by name. */
export function networkOf(read: (name: string) => Uint8Array): Network {
  const index = JSON.parse(new TextDecoder().decode(read("index.json"))) as Index;
  return {
    policy: read("policy.json"),
    manifest: read("manifest.json"),
    collateral: read("collateral.json"),
    attestation: read("attestation.json"),
    receipt: read("receipt.json"),
    request: read("request.json"),
    answer: read("answer.txt"),
    time: index.time,
    nonce: fromHex(index.nonce),
  };
}

export function expectationOf(network: Network): PeerExpectation {
  return readTerms(network, onNoChain).expectation;
}

export async function collateralOf(network: Network): Promise<VerifiedCollateral> {
  const { roots } = parsePolicy(network.policy);
  return verifyCollateral(parseCollateral(network.collateral), roots, network.time);
}

/** What the page holds the nodes of this network against. */
export async function termsOf(network: Network): Promise<Terms> {
  const { expectation, policy, layerCount } = readTerms(network, onNoChain);
  const collateral = await collateralOf(network);
  const shelf = new Map([[platformOfCollateral(collateral), collateral]]);
  return { expectation, policy, layerCount, collateral: shelf };
}

export function routeOf(network: Network): ShownRoute {
  return parseAttestation(network.attestation);
}
