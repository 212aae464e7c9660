// SPDX-License-Identifier: Apache-2.0
// Everything about a quote that does not depend on anybody's policy; src/attest/verify.hpp.
import { concat, equal, toHex } from "../base/bytes";
import { TeeTeeError, fail } from "../base/error";
import { formatUtc, type UnixSeconds } from "../base/time";
import { failedCheck, step, stepAsync, type Checks } from "./check";
import { ensureCollateralInDate, expiresAt, issuedAt, type VerifiedCollateral } from "./collateral";
import { lists } from "./crl";
import { sha256Sync } from "./hash";
import { intelRootFingerprint } from "./intel";
import { verifyP256 } from "./p256";
import {
  parsePckChain,
  verifyPckChain,
  type PckChain,
  type TrustedRoots,
  type VerifiedPck,
} from "./pck";
import {
  parseQuote,
  type Quote,
  type QuoteReport,
  type QuoteSignature,
  type SgxReport,
} from "./quote";
import { evaluateTcb, type TcbEvaluation } from "./tcbEvaluation";
import { displayName } from "./x509";

/** A quote whose signatures lead to a pinned root. Only verifyQuote makes one. */
export interface VerifiedQuote {
  report: QuoteReport;
  qeReport: SgxReport;
  pck: VerifiedPck;
  /** Under another root than Intel's: proves nothing about hardware. */
  simulated: boolean;
  /**
   * What Intel says of the platform. Undefined where there was no collateral: then nobody has asked
   * whether its certificates are revoked, its firmware outdated or its quoting enclave Intel's.
   */
  tcb: TcbEvaluation | undefined;
  /** When the oldest part of the collateral was issued; 0 without. */
  collateralIssued: UnixSeconds;
}

/** The PCK key signs the report, which holds SHA256(attestation key || auth data), zeros. */
async function verifyQeReport(signature: QuoteSignature, pckKey: Uint8Array): Promise<void> {
  const { qeReport, qeReportBytes, qeReportSignature, attestationKey, qeAuthData } = signature;
  try {
    await verifyP256(pckKey, qeReportSignature, qeReportBytes);
  } catch (thrown) {
    if (!(thrown instanceof TeeTeeError)) throw thrown;
    fail("qe_report_invalid", `QE report: PCK key: ${thrown.detail}`);
  }
  const need = new Uint8Array(64);
  need.set(sha256Sync(concat(attestationKey, qeAuthData)));
  if (!equal(qeReport.reportData, need)) {
    const have = toHex(qeReport.reportData);
    fail("qe_report_invalid", `QE report: report data: have ${have}, need ${toHex(need)}`);
  }
}

async function verifyQuoteSignature(quote: Quote): Promise<void> {
  const { attestationKey, signature } = quote.signature;
  try {
    await verifyP256(attestationKey, signature, quote.signedBytes);
  } catch (thrown) {
    if (!(thrown instanceof TeeTeeError)) throw thrown;
    fail("quote_signature_invalid", `quote: attestation key: ${thrown.detail}`);
  }
}

/** The lists must be of the CAs that issued this PCK certificate, and name neither it nor them. */
function ensureNotRevoked(pck: VerifiedPck, collateral: VerifiedCollateral): void {
  if (pck.rootFingerprint !== collateral.rootFingerprint) {
    const have = `${collateral.rootFingerprint} of the collateral`;
    fail("collateral_mismatch", `root: have ${have}, need ${pck.rootFingerprint} of the PCK chain`);
  }
  const ca = collateral.pckCa.signer;
  if (!equal(pck.caName, ca.subject.der) || !equal(pck.caKey, ca.publicKey)) {
    const need = "need that of the PCK's issuer";
    fail("collateral_mismatch", `PCK CRL: have the list of another CA, ${need}`);
  }
  if (lists(collateral.rootCrl, pck.caSerial)) {
    const have = `serial ${toHex(pck.caSerial)} in the root's CRL`;
    fail("certificate_revoked", `PCK CA: have ${have}, need it not there`);
  }
  if (lists(collateral.pckCrl, pck.serial)) {
    const have = `serial ${toHex(pck.serial)} in the PCK CRL`;
    fail("certificate_revoked", `PCK: have ${have}, need it not there`);
  }
}

function describeStatus(tcb: TcbEvaluation): string {
  const module = tcb.moduleStatus === undefined ? "" : `, TDX module ${tcb.moduleStatus}`;
  return (
    `platform ${tcb.platformStatus} (${formatUtc(tcb.tcbDate).slice(0, 10)})${module}` +
    `, quoting enclave ${tcb.qeStatus}; together ${tcb.status}`
  );
}

function evaluate(
  quote: VerifiedQuote,
  collateral: VerifiedCollateral,
  checks: Checks | undefined,
): TcbEvaluation {
  const { report, qeReport } = quote;
  const subject = { report, qeReport, platform: quote.pck.platform };
  let tcb: TcbEvaluation;
  try {
    tcb = evaluateTcb(subject, collateral.tcbInfo, collateral.qeIdentity);
  } catch (thrown) {
    if (thrown instanceof TeeTeeError) {
      const isOfEnclave = thrown.code === "qe_identity_mismatch";
      checks?.push(failedCheck(isOfEnclave ? "quoting enclave" : "TCB status", thrown));
    }
    throw thrown;
  }
  const enclave = `signer and product as in the QE identity, isvsvn ${qeReport.isvsvn}`;
  checks?.push({ name: "quoting enclave", passed: true, finding: enclave });
  checks?.push({ name: "TCB status", passed: true, finding: describeStatus(tcb) });
  return tcb;
}

function judgeByCollateral(
  quote: VerifiedQuote,
  collateral: VerifiedCollateral,
  now: UnixSeconds,
  checks: Checks | undefined,
): void {
  step(
    checks,
    "collateral in date",
    () => ensureCollateralInDate(collateral, now),
    () => `issued ${formatUtc(issuedAt(collateral))}, until ${formatUtc(expiresAt(collateral))}`,
  );
  step(
    checks,
    "not revoked",
    () => ensureNotRevoked(quote.pck, collateral),
    () =>
      `PCK serial ${toHex(quote.pck.serial)} is none of the ${collateral.pckCrl.revoked.size} ` +
      "in the PCK CRL, its CA not in the root's",
  );
  quote.tcb = evaluate(quote, collateral, checks);
  quote.collateralIssued = issuedAt(collateral);
}

function describeChain(chain: PckChain, pck: VerifiedPck): string {
  const names = [chain.leaf, chain.intermediate, chain.root].map(displayName).join(" by ");
  const { ppid, fmspc } = pck.platform;
  return `${names}, all in date; platform ${toHex(ppid)}, FMSPC ${toHex(fmspc)}`;
}

/**
 * Format, PCK chain, QE report, attestation key, quote signature; with collateral also revocation,
 * QE identity, TDX module and TCB status. What was looked at goes to `checks`.
 * Errors: those of parseQuote, parsePckChain and verifyPckChain; `qe_report_invalid`;
 * `quote_signature_invalid`; `collateral_expired`; `collateral_mismatch`; `certificate_revoked`;
 * those of evaluateTcb.
 */
export async function verifyQuote(
  bytes: Uint8Array,
  collateral: VerifiedCollateral | undefined,
  roots: TrustedRoots,
  now: UnixSeconds,
  checks?: Checks,
): Promise<VerifiedQuote> {
  const parsed = step(
    checks,
    "quote format",
    () => parseQuote(bytes),
    ({ header }) => `${header.teeType} quote of version ${header.version}`,
  );
  const [, pck] = await stepAsync(
    checks,
    "PCK chain",
    async () => {
      const chain = parsePckChain(parsed.signature.pckChain);
      return [chain, await verifyPckChain(chain, roots, now, collateral?.pckCa)] as const;
    },
    ([chain, verified]) => describeChain(chain, verified),
  );
  await stepAsync(
    checks,
    "QE report",
    () => verifyQeReport(parsed.signature, pck.key),
    () => "signed by the PCK key, and vouches for the attestation key",
  );
  await stepAsync(
    checks,
    "quote signature",
    () => verifyQuoteSignature(parsed),
    () => "by the attestation key, over header and report",
  );
  const quote: VerifiedQuote = {
    report: parsed.report,
    qeReport: parsed.signature.qeReport,
    pck,
    simulated: pck.rootFingerprint !== intelRootFingerprint,
    tcb: undefined,
    collateralIssued: 0,
  };
  if (collateral !== undefined) judgeByCollateral(quote, collateral, now, checks);
  return quote;
}
