// SPDX-License-Identifier: Apache-2.0
// Of what a network of a development TEE answered, once (tests/vectors).
import { describe, expect, it } from "vitest";
import { readNetwork } from "../../tests/readVectors";
import { fromBase64, fromUtf8, utf8 } from "../base/bytes";
import { attestVerifier } from "./attestVerifier";
import { type RouteEvidence, RouteRejected } from "./routeVerifier";

const network = readNetwork();
const list = { object: "list", data: [{ platform: "it", collateral: jsonOf(network.collateral) }] };
const evidence: RouteEvidence = {
  attestation: network.attestation,
  nonce: network.nonce,
  manifest: network.manifest,
  policy: network.policy,
  collateral: utf8(JSON.stringify(list)),
  expectation: { deployment: undefined, pool: 0n, modelRoot: undefined, policyHash: undefined },
  now: network.time,
};

function jsonOf(bytes: Uint8Array): unknown {
  return JSON.parse(fromUtf8(bytes));
}

async function rejection(change: Partial<RouteEvidence>): Promise<unknown> {
  return attestVerifier.verifyRoute({ ...evidence, ...change }).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
}

describe("the verifier of a route", () => {
  it("tells what each node's evidence says", async () => {
    const route = await attestVerifier.verifyRoute(evidence);
    expect(route.isSimulated).toBe(true);
    expect(route.nodes[0].layers.begin).toBe(0);
    expect(route.nodes.at(-1)?.layers.end).toBe(route.layerCount);
    for (const node of route.nodes) {
      expect(node.tcbStatus).toBe("UpToDate");
      expect(node.measurement).toMatch(/^0x[0-9a-f]{64}$/);
      expect(node.checks.length).toBeGreaterThan(5);
      expect(node.checks.every((check) => check.passed)).toBe(true);
    }
  });

  it("rejects with every check of every node", async () => {
    const stale = await rejection({ nonce: new Uint8Array(32) });
    expect(stale).toBeInstanceOf(RouteRejected);
    expect(stale).toMatchObject({ code: "report_data_mismatch" });
    const { nodes } = stale as RouteRejected;
    expect(nodes[0]?.error?.code).toBe("report_data_mismatch");
    expect(nodes[0]?.checks.some((check) => !check.passed)).toBe(true);
    expect(nodes[1]?.error).toBeUndefined();
    expect(nodes[1]?.receiptKey).toMatch(/^0x[0-9a-fA-F]{40}$/);
  });

  it("holds nodes against what is expected, and lets nothing be left out", async () => {
    const other = `0x${"00".repeat(32)}` as const;
    const { expectation } = evidence;
    const deployment = { chainId: 1, contract: `0x${"c0".repeat(20)}` } as const;
    const cases: [Partial<RouteEvidence>, string][] = [
      [{ expectation: { ...expectation, modelRoot: other } }, "statement_mismatch"],
      [{ expectation: { ...expectation, policyHash: other } }, "statement_mismatch"],
      [{ expectation: { ...expectation, pool: 1n } }, "statement_mismatch"],
      [{ expectation: { ...expectation, deployment } }, "statement_mismatch"],
      [{ collateral: new Uint8Array(0) }, "collateral_missing"],
      [{ now: network.time + 2 * 86_400 }, "statement_expired"],
      [{ now: network.time + 60 * 86_400 }, "collateral_expired"],
      [{ manifest: utf8("{}") }, "manifest_malformed"],
      [{ policy: utf8("{}") }, "policy_malformed"],
      [{ attestation: utf8('{"nodes":[]}') }, "shard_rejected"],
      [{ attestation: utf8("[]") }, "invalid_json"],
    ];
    for (const [change, code] of cases) {
      const thrown = (await rejection(change)) as { code?: string } | undefined;
      expect([Object.keys(change)[0], thrown?.code]).toEqual([Object.keys(change)[0], code]);
    }
  });

  it("judges one node's registration by itself", async () => {
    const shown = jsonOf(network.attestation) as { nodes: { statement: string; quote: string }[] };
    const [, second] = shown.nodes;
    const statement = fromBase64(second?.statement ?? "");
    const quote = fromBase64(second?.quote ?? "");
    const { manifest, policy, collateral, expectation, now } = evidence;
    const about = { manifest, policy, collateral, expectation, now };
    const node = await attestVerifier.verifyNode({ statement, quote, ...about });
    const facts = attestVerifier.decodeStatement(statement);
    expect(node.receiptKey).toBe(facts.receiptAddress);
    const parsed = await attestVerifier.parseQuote(quote);
    expect(parsed.measurement).toBe(node.measurement);
    expect(parsed.reportData).toEqual(await attestVerifier.reportData(statement));
    const changed = statement.slice();
    changed[changed.length - 1] = 1;
    const rejected = attestVerifier.verifyNode({ statement: changed, quote, ...about });
    await expect(rejected).rejects.toBeInstanceOf(RouteRejected);
  });
});
