// SPDX-License-Identifier: Apache-2.0
// Steps 6 to 12 of Intel's verification ("Intel SGX and TDX DCAP Quote Verification", sections
// 4.1.2.4.15 to 17, and the relaunch check of its library); src/attest/tcb_evaluation.hpp. Pure.
import { equal, toHex } from "../base/bytes";
import { fail } from "../base/error";
import type { UnixSeconds } from "../base/time";
import type { PckPlatform } from "./pck";
import type { QeIdentity } from "./qeIdentity";
import type { QuoteReport, SgxReport, TdReport, TeeType } from "./quote";
import type { IsvLevel, LevelJudgement, TcbInfo, TcbLevel, TdxModuleIdentity } from "./tcbInfo";
import { converge, isOutOfDate, needsConfiguration, type TcbStatus } from "./tcbStatus";

/** One security version that keeps a platform from being up to date. */
export interface SvnShortfall {
  /** "pcesvn", "sgxtcbcomponents[2]", "tdxtcbcomponents[2]", "TDX module TDX_01 isvsvn", .. */
  component: string;
  have: number;
  need: number;
}

/** What of a quote is judged by Intel's documents. */
export interface TcbSubject {
  report: QuoteReport;
  qeReport: SgxReport;
  platform: PckPlatform;
}

/** Intel's judgement of a platform under one set of documents. */
export interface TcbEvaluation {
  /** All statuses below in one. */
  status: TcbStatus;
  platformStatus: TcbStatus;
  /** Undefined for SGX and for TDX modules of version 0, which have no levels of their own. */
  moduleStatus: TcbStatus | undefined;
  qeStatus: TcbStatus;
  /** Of platform, module and quoting enclave together; sorted, each once. */
  advisories: readonly string[];
  /** The day of the platform's level. */
  tcbDate: UnixSeconds;
  /** The lower one of TCB info and QE identity. */
  evaluationNumber: number;
  /**
   * When something that is out of date began to be so: the day of the first level that counts as
   * current. Undefined if all is current, or if nothing of a component is.
   */
  outOfDateSince: UnixSeconds | undefined;
  /** What lacks for the nearest levels that are up to date; empty where all is. */
  shortfalls: readonly SvnShortfall[];
}

// Places in TEE_TCB_SVN.
const moduleIsvsvnAt = 0;
const moduleVersionAt = 1;
const seamLoaderAt = 2;
const componentCount = 16;

/** "pcesvn have 11, need 13; ..", empty for none. */
export function describeShortfalls(shortfalls: readonly SvnShortfall[]): string {
  return shortfalls.map((one) => `${one.component} have ${one.have}, need ${one.need}`).join("; ");
}

function rejected(code: string, component: string, have: string, need: string): never {
  return fail(code, `${component}: have ${have}, need ${need}`);
}

function ensureDocumentsFit(
  tee: TeeType,
  platform: PckPlatform,
  info: TcbInfo,
  identity: QeIdentity,
): void {
  const code = "collateral_mismatch";
  if (info.tee !== tee) rejected(code, "TCB info", info.tee, tee);
  if (identity.tee !== tee) rejected(code, "QE identity", identity.tee, tee);
  const need = (bytes: Uint8Array) => `${toHex(bytes)} of the PCK certificate`;
  if (!equal(info.fmspc, platform.fmspc)) {
    rejected(code, "TCB info.fmspc", toHex(info.fmspc), need(platform.fmspc));
  }
  if (!equal(info.pceid, platform.pceid)) {
    rejected(code, "TCB info.pceId", toHex(info.pceid), need(platform.pceid));
  }
}

function ensureQuotingEnclave(report: SgxReport, identity: QeIdentity): void {
  const code = "qe_identity_mismatch";
  const miscselect = (report.miscselect & identity.miscselectMask) >>> 0;
  if (miscselect !== identity.miscselect) {
    const need = String(identity.miscselect);
    rejected(code, "QE miscselect under the mask", String(miscselect), need);
  }
  const attributes = report.attributes.map((byte, i) => byte & identity.attributesMask[i]!);
  if (!equal(attributes, identity.attributes)) {
    const need = toHex(identity.attributes);
    rejected(code, "QE attributes under the mask", toHex(attributes), need);
  }
  if (!equal(report.mrsigner, identity.mrsigner)) {
    rejected(code, "QE mrsigner", toHex(report.mrsigner), toHex(identity.mrsigner));
  }
  if (report.isvprodid !== identity.isvprodid) {
    rejected(code, "QE isvprodid", String(report.isvprodid), String(identity.isvprodid));
  }
}

/** The highest level that an isvsvn reaches. Levels are sorted. */
function findLevel(levels: readonly IsvLevel[], isvsvn: number, component: string): IsvLevel {
  const level = levels.find((one) => isvsvn >= one.isvsvn);
  if (level === undefined) {
    const need = `at least ${levels[levels.length - 1]?.isvsvn}`;
    rejected("tcb_level_missing", `${component} isvsvn`, String(isvsvn), need);
  }
  return level;
}

function findModule(info: TcbInfo, version: number): TdxModuleIdentity {
  const id = `TDX_${version.toString(16).toUpperCase().padStart(2, "0")}`;
  const identity = info.moduleIdentities.find((one) => one.id === id);
  if (identity === undefined) {
    const need = `one of the ${info.moduleIdentities.length} in the TCB info`;
    rejected("tdx_module_mismatch", "TDX module", id, need);
  }
  return identity;
}

function ensureModule(report: TdReport, mrsigner: Uint8Array, attributes: bigint): void {
  const code = "tdx_module_mismatch";
  if (!equal(report.mrsignerseam, mrsigner)) {
    rejected(code, "mrsignerseam", toHex(report.mrsignerseam), toHex(mrsigner));
  }
  if (report.seamattributes !== 0n || attributes !== 0n) {
    rejected(code, "seamattributes", String(report.seamattributes), "0, and 0 in the TCB info");
  }
}

/** Every byte from `first` on is at least what is needed. */
function reaches(have: Uint8Array, need: Uint8Array, first = 0): boolean {
  for (let i = first; i < componentCount; i++) {
    if (have[i]! < need[i]!) return false;
  }
  return true;
}

function reachesSgxPart(platform: PckPlatform, level: TcbLevel): boolean {
  return reaches(platform.tcbComponents, level.sgxComponents) && platform.pcesvn >= level.pcesvn;
}

/** From module version 1 on, the module's own levels stand for the first two components. */
function firstTdxComponent(report: TdReport): number {
  return report.teeTcbSvn[moduleVersionAt]! > 0 ? 2 : 0;
}

/** The levels that a platform reaches: by its SGX part alone, and by both parts. */
interface PlatformLevels {
  sgx: TcbLevel;
  both: TcbLevel;
}

function findLevels(
  platform: PckPlatform,
  td: TdReport | undefined,
  info: TcbInfo,
): PlatformLevels | undefined {
  let sgx: TcbLevel | undefined;
  for (const level of info.levels) {
    if (!reachesSgxPart(platform, level)) continue;
    sgx ??= level;
    if (td === undefined || reaches(td.teeTcbSvn, level.tdxComponents, firstTdxComponent(td))) {
      return { sgx, both: level };
    }
  }
  return undefined;
}

/** What lacks for a level, each SVN by name. */
function shortfallsTo(
  level: TcbLevel,
  platform: PckPlatform,
  td: TdReport | undefined,
): SvnShortfall[] {
  const out: SvnShortfall[] = [];
  const compare = (component: string, have: number, need: number) => {
    if (have < need) out.push({ component, have, need });
  };
  for (let i = 0; i < componentCount; i++) {
    compare(`sgxtcbcomponents[${i}]`, platform.tcbComponents[i]!, level.sgxComponents[i]!);
  }
  compare("pcesvn", platform.pcesvn, level.pcesvn);
  if (td === undefined) return out;
  for (let i = firstTdxComponent(td); i < componentCount; i++) {
    compare(`tdxtcbcomponents[${i}]`, td.teeTcbSvn[i]!, level.tdxComponents[i]!);
  }
  return out;
}

/** For the level with the fewest, of those with this status if one is asked for. */
function fewestShortfalls(
  info: TcbInfo,
  platform: PckPlatform,
  td: TdReport | undefined,
  status: TcbStatus | undefined,
): SvnShortfall[] {
  let fewest: SvnShortfall[] | undefined;
  for (const level of info.levels) {
    if (status !== undefined && level.judgement.status !== status) continue;
    const one = shortfallsTo(level, platform, td);
    if (fewest === undefined || one.length < fewest.length) fewest = one;
  }
  return fewest ?? [];
}

/** Collects what the levels of all components say. */
class Findings {
  readonly advisories = new Set<string>();
  readonly shortfalls: SvnShortfall[] = [];
  #since: UnixSeconds | undefined;
  #unknownSince = false;

  add(judgement: LevelJudgement, levels: readonly { judgement: LevelJudgement }[]): void {
    for (const advisory of judgement.advisories) this.advisories.add(advisory);
    if (!isOutOfDate(judgement.status)) return;
    let since: UnixSeconds | undefined;
    for (const { judgement: one } of levels) {
      if (isOutOfDate(one.status) || one.status === "Revoked") continue;
      since = since === undefined ? one.date : Math.min(since, one.date);
    }
    if (since === undefined) this.#unknownSince = true;
    else if (this.#since === undefined || since < this.#since) this.#since = since;
  }

  lacks(component: string, have: number, levels: readonly IsvLevel[]): void {
    // The lowest level that is up to date: levels are sorted, so the last one.
    const need = levels.findLast((one) => one.judgement.status === "UpToDate");
    if (need !== undefined && have < need.isvsvn) {
      this.shortfalls.push({ component: `${component} isvsvn`, have, need: need.isvsvn });
    }
  }

  get outOfDateSince(): UnixSeconds | undefined {
    return this.#unknownSince ? undefined : this.#since;
  }
}

/** Whether the module that runs now, beneath a TD that started under an older one, is the latest. */
function runsLatestModule(now: Uint8Array, info: TcbInfo): boolean {
  const latest = info.levels[0]!;
  const version = now[moduleVersionAt]!;
  const moduleNeed =
    version > 0
      ? findModule(info, version).levels[0]!.isvsvn
      : latest.tdxComponents[moduleIsvsvnAt]!;
  return (
    now[moduleIsvsvnAt]! >= moduleNeed && now[seamLoaderAt]! >= latest.tdxComponents[seamLoaderAt]!
  );
}

interface Statuses {
  together: TcbStatus;
  module: TcbStatus | undefined;
  qe: TcbStatus;
  sgx: TcbStatus;
}

/** An outdated module is the only fault, and it has been updated beneath the running TD. */
function afterRelaunchCheck(report: TdReport, info: TcbInfo, so: Statuses): TcbStatus {
  const moduleIsTheFault =
    isOutOfDate(so.together) &&
    so.module === "OutOfDate" &&
    !isOutOfDate(so.sgx) &&
    so.qe === "UpToDate";
  if (report.since15 === undefined || !moduleIsTheFault) return so.together;
  if (!runsLatestModule(report.since15.teeTcbSvn2, info)) return so.together;
  return needsConfiguration(so.sgx) || needsConfiguration(so.together)
    ? "TDRelaunchAdvisedConfigurationNeeded"
    : "TDRelaunchAdvised";
}

/** The module's signer, and from version 1 on its own levels and status. */
function evaluateModule(
  report: TdReport,
  info: TcbInfo,
  findings: Findings,
): TcbStatus | undefined {
  const version = report.teeTcbSvn[moduleVersionAt]!;
  if (version === 0) {
    ensureModule(report, info.moduleMrsigner, info.moduleAttributes);
    return undefined;
  }
  const identity = findModule(info, version);
  ensureModule(report, identity.mrsigner, identity.attributes);
  const component = `TDX module ${identity.id}`;
  const isvsvn = report.teeTcbSvn[moduleIsvsvnAt]!;
  const level = findLevel(identity.levels, isvsvn, component);
  findings.add(level.judgement, identity.levels);
  findings.lacks(component, isvsvn, identity.levels);
  return level.judgement.status;
}

/**
 * Documents of this TEE and platform, QE identity, TDX module identity, levels, one status.
 * Errors: `collateral_mismatch` (another TEE, FMSPC or PCEID), `qe_identity_mismatch`,
 * `tdx_module_mismatch`, `tcb_level_missing` (below every level).
 */
export function evaluateTcb(
  subject: TcbSubject,
  info: TcbInfo,
  identity: QeIdentity,
): TcbEvaluation {
  const { platform, qeReport } = subject;
  const td = subject.report.tee === "TDX" ? subject.report : undefined;
  ensureDocumentsFit(subject.report.tee, platform, info, identity);
  ensureQuotingEnclave(qeReport, identity);
  const qeLevel = findLevel(identity.levels, qeReport.isvsvn, "QE");
  const qe = qeLevel.judgement.status;
  const levels = findLevels(platform, td, info);
  if (levels === undefined) {
    const nearest = describeShortfalls(fewestShortfalls(info, platform, td, undefined));
    fail("tcb_level_missing", `platform: below every TCB level; for the nearest: ${nearest}`);
  }
  const findings = new Findings();
  const { status: platformStatus, date } = levels.both.judgement;
  findings.add(levels.both.judgement, info.levels);
  if (platformStatus !== "UpToDate") {
    findings.shortfalls.push(...fewestShortfalls(info, platform, td, "UpToDate"));
  }
  let together = platformStatus;
  let module: TcbStatus | undefined;
  if (td !== undefined) {
    module = evaluateModule(td, info, findings);
    together = converge(together, module ?? "UpToDate");
    const sgx = levels.sgx.judgement.status;
    together = afterRelaunchCheck(td, info, { together, module, qe, sgx });
  }
  findings.add(qeLevel.judgement, identity.levels);
  findings.lacks("QE", qeReport.isvsvn, identity.levels);
  return {
    status: converge(together, qe),
    platformStatus,
    moduleStatus: module,
    qeStatus: qe,
    advisories: [...findings.advisories].sort(),
    tcbDate: date,
    evaluationNumber: Math.min(info.head.evaluationNumber, identity.head.evaluationNumber),
    outOfDateSince: findings.outOfDateSince,
    shortfalls: findings.shortfalls,
  };
}
