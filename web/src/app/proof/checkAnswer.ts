// SPDX-License-Identifier: Apache-2.0
import type { Address, Hex } from "viem";
import { parseManifest } from "../../attest/manifest";
import type { PeerExpectation, VerifiedPeer } from "../../attest/peer";
import { chainMeasurement } from "../../attest/chainMeasurement";
import { verifyCollateralList, type CollateralShelf } from "../../attest/platform";
import { parsePolicy } from "../../attest/policyJson";
import type { ReceiptAnchor } from "../../attest/receiptAnchor";
import { isFree, receiptDigest, type Receipt } from "../../attest/receipt";
import { checkReceipt, type ReceiptReport } from "../../attest/receiptCheck";
import { parseReceipt } from "../../attest/receiptJson";
import { decodeStatement } from "../../attest/statement";
import { fromHex, sha256, toHex, utf8 } from "../../base/bytes";
import { asError, fail, TeeTeeError } from "../../base/error";
import type { AnswerPart } from "../../client/ask";
import type { EntryPool } from "../../client/entryPool";
import { fetchBytes } from "../../client/fetchJson";
import { codeOf, ensureBaseUrl } from "../../client/fields";
import { collateralBytesMax } from "../../client/limits";
import { rest } from "../../client/payers";
import {
  checkAnchor,
  ensureReceiptOf,
  fetchReceipt,
  fetchReceiptAnchor,
} from "../../client/receipts";
import type { NetworkTerms, VerifiedEntry } from "../../client/verifiedEntry";
import type { ConnectedChain } from "../network/connection";
import { hardwareWords } from "./hardwareWords";
import type { Compared, Proof, ProofAnchor, ProofCheck, ProofStage } from "./proof";
import type { CheckedProof, HeldReceipt } from "./proofShelf";
import { proofCheckOf } from "./receiptWords";

/** One part of an answer, as far as this page still knows it. */
export interface KnownPart {
  /**
   * Of the entry that gave it, the only one that is asked for its receipt. undefined of what older
   * pages kept: all are, until one has it.
   */
  readonly url?: string;
  /** Without a URL: entries whose TEEs are simulated are not asked. */
  readonly wasOnHardware?: boolean;
  readonly receiptId: string;
  /** The body that was sent; undefined where it is no longer at hand. */
  readonly request?: string;
  /** SHA-256 of that body, hex, where it was noted when it was sent. */
  readonly requestHash?: string;
  /** The text that came; undefined also where the entry may have signed for more of it. */
  readonly text?: string;
}

export interface CheckTools {
  readonly entries: EntryPool;
  readonly chain: ConnectedChain | undefined;
  readonly parts: readonly KnownPart[];
  /** Tokens that came from parts whose entry never named a receipt. */
  readonly lostTokens?: number;
}

/** A stopped answer's receipt is there once the entry has noticed the stop. */
const receiptTries = 4;
const receiptRestMs = 750;

const hex = (bytes: Uint8Array): Hex => `0x${toHex(bytes)}`;

interface CheckedPart {
  readonly entry: VerifiedEntry | undefined;
  readonly bytes: Uint8Array<ArrayBuffer> | undefined;
  readonly receipt: Receipt | undefined;
  readonly report: ReceiptReport | undefined;
  readonly error: TeeTeeError | undefined;
  readonly compared: Compared;
}

const notCompared: Compared = { request: false, answer: false };

function partOf(entry: VerifiedEntry, part: KnownPart): AnswerPart {
  return {
    entry,
    tokenCount: 0,
    receiptPath: `/v1/receipts/${part.receiptId}`,
    endedByPayment: false,
    finishReason: "",
    request: part.request ?? "",
    text: part.text ?? "",
  };
}

/**
 * An entry that may hear the id of the receipt, and so may read the prompt: verified by the network's
 * terms. Errors: `address_invalid`, `simulated_rejected`, those of EntryPool.open.
 */
async function openFor(part: KnownPart, entries: EntryPool, url: string): Promise<VerifiedEntry> {
  const entry = await entries.open(ensureBaseUrl(url));
  if (part.url === undefined && part.wasOnHardware && entry.route.isSimulated) {
    fail("simulated_rejected", "entry: its TEEs are simulated, the answer was given by hardware");
  }
  return entry;
}

/** From the entry that gave the part, or from whichever has it. */
async function fetchPart(
  entries: EntryPool,
  part: KnownPart,
): Promise<{ entry: VerifiedEntry; bytes: Uint8Array<ArrayBuffer> }> {
  const urls =
    part.url !== undefined ? [part.url] : [...new Set([entries.preferred, ...entries.urls])];
  let failed: unknown;
  for (let i = 0; i < receiptTries; i++) {
    for (const url of urls) {
      try {
        const entry = await openFor(part, entries, url);
        return { entry, bytes: await fetchReceipt(entries, partOf(entry, part)) };
      } catch (thrown) {
        // Of one that was not asked nothing is known.
        if (failed === undefined || codeOf(thrown) !== "simulated_rejected") failed = thrown;
      }
    }
    if (asError(failed).code !== "receipt_unknown") break;
    await rest(receiptRestMs);
  }
  throw failed;
}

async function expectationOf(terms: NetworkTerms): Promise<{
  peers: PeerExpectation;
  layerCount: number;
}> {
  const manifest = parseManifest(terms.manifest);
  const { deployment, pool } = terms.expectation;
  const peers = {
    chainId: BigInt(deployment?.chainId ?? 0),
    contract: deployment ? fromHex(deployment.contract.slice(2)) : new Uint8Array(20),
    pool,
    modelRoot: manifest.modelRoot,
    policyHash: await sha256(terms.policy),
    shards: manifest.shards.map(({ root, layers }) => ({ shardRoot: root, layers })),
  };
  return { peers, layerCount: manifest.layerCount };
}

/** Empty where the entry has none: evidence that needs it then fails, with the reason. */
async function shelfOf(
  entry: VerifiedEntry,
  policy: ReturnType<typeof parsePolicy>,
  at: number,
): Promise<CollateralShelf> {
  try {
    const answer = await fetchBytes(`${entry.url}/v1/collateral`, collateralBytesMax);
    if (answer.status !== 200) return new Map();
    return (await verifyCollateralList(answer.bytes, policy.roots, at)).shelf;
  } catch {
    return new Map();
  }
}

async function checkPart(entries: EntryPool, part: KnownPart): Promise<CheckedPart> {
  let known: Pick<CheckedPart, "entry" | "bytes"> = { entry: undefined, bytes: undefined };
  try {
    known = await fetchPart(entries, part);
    const { entry, bytes } = known as { entry: VerifiedEntry; bytes: Uint8Array<ArrayBuffer> };
    const receipt = parseReceipt(bytes);
    ensureReceiptOf(receipt.request, part.receiptId);
    const policy = parsePolicy(entry.terms.policy);
    const report = await checkReceipt(receipt, {
      ...(await expectationOf(entry.terms)),
      policy,
      collateral: await shelfOf(entry, policy, receipt.finishedAt),
      request: part.request === undefined ? undefined : utf8(part.request),
      answer: part.text === undefined ? undefined : utf8(part.text),
    });
    addKeptRequest(report, receipt, part);
    return { entry, bytes, receipt, report, error: undefined, compared: comparedBy(report) };
  } catch (thrown) {
    const error = asError(thrown);
    return { ...known, receipt: undefined, report: undefined, error, compared: notCompared };
  }
}

/** Of an earlier visit only the hash of what was sent is at hand. */
function addKeptRequest(
  report: ReceiptReport,
  { requestHash: have }: Receipt,
  { request, requestHash: need }: KnownPart,
): void {
  if (request !== undefined || need === undefined) return;
  const detail = `have 0x${toHex(have)}, need 0x${need}`;
  const error = toHex(have) === need ? undefined : new TeeTeeError("receipt_rejected", detail);
  report.checks.push({ what: "request: its hash", error, details: [] });
}

function comparedBy(report: ReceiptReport): Compared {
  const holds = (what: string) =>
    report.checks.some((check) => check.what === what && check.error === undefined);
  return { request: holds("request: its hash"), answer: holds("answer: its hash") };
}

function stageOf(
  receipt: Receipt,
  index: number,
  peer: VerifiedPeer | undefined,
): ProofStage | undefined {
  const stage = receipt.stages[index];
  if (!stage) return undefined;
  const { layers, shardRoot } = stage.record;
  const shown = { layers: [layers.begin, layers.end - 1] as const, weights: toHex(shardRoot) };
  if (!peer) {
    let node = "";
    try {
      node = toHex(decodeStatement(stage.statement).receiptAddress);
    } catch {
      // Then nobody knows whose it is.
    }
    return { ...shown, node, trust: "failed" };
  }
  const { statement, report, quote, simulated } = peer;
  return {
    ...shown,
    node: toHex(statement.receiptAddress),
    trust: simulated ? "simulated" : "verified",
    code: toHex(chainMeasurement(report)),
    codeName: statement.softwareVersion,
    hardware: hardwareWords(quote.tcb?.status, simulated),
    advisories: quote.tcb?.advisories ?? [],
  };
}

function routeOf(checked: readonly CheckedPart[]): ProofStage[] {
  const route = new Map<string, ProofStage>();
  for (const { receipt, report } of checked) {
    receipt?.stages.forEach((_, i) => {
      const stage = stageOf(receipt, i, report?.peers[i]);
      if (!stage) return;
      const key = `${stage.node} ${stage.layers.join()}`;
      // A node that failed once is not made good by another part.
      if (route.get(key)?.trust !== "failed") route.set(key, stage);
    });
  }
  return [...route.values()];
}

function checksOf(checked: readonly CheckedPart[]): ProofCheck[] {
  return checked.flatMap(({ report, error, bytes }, i) => {
    const part = checked.length > 1 ? `Part ${i + 1}` : "";
    if (report) return report.checks.map((check) => proofCheckOf(check, part));
    // One that came and cannot be read is wrong; one that did not come proves nothing.
    return error && bytes ? [proofCheckOf({ what: "The receipt", error }, part)] : [];
  });
}

function problemOf(checked: readonly CheckedPart[], lostTokens: number): string | undefined {
  const missing = checked.findIndex(({ bytes }) => bytes === undefined);
  const rest = checked.some(({ report }) => report !== undefined)
    ? " All that has a receipt was checked, below."
    : "";
  if (lostTokens > 0) {
    return `The first ${lostTokens} tokens came from an entry that died, and its receipt with it.${rest}`;
  }
  if (missing < 0) return undefined;
  const { error } = checked[missing] ?? {};
  const which = checked.length > 1 ? `Part ${missing + 1} of the answer` : "The answer";
  if (error?.code === "receipt_unknown") {
    return `${which} has no receipt any more: its entry was started again since, or has forgotten it.${rest}`;
  }
  return `${which} has no receipt: its entry is gone, or gave none (${error?.message ?? ""}).${rest}`;
}

function sumOf(checked: readonly CheckedPart[], take: (receipt: Receipt) => number): number {
  return checked.reduce((sum, { receipt }) => sum + (receipt ? take(receipt) : 0), 0);
}

function proofOf(checked: readonly CheckedPart[], lostTokens: number): Proof {
  const problem = problemOf(checked, lostTokens);
  const first = checked.find(({ receipt }) => receipt)?.receipt;
  const last = checked.findLast(({ receipt }) => receipt)?.receipt;
  return {
    phase: problem === undefined ? "done" : "unknown",
    checks: checksOf(checked),
    route: routeOf(checked),
    simulated: checked.some(({ report }) => report?.simulated === true),
    compared: {
      request: checked.length > 0 && checked.every(({ compared }) => compared.request),
      answer: checked.length > 0 && checked.every(({ compared }) => compared.answer),
    },
    ...(problem === undefined ? {} : { problem }),
    ...(first && last
      ? {
          cost: sumOf(checked, ({ payment }) => Number(payment.charged)),
          promptTokens: first.promptTokens,
          completionTokens: sumOf(checked, (receipt) => receipt.completionTokens),
          cachedTokens: first.cachedTokens,
          requestHash: toHex(last.requestHash),
          answerHash: toHex(last.answerHash),
          created: last.finishedAt,
        }
      : {}),
  };
}

const anchorWords: Readonly<Record<Exclude<ReceiptAnchor["state"], "settled">, string>> = {
  unsettled: "Not settled yet: the entry settles many answers at once",
  settling: "On its way into the contract",
  given_up: "The entry gave up settling it, so nobody is paid for it",
};

/** Whether the contract has the receipt: by the entry's word where to look, and the chain's own. */
async function anchorOf(
  tools: CheckTools,
  part: KnownPart,
  { entry, receipt }: CheckedPart,
): Promise<{ anchor?: ProofAnchor; check?: ProofCheck }> {
  const { chain, entries } = tools;
  if (!chain || !entry || !receipt || isFree(receipt.payment)) return {};
  const name = "Anchor on the chain";
  try {
    const found = await fetchReceiptAnchor(entries, partOf(entry, part));
    if (found.state !== "settled") {
      return { anchor: { state: "pending", words: anchorWords[found.state] } };
    }
    const { receiptAddress } = decodeStatement(receipt.stages[0]!.statement);
    const at = await checkAnchor(
      chain.reader,
      {
        deployment: chain.deployment,
        pool: receipt.pool,
        digest: hex(receiptDigest(receipt)),
        entry: hex(receiptAddress) as Address,
      },
      found,
    );
    const when = new Date(at * 1000).toLocaleString();
    return {
      anchor: { state: "anchored", words: `In the contract since ${when}` },
      check: { name, passed: true, words: "The contract has this receipt among those it settled." },
    };
  } catch (thrown) {
    const error = asError(thrown);
    if (error.code !== "receipt_rejected") {
      return { anchor: { state: "pending", words: `Not known now: ${error.detail}` } };
    }
    return {
      anchor: { state: "none", words: "The contract does not have it as the entry says" },
      check: { name, passed: false, words: `${error.detail} (${error.code}).` },
    };
  }
}

/**
 * Fetches the receipts of all parts of an answer, and checks all there is to check. Resolves with
 * what looks for the anchor once more.
 */
export async function checkAnswer(
  tools: CheckTools,
  tell: (checked: CheckedProof) => void,
): Promise<() => Promise<void>> {
  const checked = await Promise.all(tools.parts.map((part) => checkPart(tools.entries, part)));
  const proof = proofOf(checked, tools.lostTokens ?? 0);
  const receipts = checked.flatMap(({ bytes }, i): HeldReceipt[] =>
    bytes ? [{ id: tools.parts[i]?.receiptId ?? "", bytes }] : [],
  );
  tell({ proof, receipts });
  const look = async () => {
    const anchors = await Promise.all(
      tools.parts.map((part, i) => anchorOf(tools, part, checked[i]!)),
    );
    const added = anchors.flatMap(({ check }) => check ?? []);
    // One that is not settled yet says what is still to come.
    const anchor =
      anchors.find((one) => one.anchor?.state === "pending")?.anchor ??
      anchors.find((one) => one.anchor)?.anchor;
    if (!anchor) return;
    tell({ proof: { ...proof, checks: [...proof.checks, ...added], anchor }, receipts });
  };
  await look();
  return look;
}
