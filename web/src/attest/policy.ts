// SPDX-License-Identifier: Apache-2.0
// What evidence is accepted, and whether some evidence is; src/attest/policy.hpp.
import { equal, isZero, toHex } from "../base/bytes";
import { TeeTeeError, fail } from "../base/error";
import { formatUtc, type UnixSeconds } from "../base/time";
import { step, type Checks } from "./check";
import type { VerifiedCollateral } from "./collateral";
import {
  intelRootFingerprint,
  sgxAttributeDebug,
  tdAttributeDebug,
  tdAttributeMigratable,
  tdAttributeSeptVeDisable,
  tdAttributesReservedTud,
  tdqeIsvprodid,
  tdqeMrsigner,
} from "./intel";
import type { TrustedRoots } from "./pck";
import type { SgxReport, TdReport } from "./quote";
import { describeShortfalls, type TcbEvaluation } from "./tcbEvaluation";
import type { TcbStatus } from "./tcbStatus";
import { verifyQuote, type VerifiedQuote } from "./verify";

/** The registers of a TD that an entry of a policy may name. */
export const registerNames = ["mrtd", "rtmr0", "rtmr1", "rtmr2", "rtmr3", "mrconfigid"] as const;
export type RegisterName = (typeof registerNames)[number];

/** One build that is accepted: every register that is named must be equal. At least one is named. */
export type AcceptedMeasurement = Partial<Record<RegisterName, Uint8Array>>;

export interface Policy {
  roots: TrustedRoots;
  /** Accept quotes that lead to another root than Intel's. Proves nothing about hardware. */
  allowSimulated: boolean;
  /** Accept TDs whose memory the host can read. */
  allowDebug: boolean;
  requireSeptVeDisable: boolean;
  /** Simulated quotes may do without collateral where this is off; others never. */
  requireCollateral: boolean;
  /** Not Revoked: that is never accepted. */
  acceptedStatuses: readonly TcbStatus[];
  /** For so many days an outdated platform counts as if it were up to date. */
  graceDays: number;
  /** If there is a list, security advisories beyond it are refused. */
  acceptedAdvisories: readonly string[] | undefined;
  /** Of the part of the collateral that was issued first. Undefined: until it expires. */
  collateralAgeSMax: number | undefined;
  tcbEvaluationNumberMin: number;
  /** Empty: all. */
  ppids: readonly Uint8Array[];
  /** Empty: all that Intel's TCB info accepts. */
  mrseams: readonly Uint8Array[];
  /** Empty: none may be bound. */
  mrservicetds: readonly Uint8Array[];
  measurements: readonly AcceptedMeasurement[];
}

const dayS = 24 * 3600;
const noRegister = new Uint8Array(48);

function refused(code: string, field: string, have: string, need: string): never {
  return fail(code, `${field}: have ${have}, need ${need}`);
}

function includes(list: readonly Uint8Array[], value: Uint8Array): boolean {
  return list.some((one) => equal(one, value));
}

/** The register of a report that a policy calls so. */
export function registerOf(report: TdReport, name: RegisterName): Uint8Array {
  switch (name) {
    case "mrtd":
      return report.mrtd;
    case "mrconfigid":
      return report.mrconfigid;
    default:
      return report.rtmr[Number(name.slice(-1))]!;
  }
}

/** The first register that differs. */
function differingRegister(report: TdReport, entry: AcceptedMeasurement): RegisterName | undefined {
  return registerNames.find((name) => {
    const need = entry[name];
    return need !== undefined && !equal(need, registerOf(report, name));
  });
}

/** Of several entries the error names the first: which one the node was meant to be, nobody knows. */
function ensureMeasurements(report: TdReport, { measurements }: Policy): void {
  const [first] = measurements;
  if (first === undefined) {
    refused("measurement_rejected", "measurements", "a policy without any", "at least one");
  }
  if (measurements.some((entry) => differingRegister(report, entry) === undefined)) return;
  const name = differingRegister(report, first)!;
  const others = measurements.length > 1 ? ` or another of ${measurements.length} entries` : "";
  const need = toHex(first[name]!) + others;
  refused("measurement_rejected", name, toHex(registerOf(report, name)), need);
}

function rejectAttributes(field: string, have: string, need: string): never {
  return refused("attributes_rejected", field, have, need);
}

function ensureServiceTd(report: TdReport, policy: Policy): void {
  const service = report.since15?.mrservicetd ?? noRegister;
  const bound = !isZero(service);
  if (bound && !includes(policy.mrservicetds, service)) {
    const need = policy.mrservicetds.length === 0 ? "zero" : "zero or one of the policy's list";
    rejectAttributes("mrservicetd", toHex(service), need);
  }
  if (!bound && (report.tdattributes & tdAttributeMigratable) !== 0n) {
    rejectAttributes("tdattributes", "MIGRATABLE on", "off, or an accepted service TD bound");
  }
}

function ensureAttributes(report: TdReport, policy: Policy): void {
  const { tdattributes } = report;
  if ((tdattributes & tdAttributeDebug) !== 0n && !policy.allowDebug) {
    rejectAttributes("tdattributes", "DEBUG on", "off");
  }
  if ((tdattributes & tdAttributesReservedTud) !== 0n) {
    rejectAttributes("tdattributes", "reserved TUD bits on", "off");
  }
  if (policy.requireSeptVeDisable && (tdattributes & tdAttributeSeptVeDisable) === 0n) {
    rejectAttributes("tdattributes", "SEPT_VE_DISABLE off", "on");
  }
  // Intel's own TDX module has both zero.
  if (report.seamattributes !== 0n) rejectAttributes("seamattributes", "bits on", "zero");
  if (!isZero(report.mrsignerseam)) {
    rejectAttributes("mrsignerseam", toHex(report.mrsignerseam), "zero");
  }
  ensureServiceTd(report, policy);
}

/** The same but for what is out of date. */
function withoutOutdatedPart(status: TcbStatus): TcbStatus {
  switch (status) {
    case "OutOfDate":
    case "TDRelaunchAdvised":
      return "UpToDate";
    case "OutOfDateConfigurationNeeded":
    case "TDRelaunchAdvisedConfigurationNeeded":
      return "ConfigurationNeeded";
    default:
      return status;
  }
}

/**
 * The platform's own status counts beside the common one, in which a component that is out of date
 * hides that software must be hardened.
 */
function isInGrace(tcb: TcbEvaluation, policy: Policy, now: UnixSeconds): boolean {
  return (
    tcb.status !== "Revoked" &&
    tcb.outOfDateSince !== undefined &&
    now <= tcb.outOfDateSince + policy.graceDays * dayS &&
    policy.acceptedStatuses.includes(withoutOutdatedPart(tcb.status)) &&
    policy.acceptedStatuses.includes(withoutOutdatedPart(tcb.platformStatus))
  );
}

function ensureStatus(tcb: TcbEvaluation, policy: Policy, now: UnixSeconds): void {
  const accepted = tcb.status !== "Revoked" && policy.acceptedStatuses.includes(tcb.status);
  if (accepted || isInGrace(tcb, policy, now)) return;
  let need = policy.acceptedStatuses.join(" or ");
  if (tcb.outOfDateSince !== undefined && policy.graceDays > 0) {
    const since = formatUtc(tcb.outOfDateSince).slice(0, 10);
    need += `, or out of date for at most ${policy.graceDays} days (it is since ${since})`;
  }
  if (tcb.shortfalls.length > 0) need += `; ${describeShortfalls(tcb.shortfalls)}`;
  refused("tcb_status_rejected", "TCB status", tcb.status, need);
}

function ensureTcb(
  tcb: TcbEvaluation,
  issued: UnixSeconds,
  policy: Policy,
  now: UnixSeconds,
): void {
  ensureStatus(tcb, policy, now);
  const { acceptedAdvisories, collateralAgeSMax, tcbEvaluationNumberMin } = policy;
  const foreign = tcb.advisories.find((one) => acceptedAdvisories?.includes(one) === false);
  if (foreign !== undefined) {
    refused("advisory_rejected", "advisories", foreign, "only those that the policy lists");
  }
  if (tcb.evaluationNumber < tcbEvaluationNumberMin) {
    const need = `at least ${tcbEvaluationNumberMin}`;
    const have = String(tcb.evaluationNumber);
    refused("collateral_too_old", "tcbEvaluationDataNumber", have, need);
  }
  const ageS = now - issued;
  if (collateralAgeSMax !== undefined && ageS > collateralAgeSMax) {
    const need = `at most ${collateralAgeSMax} s`;
    refused("collateral_too_old", "collateral", `an age of ${ageS} s`, need);
  }
}

/**
 * A host can have a PCK key vouch for an enclave of its own; only Intel's quoting enclave keeps the
 * attestation key to itself. With collateral the signed QE identity says what Intel's is.
 */
function ensureKnownQuotingEnclave(report: SgxReport): void {
  const reject = (field: string, have: string, need: string) =>
    refused("qe_report_invalid", field, have, need);
  if (!equal(report.mrsigner, tdqeMrsigner)) {
    reject("QE mrsigner", toHex(report.mrsigner), toHex(tdqeMrsigner));
  }
  if (report.isvprodid !== tdqeIsvprodid) {
    reject("QE isvprodid", String(report.isvprodid), String(tdqeIsvprodid));
  }
  if ((report.attributes[0]! & sgxAttributeDebug) !== 0) {
    reject("QE attributes", "DEBUG on", "off");
  }
}

function ensurePlatform(quote: VerifiedQuote, report: TdReport, policy: Policy): void {
  const { ppid } = quote.pck.platform;
  if (policy.ppids.length > 0 && !includes(policy.ppids, ppid)) {
    const need = `one of the ${policy.ppids.length} in the policy`;
    refused("platform_rejected", "ppid", toHex(ppid), need);
  }
  if (policy.mrseams.length > 0 && !includes(policy.mrseams, report.mrseam)) {
    const need = `one of the ${policy.mrseams.length} in the policy`;
    refused("tdx_module_rejected", "mrseam", toHex(report.mrseam), need);
  }
}

function missingCollateral(quote: VerifiedQuote, need: string): never {
  const platform = `${quote.report.tee} platforms of FMSPC ${toHex(quote.pck.platform.fmspc)}`;
  const have = `none for ${platform}, so that TCB status and revocation are unknown`;
  return refused("collateral_missing", "collateral", have, need);
}

function checkTcb(quote: VerifiedQuote, policy: Policy, now: UnixSeconds): string {
  if (quote.tcb !== undefined) {
    ensureTcb(quote.tcb, quote.collateralIssued, policy, now);
    return `${quote.tcb.status} is accepted, with ${quote.tcb.advisories.length} advisories`;
  }
  if (policy.requireCollateral || !quote.simulated) {
    missingCollateral(quote, "Intel's documents, from a service or a folder");
  }
  ensureKnownQuotingEnclave(quote.qeReport);
  return "NOT CHECKED: the policy lets simulated quotes do without";
}

function checkHardware(quote: VerifiedQuote, policy: Policy): TdReport {
  if (quote.simulated && !policy.allowSimulated) {
    const need = `Intel's ${intelRootFingerprint}`;
    refused("simulated_rejected", "root", quote.pck.rootFingerprint, need);
  }
  if (quote.report.tee !== "TDX") {
    return refused("attributes_rejected", "TEE", quote.report.tee, "TDX");
  }
  return quote.report;
}

/**
 * Whether a verified quote is acceptable; every refusal names field, have and need. Beside what the
 * policy says: a TD, reserved TUD bits, SEAMATTRIBUTES and MRSIGNERSEAM zero.
 * Errors: `simulated_rejected`, `collateral_missing`, `qe_report_invalid`, `tcb_status_rejected`,
 * `advisory_rejected`, `collateral_too_old`, `platform_rejected`, `tdx_module_rejected`,
 * `attributes_rejected`, `measurement_rejected`.
 */
export function checkPolicy(
  quote: VerifiedQuote,
  policy: Policy,
  now: UnixSeconds,
  checks?: Checks,
): void {
  const report = step(
    checks,
    "hardware",
    () => checkHardware(quote, policy),
    () => (quote.simulated ? "SIMULATED, as the policy allows" : "Intel's root"),
  );
  step(
    checks,
    "TCB policy",
    () => checkTcb(quote, policy, now),
    (finding) => finding,
  );
  step(
    checks,
    "platform and attributes",
    () => {
      ensurePlatform(quote, report, policy);
      ensureAttributes(report, policy);
    },
    () => "identity, TDX module and TD attributes are accepted",
  );
  step(
    checks,
    "measurements",
    () => ensureMeasurements(report, policy),
    () => "equal to an entry of the policy",
  );
}

/**
 * For those who look at evidence without trusting it: everything but Revoked is accepted, and what
 * has not been judged by collateral is not. Errors: `collateral_missing`, `tcb_status_rejected`.
 */
export function checkWithoutPolicy(quote: VerifiedQuote): void {
  if (quote.tcb === undefined) missingCollateral(quote, "Intel's documents, or a policy");
  if (quote.tcb.status === "Revoked") {
    refused("tcb_status_rejected", "TCB status", "Revoked", "any other");
  }
}

/**
 * What came of it all. With an error the quote is rejected; the quote is there as far as its
 * signatures and its TCB status could be verified.
 */
export interface Verdict {
  quote: VerifiedQuote | undefined;
  error: TeeTeeError | undefined;
  checks: Checks;
}

/** The whole way from bytes to a verdict; never throws for what is wrong with the evidence. */
export async function judgeQuote(
  bytes: Uint8Array,
  collateral: VerifiedCollateral | undefined,
  by: Policy | TrustedRoots,
  now: UnixSeconds,
): Promise<Verdict> {
  const verdict: Verdict = { quote: undefined, error: undefined, checks: [] };
  const policy = "measurements" in by ? by : undefined;
  const roots = "measurements" in by ? by.roots : by;
  try {
    verdict.quote = await verifyQuote(bytes, collateral, roots, now, verdict.checks);
    if (policy !== undefined) checkPolicy(verdict.quote, policy, now, verdict.checks);
    else checkWithoutPolicy(verdict.quote);
  } catch (thrown) {
    if (!(thrown instanceof TeeTeeError)) throw thrown;
    verdict.error = thrown;
  }
  return verdict;
}
