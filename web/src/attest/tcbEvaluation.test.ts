// SPDX-License-Identifier: Apache-2.0
// Levels, modules and statuses, on a platform of the development PKI that is right until a test
// changes it.
import { describe, expect, it } from "vitest";
import { collateralOf, routeOf } from "../../tests/network";
import { readNetwork } from "../../tests/readVectors";
import { chainMeasurement, chainMeasurementOf } from "./chainMeasurement";
import { checkPolicy, type Policy } from "./policy";
import { parsePolicy } from "./policyJson";
import type { QeIdentity } from "./qeIdentity";
import type { TdReport } from "./quote";
import { evaluateTcb, type TcbEvaluation } from "./tcbEvaluation";
import type { IsvLevel, LevelJudgement, TcbInfo, TcbLevel } from "./tcbInfo";
import { converge, everyTcbStatus, type TcbStatus } from "./tcbStatus";
import { verifyQuote, type VerifiedQuote } from "./verify";

const network = readNetwork();
const collateral = await collateralOf(network);
const { roots } = parsePolicy(network.policy);
const [, node] = routeOf(network).nodes;
const quote = await verifyQuote(node!.quote, collateral, roots, network.time);
const report = tdReportOf(quote);
const { tcbInfo, qeIdentity } = collateral;

function tdReportOf(one: VerifiedQuote): TdReport {
  if (one.report.tee !== "TDX") throw new Error("not of a TD");
  return one.report;
}

function judged(status: TcbStatus, day = 100, advisories: string[] = []): LevelJudgement {
  return { status, date: day * 86400, advisories };
}

function isvLevel(isvsvn: number, status: TcbStatus, day = 100): IsvLevel {
  return { isvsvn, judgement: judged(status, day) };
}

/** A level that needs so much of the PCE. */
function level(pcesvn: number, status: TcbStatus, day = 100, advisories: string[] = []): TcbLevel {
  return {
    sgxComponents: new Uint8Array(16),
    tdxComponents: new Uint8Array(16),
    pcesvn,
    judgement: judged(status, day, advisories),
  };
}

interface Changes {
  info?: Partial<TcbInfo>;
  identity?: Partial<QeIdentity>;
  report?: Partial<TdReport>;
  pcesvn?: number;
}

function evaluate({ info, identity, report: td, pcesvn }: Changes): TcbEvaluation {
  const platform = { ...quote.pck.platform, pcesvn: pcesvn ?? 10 };
  const subject = { report: { ...report, ...td }, qeReport: quote.qeReport, platform };
  return evaluateTcb(subject, { ...tcbInfo, ...info }, { ...qeIdentity, ...identity });
}

function module(id: string, ...levels: IsvLevel[]) {
  const { moduleMrsigner: mrsigner } = tcbInfo;
  return { id, mrsigner, attributes: 0n, levels };
}

function teeTcbSvn(...first: number[]): Uint8Array {
  const svn = new Uint8Array(16);
  svn.set(first);
  return svn;
}

describe("TCB evaluation", () => {
  it("takes the highest level that is reached", () => {
    const levels = [level(13, "UpToDate", 200, ["A"]), level(5, "OutOfDate", 50, ["B", "A"])];
    expect(evaluate({ info: { levels }, pcesvn: 13 })).toMatchObject({
      status: "UpToDate",
      advisories: ["A"],
      shortfalls: [],
      outOfDateSince: undefined,
    });
    expect(evaluate({ info: { levels }, pcesvn: 12 })).toMatchObject({
      status: "OutOfDate",
      advisories: ["A", "B"],
      shortfalls: [{ component: "pcesvn", have: 12, need: 13 }],
      outOfDateSince: 200 * 86400,
    });
    expect(() => evaluate({ info: { levels }, pcesvn: 4 })).toThrow(
      expect.objectContaining({ code: "tcb_level_missing" }),
    );
  });

  it.each([
    ["collateral_mismatch", { info: { tee: "SGX" as const } }],
    ["collateral_mismatch", { identity: { tee: "SGX" as const } }],
    ["collateral_mismatch", { info: { fmspc: Uint8Array.of(9, 9, 9, 9, 9, 9) } }],
    ["collateral_mismatch", { info: { pceid: Uint8Array.of(9, 9) } }],
    ["qe_identity_mismatch", { identity: { miscselect: 1, miscselectMask: 1 } }],
    ["qe_identity_mismatch", { identity: { attributes: new Uint8Array(16).fill(0xff) } }],
    ["qe_identity_mismatch", { identity: { mrsigner: new Uint8Array(32) } }],
    ["qe_identity_mismatch", { identity: { isvprodid: 77 } }],
    ["tcb_level_missing", { identity: { levels: [isvLevel(0xffff, "UpToDate")] } }],
    ["tdx_module_mismatch", { report: { mrsignerseam: new Uint8Array(48).fill(1) } }],
    ["tdx_module_mismatch", { report: { seamattributes: 1n } }],
    ["tdx_module_mismatch", { report: { teeTcbSvn: teeTcbSvn(1, 9) } }],
  ])("refuses with %s", (code, changes) => {
    expect(() => evaluate(changes)).toThrow(expect.objectContaining({ code }));
  });

  it("judges modules by their own levels from version 1 on", () => {
    const levels = [level(0, "UpToDate")];
    const identity = module("TDX_01", isvLevel(5, "UpToDate", 300), isvLevel(2, "OutOfDate", 10));
    const info = { levels, moduleIdentities: [identity] };
    const at = (isvsvn: number) => evaluate({ info, report: { teeTcbSvn: teeTcbSvn(isvsvn, 1) } });
    expect(at(5)).toMatchObject({ status: "UpToDate", moduleStatus: "UpToDate" });
    expect(at(4)).toMatchObject({
      status: "OutOfDate",
      moduleStatus: "OutOfDate",
      shortfalls: [{ component: "TDX module TDX_01 isvsvn", have: 4, need: 5 }],
      outOfDateSince: 300 * 86400,
    });
    expect(() => at(1)).toThrow(expect.objectContaining({ code: "tcb_level_missing" }));
  });

  it("advises a relaunch where only the TD's module is old", () => {
    const levels = [level(0, "UpToDate")];
    const identity = module("TDX_01", isvLevel(5, "UpToDate"), isvLevel(2, "OutOfDate"));
    const info = { levels, moduleIdentities: [identity] };
    const running = (isvsvn: number, info15 = info) =>
      evaluate({
        info: info15,
        report: {
          teeTcbSvn: teeTcbSvn(2, 1),
          since15: { teeTcbSvn2: teeTcbSvn(isvsvn, 1), mrservicetd: new Uint8Array(48) },
        },
      }).status;
    expect(running(5)).toBe("TDRelaunchAdvised");
    expect(running(4)).toBe("OutOfDate");
    const needing = { ...info, levels: [level(0, "ConfigurationNeeded")] };
    expect(running(5, needing)).toBe("TDRelaunchAdvisedConfigurationNeeded");
    const outdated = { ...info, levels: [level(0, "OutOfDate")] };
    expect(running(5, outdated)).toBe("OutOfDate");
  });

  it("makes one status of all", () => {
    const table: Record<string, string> = {
      UpToDate: "OutOfDate",
      SWHardeningNeeded: "OutOfDate",
      ConfigurationNeeded: "OutOfDateConfigurationNeeded",
      ConfigurationAndSWHardeningNeeded: "OutOfDateConfigurationNeeded",
    };
    for (const status of everyTcbStatus) {
      expect(converge(status, "UpToDate")).toBe(status);
      expect(converge(status, "Revoked")).toBe("Revoked");
      expect(converge(status, "OutOfDate")).toBe(table[status] ?? status);
    }
  });
});

describe("policy on a status", () => {
  const base: Policy = { ...parsePolicy(network.policy), requireCollateral: true };
  const check = (changes: Partial<TcbEvaluation>, policy: Partial<Policy>, day = 100) => {
    const tcb = { ...quote.tcb!, ...changes };
    checkPolicy({ ...quote, tcb }, { ...base, ...policy }, day * 86400);
  };
  const code = (value: string) => expect.objectContaining({ code: value });

  it("gives an outdated platform its days", () => {
    const outdated: Partial<TcbEvaluation> = {
      status: "OutOfDate",
      platformStatus: "OutOfDate",
      outOfDateSince: 100 * 86400,
    };
    expect(() => check(outdated, {}, 101)).toThrow(code("tcb_status_rejected"));
    check(outdated, { graceDays: 30 }, 130);
    expect(() => check(outdated, { graceDays: 30 }, 131)).toThrow(code("tcb_status_rejected"));
    const hidden: Partial<TcbEvaluation> = { ...outdated, platformStatus: "SWHardeningNeeded" };
    expect(() => check(hidden, { graceDays: 30 })).toThrow(code("tcb_status_rejected"));
    const unknown = { ...outdated, outOfDateSince: undefined };
    expect(() => check(unknown, { graceDays: 30 })).toThrow(code("tcb_status_rejected"));
  });

  it("never takes what is revoked", () => {
    const revoked: Partial<TcbEvaluation> = { status: "Revoked", platformStatus: "Revoked" };
    const all = { acceptedStatuses: everyTcbStatus, graceDays: 366 };
    expect(() => check(revoked, all)).toThrow(code("tcb_status_rejected"));
  });

  it("looks at advisories where there is a list", () => {
    const advised = { advisories: ["INTEL-SA-00001"] };
    check(advised, {});
    check(advised, { acceptedAdvisories: ["INTEL-SA-00001"] });
    expect(() => check(advised, { acceptedAdvisories: [] })).toThrow(code("advisory_rejected"));
  });

  it.each([
    [{ tdattributes: report.tdattributes | 1n }],
    [{ tdattributes: report.tdattributes | 2n }],
    [{ tdattributes: 0n }],
    [{ tdattributes: report.tdattributes | (1n << 29n) }],
    [{ seamattributes: 1n }],
    [{ mrsignerseam: new Uint8Array(48).fill(1) }],
    [{ since15: { teeTcbSvn2: teeTcbSvn(), mrservicetd: new Uint8Array(48).fill(1) } }],
  ])("refuses attributes that let the host in", (changes) => {
    const changed = { ...quote, report: { ...report, ...changes } };
    expect(() => checkPolicy(changed, base, network.time)).toThrow(code("attributes_rejected"));
  });

  it("knows the quoting enclave where there is no collateral", () => {
    const lax = { ...base, requireCollateral: false };
    const without = { ...quote, tcb: undefined };
    checkPolicy(without, lax, network.time);
    const { qeReport } = quote;
    for (const changes of [
      { mrsigner: new Uint8Array(32) },
      { isvprodid: 3 },
      { attributes: new Uint8Array(16).fill(2) },
    ]) {
      const changed = { ...without, qeReport: { ...qeReport, ...changes } };
      expect(() => checkPolicy(changed, lax, network.time)).toThrow(code("qe_report_invalid"));
    }
    const real = { ...without, simulated: false };
    expect(() => checkPolicy(real, lax, network.time)).toThrow(code("collateral_missing"));
  });
});

describe("measurement for contracts", () => {
  it("is the same of a report and of the policy's entry", () => {
    const [entry] = parsePolicy(network.policy).measurements;
    const { mrtd, mrconfigid, rtmr, tdattributes } = report;
    const [rtmr0, rtmr1, rtmr2, rtmr3] = rtmr;
    const named = { mrtd, mrconfigid, rtmr0: rtmr0!, rtmr1: rtmr1!, rtmr2: rtmr2!, rtmr3: rtmr3! };
    expect(chainMeasurementOf(named, tdattributes)).toEqual(chainMeasurement(report));
    expect(Object.keys(entry!).length).toBeGreaterThan(0);
    expect(() => chainMeasurementOf({ mrtd }, tdattributes)).toThrow("rtmr0, rtmr1, rtmr2");
  });
});
