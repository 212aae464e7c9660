// SPDX-License-Identifier: Apache-2.0
// By what collateral is found for a quote: every platform of a kind has the same;
// src/attest/collateral_source.hpp.
import { toHex } from "../base/bytes";
import { TeeTeeError, fail } from "../base/error";
import { parseJson } from "../base/json";
import { inContext } from "../base/text";
import type { UnixSeconds } from "../base/time";
import { verifyCollateral, type VerifiedCollateral } from "./collateral";
import { readCollateral } from "./collateralJson";
import { JsonFields, JsonPlace } from "./jsonObject";
import { collateralBytesMax, collateralJsonDepthMax, platformsMax } from "./limits";
import { parsePckChain, platformInPck, type TrustedRoots } from "./pck";
import { parseQuote } from "./quote";
import { displayName, type Certificate } from "./x509";

/** "tdx-00806f050000-platform": TEE, FMSPC, and which of Intel's two CAs issued the certificate. */
export type PlatformId = string;

function caOf(certificate: Certificate): string {
  const name = displayName(certificate);
  if (name.includes("PCK Platform CA")) return "platform";
  if (name.includes("PCK Processor CA")) return "processor";
  const need = "need a PCK Platform CA or a PCK Processor CA";
  return fail("certificate_chain_invalid", `PCK chain: have issuer ${name}, ${need}`);
}

/**
 * The platform that a quote says it comes from. Nothing is verified: it serves to find the
 * collateral with which the quote is then judged.
 * Errors: those of parseQuote and parsePckChain; `certificate_malformed`;
 * `certificate_chain_invalid` where the PCK certificate's issuer is neither of the two CAs.
 */
export function platformOfQuote(bytes: Uint8Array): PlatformId {
  const quote = parseQuote(bytes);
  const chain = parsePckChain(quote.signature.pckChain);
  const { fmspc } = platformInPck(chain.leaf);
  return `${quote.header.teeType.toLowerCase()}-${toHex(fmspc)}-${caOf(chain.intermediate)}`;
}

/**
 * The platform that collateral speaks of. Errors: `collateral_mismatch` where its documents are of
 * two TEEs; `certificate_chain_invalid` as above.
 */
export function platformOfCollateral(collateral: VerifiedCollateral): PlatformId {
  const { tcbInfo, qeIdentity } = collateral;
  if (tcbInfo.tee !== qeIdentity.tee) {
    const need = `${tcbInfo.tee} as in the TCB info`;
    fail("collateral_mismatch", `QE identity: have one of ${qeIdentity.tee}, need ${need}`);
  }
  const ca = caOf(collateral.pckCa.signer);
  return `${tcbInfo.tee.toLowerCase()}-${toHex(tcbInfo.fmspc)}-${ca}`;
}

/** Collateral by the platform it is for; every part of it verified. */
export type CollateralShelf = ReadonlyMap<PlatformId, VerifiedCollateral>;

/** Why some collateral was left out. */
export interface RejectedCollateral {
  /** As the entry calls it. */
  platform: string;
  error: TeeTeeError;
}

/**
 * What an entry answers under /v1/collateral: {"object":"list","data":[{"platform","collateral"}]}.
 * What does not verify is left out and named: the entry can hold back, not forge.
 * Error: `collateral_malformed`, for another form of the list itself.
 */
export async function verifyCollateralList(
  source: string | Uint8Array,
  roots: TrustedRoots,
  now: UnixSeconds,
): Promise<{ shelf: CollateralShelf; rejected: RejectedCollateral[] }> {
  const limits = {
    bytesMax: platformsMax * collateralBytesMax,
    depthMax: collateralJsonDepthMax,
  };
  const code = "collateral_malformed";
  const value = inContext("collateral list", () => parseJson(source, limits), code);
  const list = new JsonFields(value, new JsonPlace("collateral list", code));
  const shelf = new Map<PlatformId, VerifiedCollateral>();
  const rejected: RejectedCollateral[] = [];
  const place = list.place.at("data");
  for (const [i, element] of list.arrayOrEmpty("data", platformsMax).entries()) {
    const entry = new JsonFields(element, place.at(i));
    const platform = entry.text("platform");
    try {
      const collateral = readCollateral(entry.value("collateral"));
      const verified = await verifyCollateral(collateral, roots, now);
      shelf.set(platformOfCollateral(verified), verified);
    } catch (thrown) {
      if (!(thrown instanceof TeeTeeError)) throw thrown;
      rejected.push({ platform, error: thrown });
    }
  }
  return { shelf, rejected };
}

/**
 * The collateral with which to judge a quote. Undefined where there is none, and where the quote
 * names no platform: its verification says what is wrong with it.
 */
export function findCollateral(
  shelf: CollateralShelf | undefined,
  quote: Uint8Array,
): VerifiedCollateral | undefined {
  if (shelf === undefined || shelf.size === 0) return undefined;
  try {
    return shelf.get(platformOfQuote(quote));
  } catch (thrown) {
    if (!(thrown instanceof TeeTeeError)) throw thrown;
    return undefined;
  }
}
