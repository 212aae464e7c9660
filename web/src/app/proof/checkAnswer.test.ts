// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { collateralOf } from "../../../tests/network";
import { readNetwork } from "../../../tests/readVectors";
import { trustingVerifier } from "../../../tests/support/statement";
import {
  type Asked,
  errorOf,
  type Reply,
  TestEntry,
  testManifest,
  testPolicy,
  testTerms,
} from "../../../tests/support/testEntry";
import { platformOfCollateral } from "../../attest/platform";
import { parseReceipt } from "../../attest/receiptJson";
import { fromUtf8, sha256, toHex, utf8 } from "../../base/bytes";
import { EntryPool } from "../../client/entryPool";
import { checkAnswer, type KnownPart } from "./checkAnswer";
import { lackOf, type Proof, verdictOf } from "./proof";

// A receipt of a development network, handed out by an entry of this test: everything of it is judged
// as in the page. The entry's own evidence is not what is looked at here.

const network = readNetwork();
const receiptText = fromUtf8(network.receipt);
const receiptId = toHex(parseReceipt(network.receipt).request);
const otherId = "0123456789abcdef".repeat(2);
const request = fromUtf8(network.request);
const text = fromUtf8(network.answer);

let entry: TestEntry;
let entries: EntryPool;

/** Whatever receipt is asked for, it is this one; another entry of the same kind has none. */
function answerOf({ path }: Asked): Reply {
  if (path.startsWith("/v1/receipts/gone")) {
    return { status: 404, pieces: [JSON.stringify(errorOf("receipt_unknown"))] };
  }
  return { pieces: [receiptText] };
}

beforeAll(async () => {
  entry = await TestEntry.start(answerOf);
  const platform = platformOfCollateral(await collateralOf(network));
  const collateral = JSON.parse(fromUtf8(network.collateral)) as unknown;
  entry.collateral = utf8(JSON.stringify({ object: "list", data: [{ platform, collateral }] }));
  entries = poolOf(entry.url);
});

afterAll(() => entry.stop());

function poolOf(...urls: readonly string[]): EntryPool {
  const { policy, manifest } = network;
  return new EntryPool({
    urls,
    terms: { ...testTerms, policy, manifest },
    verifier: {
      ...trustingVerifier,
      verifyRoute: (evidence) =>
        trustingVerifier.verifyRoute({ ...evidence, policy: testPolicy, manifest: testManifest }),
    },
  });
}

async function proofOf(...parts: readonly Partial<KnownPart>[]): Promise<Proof> {
  return proofIn(entries, ...parts.map((part) => ({ url: entry.url, receiptId, ...part })));
}

async function proofIn(pool: EntryPool, ...parts: readonly KnownPart[]): Promise<Proof> {
  let proof: Proof | undefined;
  await checkAnswer({ entries: pool, chain: undefined, parts }, (held) => {
    proof = held.proof;
  });
  if (!proof) throw new Error("nothing was told");
  return proof;
}

const failedOf = (proof: Proof) => proof.checks.filter(({ passed }) => !passed);
/** The same on hardware, to see what a proof would come to there. */
const onHardware = (proof: Proof): Proof => ({
  ...proof,
  simulated: false,
  route: proof.route.map((stage) => ({ ...stage, trust: "verified" })),
});

describe("the proof of an answer", () => {
  it("is whole where request and answer are those of the receipt", async () => {
    const proof = await proofOf({ request, text });
    expect(failedOf(proof)).toEqual([]);
    expect(proof.compared).toEqual({ request: true, answer: true });
    expect(verdictOf(proof)).toBe("simulated");
    expect(verdictOf(onHardware(proof))).toBe("verified");
    expect(lackOf(proof)).toBeUndefined();
  });

  it("is none of the whole where either is not at hand", async () => {
    for (const part of [{ request }, { text }, {}]) {
      const proof = await proofOf(part);
      expect(failedOf(proof)).toEqual([]);
      expect(proof.compared).toEqual({ request: "request" in part, answer: "text" in part });
      expect(verdictOf(onHardware(proof))).toBe("partial");
    }
    const mixed = await proofOf({ request, text }, { request });
    expect(mixed.compared).toEqual({ request: true, answer: false });
    expect(verdictOf(onHardware(mixed))).toBe("partial");
  });

  it("takes the hash that was noted when the request was sent", async () => {
    const requestHash = toHex(await sha256(network.request));
    const proof = await proofOf({ requestHash, text });
    expect(failedOf(proof)).toEqual([]);
    expect(verdictOf(onHardware(proof))).toBe("verified");
    const other = await proofOf({ requestHash: "00".repeat(32), text });
    expect(failedOf(other)).toMatchObject([{ name: "Your request", need: `0x${"00".repeat(32)}` }]);
    expect(verdictOf(other)).toBe("failed");
  });

  it("fails with a request or an answer that is another", async () => {
    const changed = await proofOf({ request: `${request} `, text: `${text}.` });
    expect(failedOf(changed).map(({ name }) => name)).toEqual(["Your request", "The text"]);
    expect(changed.compared).toEqual({ request: false, answer: false });
  });

  it("is made by the receipt that was asked for alone, whatever is at hand", async () => {
    expect((await proofOf({ receiptId: `chatcmpl-${receiptId}`, request, text })).checks).toEqual(
      (await proofOf({ request, text })).checks,
    );
    for (const part of [{ request, text }, {}]) {
      const proof = await proofOf({ receiptId: otherId, ...part });
      expect(failedOf(proof)).toMatchObject([
        { name: "The receipt", have: `that of ${receiptId}`, need: otherId },
      ]);
      expect(verdictOf(proof)).toBe("failed");
    }
  });

  it("says which part has no receipt", async () => {
    const proof = await proofOf({ request, text }, { receiptId: "gone" });
    expect(proof.problem).toMatch(/^Part 2 of the answer has no receipt/);
    expect(verdictOf(onHardware(proof))).toBe("partial");
  });
});

describe("who hears the id of a receipt", () => {
  let other: TestEntry;
  let pool: EntryPool;
  beforeAll(async () => {
    other = await TestEntry.start(answerOf);
    pool = poolOf(other.url, entry.url);
  });
  afterAll(() => other.stop());

  it("is the entry that gave it alone", async () => {
    expect((await proofIn(pool, { url: entry.url, receiptId })).phase).toBe("done");
    const gone = await proofIn(pool, { url: "http://127.0.0.1:9", receiptId });
    expect(gone.phase).toBe("unknown");
    expect((await proofIn(pool, { url: "", receiptId })).problem).toContain("address_invalid");
    expect(other.asked).toEqual([]);
    // One that nobody named, but which is of this network.
    expect((await proofIn(poolOf(other.url), { url: entry.url, receiptId })).phase).toBe("done");
    expect(other.asked).toEqual([]);
  });

  it("is nobody without a hardware TEE of what hardware gave, where nobody knows who did", async () => {
    const before = entry.asked.length;
    const proof = await proofIn(pool, { receiptId, wasOnHardware: true });
    expect(proof).toMatchObject({ phase: "unknown", checks: [] });
    expect(proof.problem).toContain("simulated_rejected");
    expect([entry.asked.length, other.asked.length]).toEqual([before, 0]);
    expect((await proofIn(pool, { receiptId })).phase).toBe("done");
    expect(other.asked.length).toBe(1);
  });
});
