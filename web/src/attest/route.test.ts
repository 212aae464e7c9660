// SPDX-License-Identifier: Apache-2.0
// A whole network's evidence, as an entry of a development TEE gave it.
import { describe, expect, it } from "vitest";
import { flipped, randomOf } from "../../tests/mutations";
import { collateralOf, routeOf, termsOf } from "../../tests/network";
import { readNetwork, replaced } from "../../tests/readVectors";
import { fromHex, toHex, utf8 } from "../base/bytes";
import { expiresAt, issuedAt, verifyCollateral } from "./collateral";
import { parseCollateral } from "./collateralJson";
import { intelRoots } from "./pck";
import { evidenceCheckNames, verifyEvidence, type Evidence, type PeerExpectation } from "./peer";
import { platformOfCollateral, platformOfQuote, verifyCollateralList } from "./platform";
import { parsePolicy } from "./policyJson";
import { judgeRoute, parseAttestation, verifyRoute, type Terms } from "./route";
import { decodeStatement } from "./statement";

const longMs = 60_000;
const network = readNetwork();
const terms = await termsOf(network);
const route = routeOf(network);
const collateral = await collateralOf(network);
const { nonce, time } = network;

/** Of the node behind the entry, whose quote has no nonce. */
const second: Evidence = route.nodes[1]!;

function verifySecond(
  evidence: Evidence,
  expectation: PeerExpectation = terms.expectation,
  now = time,
): Promise<unknown> {
  return verifyEvidence(evidence, expectation, terms.policy, now, collateral);
}

describe("route", () => {
  it("is accepted, with every check named", async () => {
    const report = await verifyRoute(route, terms, nonce, time);
    expect(report.nodes).toHaveLength(3);
    expect(report.simulated).toBe(true);
    expect(report.nodes.every(({ checks }) => checks.every((check) => check.passed))).toBe(true);
    const names = report.nodes[0]!.checks.map((check) => check.name);
    expect(names).toEqual(evidenceCheckNames);
    const statement = decodeStatement(route.nodes[0]!.statement);
    expect(report.entry.hpkeKey).toEqual(statement.hpkeKey);
    expect(report.entry.receiptAddress).toEqual(statement.receiptAddress);
  });

  it("needs the entry's quote to be of this call", async () => {
    const other = flipped(nonce, 0, 0);
    const report = await judgeRoute(route, terms, other, time);
    expect(report.error?.code).toBe("report_data_mismatch");
    expect(report.entry).toBeUndefined();
    expect(report.nodes[0]!.checks.at(-1)).toMatchObject({
      name: "report data",
      passed: false,
      code: "report_data_mismatch",
    });
  });

  it.each([
    ["the entry is missing", [1, 2]],
    ["the tail is missing", [0, 1]],
    ["the middle is missing", [0, 2]],
    ["nothing is there", []],
  ])("is refused where %s", async (_, places) => {
    const nodes = places.map((place) => route.nodes[place]!);
    const report = await judgeRoute({ ...route, nodes }, terms, nonce, time);
    expect(report.error?.code).toBe(places[0] === 1 ? "report_data_mismatch" : "shard_rejected");
    expect(report.entry).toBeUndefined();
  });

  it("may have replicas of a slot behind each other", async () => {
    const nodes = [0, 1, 1, 2].map((place) => route.nodes[place]!);
    expect((await judgeRoute({ ...route, nodes }, terms, nonce, time)).error).toBeUndefined();
  });

  it.each([
    ["no object", "[]", "invalid_json"],
    ["no nodes", "{}", "invalid_json"],
    ["nodes of another type", '{"nodes":{}}', "invalid_json"],
    ["a node without evidence", '{"nodes":[{"statement":"AA=="}]}', "evidence_missing"],
    ["a node of another type", '{"nodes":[1]}', "evidence_missing"],
    ["no base64", '{"nodes":[{"statement":"AA==","quote":"A"}]}', "invalid_argument"],
  ])("is refused with %s", (_, text, code) => {
    expect(() => parseAttestation(text)).toThrow(expect.objectContaining({ code }));
  });

  it("takes the entry's time only where it can be one", () => {
    const timeOf = (text: string) => parseAttestation(`{"nodes":[],"time":${text}}`).time;
    expect(timeOf("1800000000")).toBe(1800000000);
    for (const text of ["0", "-1", "1.5", '"1"', "1099511627776", "null"]) {
      expect(timeOf(text)).toBeUndefined();
    }
    expect(route.time).toBeDefined();
  });
});

describe("evidence", () => {
  it("is held against every word of the expectation", async () => {
    await verifySecond(second);
    const { expectation } = terms;
    const flip = (bytes: Uint8Array) => flipped(bytes, 0, 0);
    const changes: [string, PeerExpectation][] = [
      ["statement_mismatch", { ...expectation, chainId: 1n }],
      ["statement_mismatch", { ...expectation, contract: flip(expectation.contract) }],
      ["statement_mismatch", { ...expectation, pool: 1n }],
      ["statement_mismatch", { ...expectation, modelRoot: flip(expectation.modelRoot) }],
      ["statement_mismatch", { ...expectation, policyHash: flip(expectation.policyHash) }],
      ["shard_rejected", { ...expectation, shards: [] }],
      ["shard_rejected", { ...expectation, shards: expectation.shards.slice(0, 1) }],
    ];
    for (const [code, changed] of changes) {
      await expect(verifySecond(second, changed)).rejects.toMatchObject({ code });
    }
  });

  it("counts while its statement does", async () => {
    const { notBefore, notAfter } = decodeStatement(second.statement);
    for (const now of [notBefore - 121, notAfter + 121]) {
      const judged = verifyEvidence(second, terms.expectation, { ...terms.policy }, now, undefined);
      // Collateral is judged before the statement, so here there is none.
      await expect(judged).rejects.toMatchObject({ code: "collateral_missing" });
      const lax = { ...terms.policy, requireCollateral: false };
      await expect(
        verifyEvidence(second, terms.expectation, lax, now, undefined),
      ).rejects.toMatchObject({ code: "statement_expired" });
      const near = now < notBefore ? now + 1 : now - 1;
      await verifyEvidence(second, terms.expectation, lax, near, undefined);
    }
  });

  it("does not pass with a nonce that was not asked for", async () => {
    await expect(verifySecond({ ...second, nonce })).rejects.toMatchObject({
      code: "report_data_mismatch",
    });
  });

  it("of another node does not pass", async () => {
    const mixed = { statement: second.statement, quote: route.nodes[2]!.quote };
    await expect(verifySecond(mixed)).rejects.toMatchObject({ code: "report_data_mismatch" });
  });

  // A bit of each byte of the statement, and of each seventh of the quote.
  it("never passes with a bit flipped", { timeout: longMs }, async () => {
    const random = randomOf(3);
    for (let at = 0; at < second.statement.length; at++) {
      const statement = flipped(second.statement, at, random(8));
      await expect(verifySecond({ ...second, statement }), `byte ${at}`).rejects.toBeDefined();
    }
    for (let at = 0; at < second.quote.length; at += 1 + random(7)) {
      const quote = flipped(second.quote, at, random(8));
      await expect(verifySecond({ ...second, quote }), `byte ${at}`).rejects.toBeDefined();
    }
  });

  it("is cut off nowhere", async () => {
    for (let bytes = 0; bytes < second.quote.length; bytes += 97) {
      const quote = second.quote.subarray(0, bytes);
      await expect(verifySecond({ ...second, quote })).rejects.toBeDefined();
    }
    for (let bytes = 0; bytes < second.statement.length; bytes += 11) {
      const statement = second.statement.subarray(0, bytes);
      await expect(verifySecond({ ...second, statement })).rejects.toMatchObject({
        code: "statement_malformed",
      });
    }
  });

  it("may be padded, as platforms do", async () => {
    const padded = new Uint8Array(second.quote.length + 100);
    padded.set(second.quote);
    await verifySecond({ ...second, quote: padded });
  });
});

describe("policy", () => {
  const verifyWith = (changes: Partial<Terms["policy"]>, without = false) =>
    verifyEvidence(
      second,
      terms.expectation,
      { ...terms.policy, ...changes },
      time,
      without ? undefined : collateral,
    );

  it.each([
    ["simulated_rejected", { allowSimulated: false }],
    ["root_untrusted", { roots: intelRoots }],
    ["tcb_status_rejected", { acceptedStatuses: ["SWHardeningNeeded" as const] }],
    ["collateral_too_old", { tcbEvaluationNumberMin: 0xffffffff }],
    ["collateral_too_old", { collateralAgeSMax: 0 }],
    ["platform_rejected", { ppids: [new Uint8Array(16)] }],
    ["tdx_module_rejected", { mrseams: [Uint8Array.of(...Array(48).fill(1))] }],
    ["measurement_rejected", { measurements: [] }],
    ["measurement_rejected", { measurements: [{ mrtd: new Uint8Array(48) }] }],
  ])("refuses with %s", async (code, changes) => {
    const now = code === "collateral_too_old" ? time + 1 : time;
    const judged = verifyEvidence(
      second,
      terms.expectation,
      { ...terms.policy, ...changes },
      now,
      collateral,
    );
    await expect(judged).rejects.toMatchObject({ code });
  });

  it("lets simulated quotes do without collateral where it says so", async () => {
    await expect(verifyWith({}, true)).rejects.toMatchObject({ code: "collateral_missing" });
    await verifyWith({ requireCollateral: false }, true);
  });

  it.each([
    ["an unknown key", '{"roots"', '{"more":1,"roots"'],
    ["a key twice", '{"roots"', '{"grace_days":0,"grace_days":0,"roots"'],
    ["no roots", '"roots"', '"ppids"'],
    ["another type", '"allow_simulated":true', '"allow_simulated":1'],
    ["a measurement without registers", /"measurements":\[\{.*?\}/, '"measurements":[{}'],
    ["an empty list", '{"roots"', '{"ppids":[],"roots"'],
    ["too much grace", '{"roots"', '{"grace_days":400,"roots"'],
  ])("file is refused with %s", (_, from, to) => {
    const { roots, ...rest } = JSON.parse(new TextDecoder().decode(network.policy));
    const ordered = JSON.stringify({ roots, ...rest });
    parsePolicy(ordered);
    expect(() => parsePolicy(replaced(utf8(ordered), from, to))).toThrow(
      expect.objectContaining({ code: "policy_malformed" }),
    );
  });
});

describe("collateral", () => {
  it("is found by its platform", () => {
    expect(platformOfQuote(second.quote)).toBe(platformOfCollateral(collateral));
    expect(issuedAt(collateral)).toBeLessThanOrEqual(time);
    expect(expiresAt(collateral)).toBeGreaterThan(time);
  });

  it("counts from issue to next update", async () => {
    const parsed = parseCollateral(network.collateral);
    for (const now of [issuedAt(collateral) - 1, expiresAt(collateral) + 1]) {
      await expect(verifyCollateral(parsed, terms.policy.roots, now)).rejects.toMatchObject({
        code: "collateral_expired",
      });
    }
  });

  it("is of a root that is pinned", async () => {
    const parsed = parseCollateral(network.collateral);
    await expect(verifyCollateral(parsed, intelRoots, time)).rejects.toMatchObject({
      code: "root_untrusted",
    });
  });

  // Letters of hex may be of either case; all else is signed or has one form.
  it("never verifies with a bit flipped", { timeout: longMs }, async () => {
    const random = randomOf(4);
    for (let at = 0; at < network.collateral.length; at += 1 + random(60)) {
      const bit = random(8);
      const isLetter = /[a-fA-F]/.test(String.fromCharCode(network.collateral[at]!));
      if (isLetter && bit === 5) continue;
      const changed = flipped(network.collateral, at, bit);
      const verified = (async () => {
        const parsed = parseCollateral(changed);
        return verifyCollateral(parsed, terms.policy.roots, time);
      })();
      await expect(verified, `byte ${at} bit ${bit}`).rejects.toBeDefined();
    }
  });

  it("comes from an entry as a list, without what does not verify", async () => {
    const text = new TextDecoder().decode(network.collateral);
    const entry = (platform: string, one: string) =>
      `{"platform":"${platform}","collateral":${one}}`;
    const forged = text.replace(/UpToDate/, "Revoked ");
    const list = `{"object":"list","data":[${entry("a", forged)},${entry("b", text)}]}`;
    const { shelf, rejected } = await verifyCollateralList(list, terms.policy.roots, time);
    expect([...shelf.keys()]).toEqual([platformOfQuote(second.quote)]);
    expect(rejected.map(({ platform, error }) => [platform, error.code])).toEqual([
      ["a", "collateral_signature_invalid"],
    ]);
  });

  it("revokes by serial", async () => {
    const serial = toHex(fromHex("01"));
    const revoked = {
      ...collateral,
      pckCrl: { ...collateral.pckCrl, revoked: new Set([serial, await serialOfSecond()]) },
    };
    await expect(
      verifyEvidence(second, terms.expectation, terms.policy, time, revoked),
    ).rejects.toMatchObject({ code: "certificate_revoked" });
  });
});

async function serialOfSecond(): Promise<string> {
  const peer = await verifyEvidence(second, terms.expectation, terms.policy, time, collateral);
  return toHex(peer.quote.pck.serial);
}
