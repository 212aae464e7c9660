// SPDX-License-Identifier: Apache-2.0
// The receipt of an answer of a network of three nodes, with fresh quotes.
import { describe, expect, it } from "vitest";
import { flipped, randomOf } from "../../tests/mutations";
import { expectationOf, termsOf } from "../../tests/network";
import { readNetwork, readVector } from "../../tests/readVectors";
import { fromUtf8, toHex, utf8 } from "../base/bytes";
import { verifyCollateral } from "./collateral";
import { parseCollateral } from "./collateralJson";
import { merkleLeaf, merkleProofRoot, merkleRoot } from "./merkle";
import { platformOfCollateral } from "./platform";
import { parsePolicy } from "./policyJson";
import { ensureAnchored, parseReceiptAnchor } from "./receiptAnchor";
import { checkReceipt, firstError, type ReceiptExpectation } from "./receiptCheck";
import { encodeReceipt, floatText, parseReceipt } from "./receiptJson";
import { receiptDigest, type Receipt, type ReceiptStage } from "./receipt";
import { recoverAddress } from "./secp256k1";
import { Trace } from "./trace";

const longMs = 60_000;
const network = readNetwork();
const terms = await termsOf(network);
const text = fromUtf8(network.receipt).trimEnd();
const receipt = parseReceipt(network.receipt);
const expectation: ReceiptExpectation = {
  peers: terms.expectation,
  policy: terms.policy,
  layerCount: terms.layerCount,
  collateral: terms.collateral,
  request: network.request,
  answer: network.answer,
  needsFreshQuotes: true,
};

/** The checks that fail, in order. */
async function failing(changed: Receipt, by: Partial<ReceiptExpectation> = {}): Promise<string[]> {
  const report = await checkReceipt(changed, { ...expectation, ...by });
  const failed = report.checks.filter((check) => check.error !== undefined);
  expect(report.accepted).toBe(failed.length === 0);
  return failed.map((check) => check.what);
}

function withStage(index: number, change: (stage: ReceiptStage) => Partial<ReceiptStage>): Receipt {
  const stages = receipt.stages.map((stage, i) =>
    i === index ? { ...stage, ...change(stage) } : stage,
  );
  return { ...receipt, stages };
}

const flip = (bytes: Uint8Array) => flipped(bytes, 0, 0);

describe("receipt", () => {
  it("is accepted", async () => {
    const report = await checkReceipt(receipt, expectation);
    expect(firstError(report)).toBeUndefined();
    expect(report.accepted).toBe(true);
    expect(report.simulated).toBe(true);
    expect(report.peers.filter((peer) => peer !== undefined)).toHaveLength(3);
    expect(report.checks.slice(0, 4).map((check) => check.what.replace(/\d+/g, "N"))).toEqual([
      "evidence of layers N to N",
      "signature of layers N to N",
      "rows that left layers N to N",
      "fresh quote of layers N to N",
    ]);
    expect(report.checks.slice(12).map((check) => check.what)).toEqual([
      "route: every layer once, in order",
      "hand-over: each stage took in what the one before sent",
      "tokens: what was sampled went in again",
      "entry: signature over the receipt",
      "entry: signature over the fresh quotes",
      "opening: salt, tokens and sampling options are those of the answer",
      "request: its hash",
      "answer: its hash",
      "notice: simulated evidence is called so",
    ]);
  });

  it("has one form", () => {
    expect(encodeReceipt(receipt)).toBe(text);
    expect(parseReceipt(`${text}\n`)).toEqual(receipt);
    const forms = [
      ` ${text}`,
      `${text}\n\n`,
      text.replace(":", ": "),
      text.replace('"version":3', '"version":2'),
      text.replace('"version":3', '"version":3,"more":1'),
      text.replace(/"0x([0-9a-f]*[a-f][0-9a-f]*)"/, (_, hex: string) => `"0x${hex.toUpperCase()}"`),
      text.replace(/"temperature":[^,]*/, '"temperature":0.5'),
      text.replace(/"notice":"[^"]*",/, '"notice":"SIMULATED",'),
      text.replace('"pool":"0"', '"pool":"00"'),
      text.replace('"pool":"0"', '"pool":0'),
      text.replace(/"fresh_signature":"[^"]*"/, '"fresh_signature":"0x"'),
      text.replace('"logit_bias":[]', '"logit_bias":[[1,2E0],[1,2E0]]'),
      text.replace('"activations":"f32"', '"activations":"f64"'),
    ];
    for (const form of forms) {
      expect(form).not.toBe(text);
      expect(() => parseReceipt(form)).toThrow(
        expect.objectContaining({ code: "receipt_malformed" }),
      );
    }
  });

  it("writes fractions with an exponent", () => {
    expect(floatText(0)).toBe("0E0");
    expect(floatText(-0)).toBe("-0E0");
    expect(floatText(1)).toBe("1E0");
    expect(floatText(Math.fround(0.7))).toBe("6.99999988079071E-1");
    expect(floatText(-100)).toBe("-1E2");
  });

  it("is held against every word of the expectation", async () => {
    const { peers } = expectation;
    const entry = "entry: signature over the receipt";
    expect(await failing(receipt, { layerCount: 7 })).toEqual([
      "route: every layer once, in order",
    ]);
    expect(await failing(receipt, { request: utf8("{}") })).toEqual(["request: its hash"]);
    expect(await failing(receipt, { answer: utf8("") })).toEqual(["answer: its hash"]);
    expect(await failing(receipt, { peers: { ...peers, chainId: 1n } })).toContain(entry);
    expect(await failing(receipt, { peers: { ...peers, pool: 1n } })).toContain(entry);
    const modelRoot = flip(peers.modelRoot);
    expect(await failing(receipt, { peers: { ...peers, modelRoot } })).toContain(entry);
    expect(await failing(receipt, { collateral: undefined })).toHaveLength(6);
  });

  it("is signed word by word", { timeout: longMs }, async () => {
    const entry = "entry: signature over the receipt";
    const changes: Partial<Receipt>[] = [
      { requestHash: flip(receipt.requestHash) },
      { answerHash: flip(receipt.answerHash) },
      { request: flip(receipt.request) },
      { finishedAt: receipt.finishedAt + 1 },
      { promptTokens: receipt.promptTokens + 1 },
      { cachedTokens: receipt.cachedTokens + 1 },
      { completionTokens: receipt.completionTokens + 1 },
      { signature: flip(receipt.signature) },
      { payment: { ...receipt.payment, voucher: flip(receipt.payment.voucher) } },
      { payment: { ...receipt.payment, query: 1n } },
      { payment: { ...receipt.payment, promptPrice: 1n } },
      { payment: { ...receipt.payment, completionPrice: 1n } },
      { payment: { ...receipt.payment, charged: 1n } },
      { opening: { ...receipt.opening, salt: flip(receipt.opening.salt) } },
      { opening: { ...receipt.opening, prompt: receipt.opening.prompt.with(0, 9999) } },
      { opening: { ...receipt.opening, answer: receipt.opening.answer.with(0, 9999) } },
    ];
    for (const change of changes) {
      expect(await failing({ ...receipt, ...change }), Object.keys(change)[0]).toContain(entry);
    }
  });

  it("names what a changed stage breaks", { timeout: longMs }, async () => {
    const layers = "layers \\d+ to \\d+";
    const cases: [Receipt, RegExp][] = [
      [
        withStage(1, (s) => ({ signature: flip(s.signature) })),
        new RegExp(`signature of ${layers}`),
      ],
      [
        withStage(1, (s) => ({ quote: flipped(s.quote, 60, 0) })),
        new RegExp(`evidence of ${layers}`),
      ],
      [
        withStage(1, (s) => ({ output: new Trace(s.output.begin, flip(s.output.leaves)) })),
        new RegExp(`rows that left ${layers}`),
      ],
      [withStage(1, (s) => ({ record: { ...s.record, epoch: s.record.epoch + 1 } })), /hand-over/],
      [
        withStage(1, (s) => ({ record: { ...s.record, shardRoot: flip(s.record.shardRoot) } })),
        new RegExp(`evidence of ${layers}`),
      ],
      [
        withStage(2, (s) => ({ output: new Trace(s.output.begin, flip(s.output.leaves)) })),
        /tokens|opening/,
      ],
      [withStage(1, () => ({ freshQuote: undefined })), new RegExp(`fresh quote of ${layers}`)],
      [
        withStage(1, () => ({ freshQuote: { error: "overloaded" } })),
        /entry: signature over the fresh quotes/,
      ],
      [
        withStage(1, (s) => ({ freshQuote: { quote: s.quote } })),
        new RegExp(`fresh quote of ${layers}`),
      ],
      [{ ...receipt, freshSignature: undefined }, /entry: signature over the fresh quotes/],
      [{ ...receipt, stages: receipt.stages.toReversed() }, /route/],
      [{ ...receipt, stages: receipt.stages.slice(0, 2) }, /route/],
      [{ ...receipt, stages: [] }, /route/],
      [{ ...receipt, simulated: false }, /notice/],
      [
        { ...receipt, input: new Trace(receipt.input.begin, flip(receipt.input.leaves)) },
        /hand-over/,
      ],
    ];
    for (const [changed, what] of cases) {
      const failed = await failing(changed);
      expect(
        failed.some((one) => what.test(one)),
        `${what}: ${failed.join("; ")}`,
      ).toBe(true);
    }
  });

  it("costs what its tokens come to, at most", async () => {
    const { promptTokens, cachedTokens, completionTokens } = receipt;
    const voucher = flip(receipt.payment.voucher);
    const priced = { ...receipt.payment, voucher, promptPrice: 2n, completionPrice: 3n };
    const sum = 2n * BigInt(promptTokens - cachedTokens) + 3n * BigInt(completionTokens);
    const what = "payment: no more than what the tokens come to";
    const failingWith = (payment: Partial<Receipt["payment"]>) =>
      failing({ ...receipt, payment: { ...priced, ...payment } });
    expect(await failingWith({ charged: sum })).not.toContain(what);
    expect(await failingWith({ charged: sum + 1n })).toContain(what);
    expect(await failingWith({ voucher: new Uint8Array(32) })).toContain(what);
    expect(await failingWith({ query: 1n })).toContain(what);
  });

  // A bit of each four hundredth byte or so: malformed, or rejected.
  it("is never accepted with a bit flipped", { timeout: longMs }, async () => {
    const random = randomOf(5);
    for (let at = 0; at < network.receipt.length; at += 1 + random(800)) {
      const changed = flipped(network.receipt, at, random(8));
      const accepted = (async () => {
        const report = await checkReceipt(parseReceipt(changed), expectation);
        return report.accepted;
      })().catch(() => false);
      expect(await accepted, `byte ${at}`).toBe(false);
    }
  });
});

describe("receipt of a paid answer", () => {
  const paid = parseReceipt(readVector("paid/receipt.json"));
  const paidPolicy = readVector("paid/policy.json");
  const peers = {
    ...expectationOf({ ...network, policy: paidPolicy }),
    chainId: paid.chainId,
    contract: paid.contract,
    pool: 1n,
  };

  async function checkPaid(changed: Receipt): Promise<string[]> {
    const policy = parsePolicy(paidPolicy);
    const { finishedAt } = changed;
    const parsed = parseCollateral(readVector("paid/collateral.json"));
    const verified = await verifyCollateral(parsed, policy.roots, finishedAt);
    const report = await checkReceipt(changed, {
      peers,
      policy,
      layerCount: terms.layerCount,
      collateral: new Map([[platformOfCollateral(verified), verified]]),
      request: readVector("paid/request.json"),
      answer: readVector("paid/answer.txt"),
    });
    return report.checks.flatMap(({ what, error }) => (error === undefined ? [] : [what]));
  }

  it("is accepted, and anchored", async () => {
    expect(await checkPaid(paid)).toEqual([]);
    expect(paid.payment.charged).toBe(90n);
    expect(encodeReceipt(paid)).toBe(fromUtf8(readVector("paid/receipt.json")).trimEnd());
    expect(paid.opening.sampling.logitBias).toEqual([{ token: 5, bias: -1.5 }]);
    const anchor = parseReceiptAnchor(readVector("paid/anchor.json"));
    expect(ensureAnchored(receiptDigest(paid), anchor, peers).entryNode).toBe(2n);
  });

  it("charges no more than it says", async () => {
    const charged = paid.payment.charged + 1n;
    const changed = { ...paid, payment: { ...paid.payment, charged } };
    expect(await checkPaid(changed)).toEqual([
      "entry: signature over the receipt",
      "payment: no more than what the tokens come to",
    ]);
  });
});

describe("signatures", () => {
  const digest = receiptDigest(receipt);

  it("have one form", async () => {
    const address = await recoverAddress(digest, receipt.signature);
    expect(toHex(address)).toBe(toHex(entryAddress()));
    const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
    const { signature } = receipt;
    const s = BigInt(`0x${toHex(signature.subarray(32, 64))}`);
    const high = signature.slice();
    const digits = (order - s).toString(16).padStart(64, "0");
    for (let i = 0; i < 32; i++) high[32 + i] = parseInt(digits.slice(2 * i, 2 * i + 2), 16);
    high[64] = 27 + 28 - high[64]!;
    const invalid = [
      high,
      signature.subarray(1),
      withByte(signature, 64, 0),
      withByte(signature, 64, 29),
    ];
    const zeroR = signature.slice();
    zeroR.fill(0, 0, 32);
    const largeR = signature.slice();
    largeR.fill(0xff, 0, 32);
    for (const other of [...invalid, zeroR, largeR]) {
      await expect(recoverAddress(digest, other)).rejects.toMatchObject({
        code: "signature_invalid",
      });
    }
  });
});

function withByte(bytes: Uint8Array, at: number, value: number): Uint8Array {
  const out = bytes.slice();
  out[at] = value;
  return out;
}

function entryAddress(): Uint8Array {
  return receipt.stages[0]!.statement.slice(-36, -16);
}

describe("anchor", () => {
  const digest = receiptDigest(receipt);
  const others = [1, 2, 3, 4].map((byte) => merkleLeaf("teetee receipt v1", [Uint8Array.of(byte)]));
  const leaf = merkleLeaf("teetee receipt v1", [digest]);
  const leaves = [...others, leaf];
  const pairs = merkleRoot(leaves.slice(0, 4));
  const hex = (bytes: Uint8Array) => `0x${toHex(bytes)}`;
  const answer = {
    state: "settled",
    chain_id: "31337",
    contract: hex(new Uint8Array(20)),
    receipt: hex(digest),
    entry_node: "1",
    receipts_root: hex(merkleRoot(leaves)),
    proof: { index: 4, count: 5, siblings: [hex(pairs)] },
  };
  const network31337 = { chainId: 31337n, contract: new Uint8Array(20) };
  const check = (changes: object) =>
    ensureAnchored(
      digest,
      parseReceiptAnchor(JSON.stringify({ ...answer, ...changes })),
      network31337,
    );

  it("leads from the receipt to the root", () => {
    check({});
    const { proof } = answer;
    for (const changes of [
      { receipt: hex(flip(digest)) },
      { receipts_root: hex(flip(merkleRoot(leaves))) },
      { chain_id: "1" },
      { contract: hex(new Uint8Array(20).fill(1)) },
      { proof: { ...proof, index: 3 } },
      { proof: { ...proof, index: 5 } },
      { proof: { ...proof, count: 4 } },
      { proof: { ...proof, siblings: [] } },
      { proof: { ...proof, siblings: [hex(pairs), hex(pairs)] } },
      { proof: { ...proof, siblings: [hex(flip(pairs))] } },
    ]) {
      expect(() => check(changes), JSON.stringify(changes)).toThrow(
        expect.objectContaining({ code: "receipt_rejected" }),
      );
    }
  });

  it("is settled, or says what it is", () => {
    for (const state of ["unsettled", "settling", "given_up"]) {
      expect(() => check({ state })).toThrow(expect.objectContaining({ code: "not_ready" }));
      const bare = { ...answer, state, entry_node: undefined, receipts_root: undefined };
      expect(parseReceiptAnchor(JSON.stringify(bare))).toMatchObject({ state, place: undefined });
      expect(parseReceiptAnchor(JSON.stringify({ ...answer, state })).place?.entryNode).toBe(1n);
    }
    const { proof } = answer;
    for (const changes of [
      { state: 1 },
      { state: "charged" },
      { proof: [] },
      { proof: { ...proof, index: -1 } },
      { proof: { ...proof, siblings: ["0x12"] } },
      { proof: { ...proof, siblings: Array(65).fill(hex(pairs)) } },
      { chain_id: 1 },
      { receipt: "0x" },
      { receipts_root: undefined },
    ]) {
      expect(() => check(changes), JSON.stringify(changes)).toThrow(
        expect.objectContaining({ code: "invalid_json" }),
      );
    }
  });

  it("has a proof for each leaf of trees of any size", () => {
    const row = leaves.slice(0, 3);
    const root = merkleRoot(row);
    const proof = (index: bigint, siblings: Uint8Array[]) => ({ index, count: 3n, siblings });
    const both = merkleRoot(row.slice(0, 2));
    expect(merkleProofRoot(row[0]!, proof(0n, [row[1]!, row[2]!]))).toEqual(root);
    expect(merkleProofRoot(row[1]!, proof(1n, [row[0]!, row[2]!]))).toEqual(root);
    expect(merkleProofRoot(row[2]!, proof(2n, [both]))).toEqual(root);
    expect(merkleProofRoot(row[0]!, { index: 0n, count: 1n, siblings: [] })).toEqual(row[0]);
  });
});
