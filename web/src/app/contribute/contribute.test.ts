// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { TeeTeeError } from "../../base/error";
import { utf8 } from "../../base/bytes";
import { attestVerifier } from "../../client/attestVerifier";
import type { PoolView, SlotView } from "../pools/poolView";
import { adviceOn, problemOfNodeUrl } from "./advice";
import {
  type DeploymentForm,
  type DeploymentTarget,
  formErrors,
  makeDeployment,
  policyNames,
} from "./deployment";
import { emptyForm, parseForm } from "./formStore";
import { inspectNode, type NodeFindings, type NodeQuestion } from "./nodeChecks";
import { chosenOf, poolsToHost, worstServed } from "./slotChoice";
import { stagesOf } from "./stages";

const slotOf = (slot: number, live: number): SlotView => ({
  slot,
  layers: { begin: slot, end: slot + 1 },
  nodes: [],
  live,
});

function viewOf(pool: number, lives: readonly number[], more: Partial<PoolView> = {}): PoolView {
  return {
    key: `${pool}`,
    pool: BigInt(pool),
    name: undefined,
    modelRoot: `0x${"1".repeat(64)}`,
    policyHash: `0x${"2".repeat(64)}`,
    prices: { prompt: 1n, completion: 1n },
    slots: lives.map((live, slot) => slotOf(slot, live)),
    filled: lives.filter((live) => live > 0).length,
    layers: lives.length,
    throughput: undefined,
    trust: "unchecked",
    isOpen: true,
    isConnected: false,
    terms: undefined,
    check: undefined,
    ...more,
  };
}

describe("the slot that is proposed", () => {
  it("is the worst served one, of equals the one with the lowest layers", () => {
    expect(worstServed([slotOf(0, 2), slotOf(1, 1), slotOf(2, 1)])?.slot).toBe(1);
    expect(worstServed([])).toBeUndefined();
  });

  it("is of the connected entry's pool, then of the pool that lacks most", () => {
    const views = [
      viewOf(1, [1, 1]),
      viewOf(2, [0, 1]),
      viewOf(3, [3, 2], { isConnected: true }),
      viewOf(4, [0, 0], { isOpen: false }),
    ];
    expect(poolsToHost(views).map(({ key }) => key)).toEqual(["3", "2", "1"]);
    const chosen = chosenOf(views, { pool: null, slot: null });
    expect([chosen?.view.key, chosen?.slot.slot]).toEqual(["3", 1]);
  });

  it("is what the address names, if there is such a one", () => {
    const views = [viewOf(1, [1, 1]), viewOf(4, [2, 1], { isOpen: false })];
    const choose = (pool: string | null, slot: string | null) => {
      const chosen = chosenOf(views, { pool, slot });
      return [chosen?.view.key, chosen?.slot.slot];
    };
    expect(choose("1", "1")).toEqual(["1", 1]);
    expect(choose("1", "7")).toEqual(["1", 0]);
    // Closed, but there are nodes to renew.
    expect(choose("4", "0")).toEqual(["4", 0]);
    expect(choose("9", "1")).toEqual(["1", 0]);
    expect(chosenOf([], { pool: null, slot: null })).toBeUndefined();
  });
});

const digest = "a".repeat(64);
const form: DeploymentForm = {
  image: `registry.example/teetee@sha256:${digest}`,
  host: `0x${"ab".repeat(20)}`,
  gateway: "",
  advertise: "",
  shardFrom: "",
  isDev: false,
};
const target: DeploymentTarget = {
  rpcUrls: ["https://rpc.example"],
  contract: `0x${"cd".repeat(20)}`,
  chainId: 84532,
  fromBlock: 3n,
  pool: 1n,
  slot: 0,
  manifestFrom: "",
  policyFrom: "",
};
const expectedHash = "7b3a0c9f6ad7f10118c817b26ac28eb7505393691545804c29be7019f6270c51";

describe("the files of a node", () => {
  it("have the compose hash that teetee host comes to, and the register that shows it", async () => {
    const files = await makeDeployment(form, target);
    expect(files.composeHash).toBe(expectedHash);
    expect(files.mrconfigid).toBe(`01${expectedHash}${"0".repeat(30)}`);
    expect(files.env).toContain(`TEETEE_HOST=${form.host}\n`);
    expect(files.env).toContain("TEETEE_POOL=1\n");
    expect(files.statusUrl).toBeUndefined();
  });

  it("name the node's addresses by its app id where the gateway is known", async () => {
    const app = expectedHash.slice(0, 40);
    const files = await makeDeployment({ ...form, gateway: "gw.example" }, target);
    expect(files.statusUrl).toBe(`https://${app}-5001.gw.example`);
    expect(files.env).toContain(`TEETEE_ADVERTISE=tls://${app}-5010s.gw.example:443\n`);
    expect(files.env).toContain(`TEETEE_API_URL=https://${app}-5002.gw.example\n`);
    // Stages have no API, and an address of one's own goes before the gateway's.
    const stage = await makeDeployment(
      { ...form, gateway: "gw.example", advertise: "tls://me.example:5010" },
      { ...target, slot: 1 },
    );
    expect(stage.env).toContain("TEETEE_API_URL=\n");
    expect(stage.env).toContain("TEETEE_ADVERTISE=tls://me.example:5010\n");
    // What is measured is the same for all hosts and slots.
    expect(stage.composeHash).toBe(files.composeHash);
  });

  it("are refused field by field", () => {
    expect(formErrors(form)).toEqual({});
    const wrong = {
      ...form,
      image: "teetee:1",
      host: "0x12",
      gateway: "https://gw.example",
      advertise: "https://me:1",
      shardFrom: "ftp://x",
    };
    expect(Object.keys(formErrors(wrong)).sort()).toEqual(
      ["advertise", "gateway", "host", "image", "shardFrom"].sort(),
    );
    expect(formErrors(wrong).image).toContain("NAME@sha256:DIGEST");
  });

  it("are what the policy names, or not", () => {
    const mrconfigid = `01${expectedHash}${"0".repeat(30)}`;
    const policy = (...measurements: object[]) =>
      utf8(JSON.stringify({ roots: ["intel"], measurements }));
    expect(policyNames(policy({ mrconfigid }), mrconfigid)).toBe("named");
    expect(policyNames(policy({ mrtd: "0".repeat(96) }), mrconfigid)).toBe("any");
    expect(policyNames(policy({ mrconfigid: "1".repeat(96) }), mrconfigid)).toBe("other");
  });
});

describe("what to do", () => {
  const https = { protocol: "https:" };
  const http = { protocol: "http:" };

  it("is said of addresses that a page cannot ask", () => {
    expect(problemOfNodeUrl("https://node.example", https)).toBeUndefined();
    expect(problemOfNodeUrl(" http://127.0.0.1:5001/ ", http)).toBeUndefined();
    expect(problemOfNodeUrl("http://localhost:5001", https)).toBeUndefined();
    expect(problemOfNodeUrl("http://node.example:5001", https)).toContain("came by https");
    expect(problemOfNodeUrl("http://node.example:5001", http)).toContain("by https alone");
    expect(problemOfNodeUrl("tls://node.example:5010", http)).toContain("port 5001");
    expect(problemOfNodeUrl("node", http)).toContain("no URL");
  });

  it.each([
    ["statement_mismatch", "registration.host: have 0x1, need 0x2", "TEETEE_HOST"],
    ["statement_mismatch", "registration.pool: have 1, need 2", "TEETEE_POOL"],
    ["statement_mismatch", "registration.slot: have 1, need 2", "TEETEE_SLOT"],
    ["statement_mismatch", "statement.policy_hash: have a, need b", "policy file"],
    ["statement_mismatch", "something else", "as in the .env"],
    ["statement_expired", "", "out of date"],
    ["measurement_rejected", "", "measurement accept"],
    ["route_unknown", "", "TEETEE_HOST"],
    ["connect_failed", "", "new tab"],
    ["collateral_missing", "", "teetee host --deployed"],
    ["root_untrusted", "", "policy trusts"],
  ])("%s (%s)", (code, detail, advice) => {
    expect(adviceOn(new TeeTeeError(code, detail))).toContain(advice);
  });

  it("is left to errors that say it themselves", () => {
    expect(adviceOn(new TeeTeeError("call_reverted", "NotYours(..): switch"))).toBeUndefined();
  });
});

describe("a node that is no node", () => {
  const question = (text: string): NodeQuestion => ({
    source: { text },
    reader: { client: undefined as never, deployment: { chainId: 1, contract: "0x" } },
    wallet: `0x${"ab".repeat(20)}`,
    pool: 1n,
    slot: 0,
    manifest: new Uint8Array(0),
    policy: new Uint8Array(0),
    collateral: async () => new Uint8Array(0),
    verifier: attestVerifier,
    now: 0,
  });

  it.each(["", "<!doctype html>", "{}", '{"version":1}', "[1,2]", '{"version":2}'])(
    "is refused at the first step: %s",
    async (text) => {
      const told: NodeFindings[] = [];
      const { signal } = new AbortController();
      const found = await inspectNode(question(text), signal, (one) => told.push(one));
      expect(found.ready).toBeUndefined();
      expect(found.steps.map(({ state }) => state)).toEqual([
        "failed",
        ...Array<string>(6).fill("skipped"),
      ]);
      expect(found.steps[0]?.advice).toContain("port 5001");
      expect(told.length).toBeGreaterThan(1);
    },
  );

  it("ends when nobody looks any more", async () => {
    const controller = new AbortController();
    controller.abort();
    await expect(inspectNode(question("{}"), controller.signal, () => {})).rejects.toThrow(
      "cancelled",
    );
  });
});

describe("what a host has written", () => {
  it("is kept as it was, and what is of another form is left out", () => {
    const kept = { ...form, isDev: true, url: "https://node.example" };
    expect(parseForm(JSON.stringify(kept))).toEqual(kept);
    for (const text of [null, "", "[]", "null", '{"image":5}', '"x"', "{"]) {
      expect(parseForm(text)).toEqual(emptyForm);
    }
    expect(parseForm(JSON.stringify({ url: "x".repeat(3000) })).url).toBe("");
  });
});

describe("how far a host is", () => {
  const states = (standing: Parameters<typeof stagesOf>[0]) =>
    stagesOf(standing).map(({ state }) => state);
  const idle = { phase: "idle" } as const;

  it("goes from stage to stage", () => {
    const nothing = { isDescribed: false, hasFiles: false, findings: undefined };
    expect(states({ ...nothing, registering: idle })).toEqual([
      "done",
      "now",
      "later",
      "later",
      "later",
    ]);
    const written = { isDescribed: true, hasFiles: true, findings: undefined };
    expect(states({ ...written, registering: idle }).slice(1)).toEqual([
      "done",
      "now",
      "now",
      "later",
    ]);
    const findings: NodeFindings = {
      steps: [
        { id: "answer", state: "passed" },
        { id: "wallet", state: "failed" },
      ],
    };
    expect(states({ ...written, findings, registering: idle }).slice(2)).toEqual([
      "done",
      "failed",
      "later",
    ]);
    const declined = { phase: "failed", error: new TeeTeeError("cancelled", "") } as const;
    const ready = { steps: [], ready: {} as never };
    expect(states({ ...written, findings: ready, registering: declined })[4]).toBe("now");
  });
});
