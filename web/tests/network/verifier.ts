// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { utf8 } from "../../src/base/bytes";
import { attestVerifier } from "../../src/client/attestVerifier";
import type { RouteVerifier } from "../../src/client/routeVerifier";
import type { UpNetwork } from "./upNetwork";

/** The page's verifier; where the entries hand out no collateral it is that of the network's folder. */
export function verifierOf(network: () => UpNetwork): RouteVerifier {
  const collateralOf = (given: Uint8Array): Uint8Array => {
    if (given.length > 0) return given;
    const folder = network().path("collateral");
    const data = readdirSync(folder).map((platform) => {
      const text = readFileSync(join(folder, platform), "utf8");
      return { platform, collateral: JSON.parse(text) as unknown };
    });
    return utf8(JSON.stringify({ object: "list", data }));
  };
  return {
    ...attestVerifier,
    verifyRoute: (evidence) =>
      attestVerifier.verifyRoute({ ...evidence, collateral: collateralOf(evidence.collateral) }),
    verifyNode: (evidence) =>
      attestVerifier.verifyNode({ ...evidence, collateral: collateralOf(evidence.collateral) }),
  };
}
