// SPDX-License-Identifier: Apache-2.0
// Judges a document and describes it. Pure but for WebCrypto; runs in the explorer's worker.
import { chainMeasurement } from "../../attest/chainMeasurement";
import type { Check } from "../../attest/check";
import type { VerifiedCollateral } from "../../attest/collateral";
import { intelRootFingerprint } from "../../attest/intel";
import { parseManifest } from "../../attest/manifest";
import type { PeerExpectation } from "../../attest/peer";
import { parsePckChain } from "../../attest/pck";
import { verifyCollateralList, type CollateralShelf } from "../../attest/platform";
import type { Policy } from "../../attest/policy";
import { parsePolicy } from "../../attest/policyJson";
import { parseQuote } from "../../attest/quote";
import type { Statement } from "../../attest/statement";
import { describeShortfalls } from "../../attest/tcbEvaluation";
import { everyTcbStatus } from "../../attest/tcbStatus";
import type { VerifiedQuote } from "../../attest/verify";
import { sha256Sync } from "../../attest/hash";
import { fromUtf8, sha256, toHex } from "../../base/bytes";
import { TeeTeeError } from "../../base/error";
import { formatUtc, type UnixSeconds } from "../../base/time";
import { tcbStatusWords } from "./words";
import type { CheckView, FieldView, HardwareView, NetworkTermsInput, Verdict } from "./views";

export const hex0x = (bytes: Uint8Array): string => `0x${toHex(bytes)}`;

/** What something is held against; alone, against what it says itself. */
export interface Terms {
  readonly network: NetworkTermsInput | undefined;
  readonly expectation: PeerExpectation | undefined;
  readonly policy: Policy | undefined;
  readonly layerCount: number;
  readonly shelf: CollateralShelf;
  /** Why collateral was left out. */
  readonly rejected: readonly TeeTeeError[];
}

/** A single document, or the list that an entry serves, as the latter. */
function collateralList(text: string): string {
  const isList = /^\s*\{\s*"object"\s*:\s*"list"/.test(text);
  return isList ? text : `{"object":"list","data":[{"platform":"","collateral":${text}}]}`;
}

async function shelve(
  texts: readonly string[],
  policy: Policy,
  now: UnixSeconds,
): Promise<Pick<Terms, "shelf" | "rejected">> {
  const shelf = new Map<string, VerifiedCollateral>();
  const rejected: TeeTeeError[] = [];
  for (const text of texts) {
    try {
      const list = await verifyCollateralList(collateralList(text), policy.roots, now);
      for (const [platform, one] of list.shelf) shelf.set(platform, one);
      rejected.push(...list.rejected.map((one) => one.error));
    } catch (thrown) {
      if (!(thrown instanceof TeeTeeError)) throw thrown;
      rejected.push(thrown);
    }
  }
  return { shelf, rejected };
}

/**
 * Terms at a time. Collateral that was opened by hand goes over the network's. Without a network
 * `policy` is what takes its place. Errors: those of parseManifest and parsePolicy.
 */
export async function termsAt(
  network: NetworkTermsInput | undefined,
  collateral: string | undefined,
  now: UnixSeconds,
  otherwise: Policy,
): Promise<Terms> {
  const own = collateral === undefined ? [] : [collateral];
  if (network === undefined) {
    const shelved = await shelve(own, otherwise, now);
    const nothing = { network, expectation: undefined, policy: undefined, layerCount: 0 };
    return { ...nothing, ...shelved };
  }
  const manifest = parseManifest(network.manifest);
  const policy = parsePolicy(network.policy);
  const theirs = network.collateral.length === 0 ? [] : [fromUtf8(network.collateral)];
  const expectation: PeerExpectation = {
    chainId: network.chainId,
    contract: network.contract,
    pool: network.pool,
    modelRoot: manifest.modelRoot,
    policyHash: await sha256(network.policy),
    shards: manifest.shards.map(({ root, layers }) => ({ shardRoot: root, layers })),
  };
  // What was opened by hand may be under another root; the quote's verification asks for its own.
  const [served, opened] = [await shelve(theirs, policy, now), await shelve(own, otherwise, now)];
  return {
    network,
    expectation,
    policy,
    layerCount: manifest.layerCount,
    shelf: new Map([...served.shelf, ...opened.shelf]),
    rejected: [...opened.rejected, ...served.rejected],
  };
}

/** The root that a quote's own chain ends in; undefined where it has none that can be read. */
export function ownRoot(quote: Uint8Array): string | undefined {
  try {
    const { root } = parsePckChain(parseQuote(quote).signature.pckChain);
    return toHex(sha256Sync(root.der));
  } catch {
    return undefined;
  }
}

/**
 * Accepts whatever is consistent: what is left to say of evidence when nothing is known of the
 * network that it is of. What it accepts is never called verified.
 */
export function lenientPolicy(quotes: readonly Uint8Array[]): Policy {
  const fingerprints = new Set([intelRootFingerprint]);
  const measurements: { mrtd: Uint8Array }[] = [];
  const mrservicetds: Uint8Array[] = [];
  for (const bytes of quotes) {
    const root = ownRoot(bytes);
    if (root !== undefined) fingerprints.add(root);
    try {
      const { report } = parseQuote(bytes);
      if (report.tee !== "TDX") continue;
      measurements.push({ mrtd: report.mrtd });
      if (report.since15) mrservicetds.push(report.since15.mrservicetd);
    } catch {
      // Its own check says so.
    }
  }
  return {
    roots: { fingerprints },
    measurements,
    mrservicetds,
    allowSimulated: true,
    allowDebug: true,
    requireSeptVeDisable: false,
    requireCollateral: false,
    acceptedStatuses: everyTcbStatus.filter((status) => status !== "Revoked"),
    graceDays: 0,
    acceptedAdvisories: undefined,
    collateralAgeSMax: undefined,
    tcbEvaluationNumberMin: 0,
    ppids: [],
    mrseams: [],
  };
}

export function checkView({ name, passed, finding, code, have, need }: Check): CheckView {
  return {
    name,
    state: passed ? "passed" : "failed",
    words: finding,
    ...(code === undefined ? {} : { code }),
    ...(have === undefined ? {} : { have }),
    ...(need === undefined ? {} : { need }),
  };
}

/** A missing document is explained by why the one that came was refused. */
export function withCause(error: TeeTeeError, rejected: readonly TeeTeeError[]): TeeTeeError {
  const [first] = rejected;
  return error.code === "collateral_missing" && first !== undefined ? first : error;
}

export function hardwareOf(quote: VerifiedQuote): HardwareView {
  const { tcb, simulated } = quote;
  return {
    status: tcb?.status,
    statusWords: tcbStatusWords(tcb?.status),
    advisories: tcb?.advisories ?? [],
    shortfalls: describeShortfalls(tcb?.shortfalls ?? []),
    isSimulated: simulated,
  };
}

/** As contracts name the code of a quote; undefined where it is none of a TD. */
export function measurementOf(quote: Uint8Array): string | undefined {
  try {
    const { report } = parseQuote(quote);
    return report.tee === "TDX" ? hex0x(chainMeasurement(report)) : undefined;
  } catch {
    return undefined;
  }
}

function plainField(group: string, label: string, value: string, words?: string): FieldView {
  const field = { id: `${group}.${label}`, group, label, value };
  return words === undefined ? field : { ...field, words };
}

export function fieldMaker(group: string) {
  return (label: string, value: string, words?: string) => plainField(group, label, value, words);
}

/** Every field of a statement. */
export function statementFields(encoded: Uint8Array, statement: Statement): FieldView[] {
  const field = fieldMaker("Statement");
  const { layers, notBefore, notAfter } = statement;
  return [
    field("SHA-256", hex0x(sha256Sync(encoded)), "by which receipts and contracts name it"),
    field("purpose", statement.purpose),
    field("software", statement.softwareVersion),
    field("chain", String(statement.chainId), statement.chainId === 0n ? "none" : undefined),
    field("contract", hex0x(statement.contract)),
    field("pool", String(statement.pool)),
    field("model root", hex0x(statement.modelRoot)),
    field("shard root", hex0x(statement.shardRoot), "hash over every weight that it serves"),
    field("layers", `${layers.begin} to ${layers.end - 1}`),
    field("policy", hex0x(statement.policyHash), "which it holds its own peers against"),
    field("TLS key", toHex(statement.tlsSpki), "SubjectPublicKeyInfo"),
    field("HPKE key", toHex(statement.hpkeKey), "X25519: what prompts are encrypted to"),
    field("receipt address", hex0x(statement.receiptAddress), "whose key signs receipts"),
    field("valid from", formatUtc(notBefore)),
    field("valid until", formatUtc(notAfter)),
  ];
}

/** A payload as text, where it is some. */
export function readable(bytes: Uint8Array): string {
  try {
    const text = fromUtf8(bytes);
    if (text !== "" && /^[\x20-\x7e]*$/.test(text)) return text;
  } catch {
    // Then hex says it.
  }
  return toHex(bytes);
}

/** Of what a network accepts: green only where the user has said which network that is. */
export function acceptedVerdict(isSimulated: boolean, { unpinned }: NetworkTermsInput): Verdict {
  if (isSimulated) return "simulated";
  return unpinned === "" ? "verified" : "attested";
}
