// SPDX-License-Identifier: Apache-2.0
// Every real, changed and synthetic case of the shared data: quote, collateral and time in, verdict,
// TCB status and advisories out; as src/attest/shared_data_test.cpp.
import { describe, expect, it } from "vitest";
import { judgeFiles } from "../../tests/judgement";
import {
  changedCases,
  hasSharedData,
  readManifest,
  readShared,
  readSharedText,
  realCases,
  syntheticCases,
  syntheticRootFile,
  type EvidenceCase,
} from "../../tests/sharedData";
import { toHex } from "../base/bytes";
import { sha256Sync } from "./hash";
import { intelRootFingerprint } from "./intel";
import { intelRoots, trustRoots, type TrustedRoots } from "./pck";
import { judgeQuote, checkPolicy, type Policy, type Verdict } from "./policy";
import { parsePolicy } from "./policyJson";
import { parseCertificate } from "./x509";
import { verifyQuote } from "./verify";

/**
 * The codes with which a fault of the index may be rejected: whichever of its consequences is met
 * first. A fault not named here may have any.
 */
const codesOfFaults: Readonly<Record<string, readonly string[]>> = {
  QUOTE_SIG: ["quote_signature_invalid"],
  QE_REPORT_SIG: ["qe_report_invalid"],
  QE_REPORT_DATA: ["qe_report_invalid"],
  PCK_CHAIN_SHORT: ["certificate_chain_invalid", "certificate_malformed"],
  PCK_CHAIN_REVOKED: ["certificate_revoked"],
  TCB_INFO_CHAIN_REVOKED: ["certificate_revoked"],
  TCB_INFO_CHAIN_CN: ["certificate_chain_invalid"],
  TCB_INFO_CHAIN_ROOT: ["root_untrusted"],
  TCB_INFO_TYPE: ["collateral_mismatch", "collateral_malformed"],
  QE_IDENTITY_TYPE: ["collateral_mismatch"],
  FMSPC_MISMATCH: ["collateral_mismatch"],
  TCB_INFO_FORMAT: ["collateral_malformed"],
  PCK_CRL_SIG: ["collateral_signature_invalid"],
  ROOT_CRL_SIG: ["collateral_signature_invalid"],
  PCK_CRL_PARSE: ["collateral_malformed"],
  ROOT_CRL_EXPIRED: ["collateral_expired", "certificate_expired"],
  PCK_CRL_EXPIRED: ["collateral_expired"],
  QE_MRSIGNER: ["qe_identity_mismatch"],
  QE_ATTRIBUTES: ["qe_identity_mismatch"],
  QE_MISCSELECT: ["qe_identity_mismatch"],
  QE_TCB_NOT_SUPPORTED: ["tcb_level_missing"],
  TCB_NOT_SUPPORTED: ["tcb_level_missing"],
  TDX_MODULE_MISMATCH: ["tdx_module_mismatch"],
};

function expectAsExpected({ name, expected }: EvidenceCase, verdict: Verdict): void {
  if (expected.status === undefined) {
    expect(verdict.quote, `${name}: no status is to be reported`).toBeUndefined();
    expect(verdict.error, name).toBeDefined();
    const codes = codesOfFaults[expected.code ?? ""];
    if (codes !== undefined) expect(codes, name).toContain(verdict.error!.code);
    return;
  }
  expect(verdict.quote, `${name}: ${verdict.error?.message}`).toBeDefined();
  const tcb = verdict.quote!.tcb!;
  expect(tcb.status, name).toBe(expected.status);
  expect(verdict.error === undefined, name).toBe(expected.status !== "Revoked");
  expect(tcb.advisories, name).toEqual(expected.advisory_ids);
  if (expected.platform_status === undefined) return;
  expect(tcb.platformStatus, name).toBe(expected.platform_status);
  expect(tcb.qeStatus, name).toBe(expected.qe_status);
  if (typeof expected.module_status === "string" && tcb.moduleStatus !== undefined) {
    expect(tcb.moduleStatus, name).toBe(expected.module_status);
  }
}

async function judgeCase(one: EvidenceCase, roots: TrustedRoots): Promise<Verdict> {
  return judgeFiles(one.quote, one.collateral, roots, one.time);
}

const longMs = 120_000;

describe.skipIf(!hasSharedData)("shared data", { timeout: longMs }, () => {
  it("agrees on every real set", async () => {
    const cases = realCases();
    for (const one of cases) {
      const verdict = await judgeCase(one, intelRoots);
      expectAsExpected(one, verdict);
      expect(verdict.quote?.simulated ?? false, one.name).toBe(false);
    }
    expect(cases.length).toBeGreaterThan(100);
  });

  it("agrees on every changed real set", async () => {
    const cases = changedCases();
    for (const one of cases) expectAsExpected(one, await judgeCase(one, intelRoots));
    expect(cases.length).toBeGreaterThan(400);
  });

  it("agrees on every set of the test PKI", async () => {
    const roots = trustRoots([readSharedText(syntheticRootFile)]);
    const cases = syntheticCases();
    for (const one of cases) {
      const verdict = await judgeCase(one, roots);
      // Intel's parser takes one of two keys in silence; here such documents are malformed.
      if (one.name === "tcb_dupkey") {
        expect(verdict.error?.code).toBe("collateral_malformed");
        continue;
      }
      expectAsExpected(one, verdict);
      expect((await judgeCase(one, intelRoots)).error, one.name).toBeDefined();
    }
    expect(cases.length).toBeGreaterThan(50);
  });

  it("reads every field of real quotes", async () => {
    const { quotes } = readManifest();
    const inEveryChain = 1780000000;
    let count = 0;
    for (const entry of quotes) {
      const bytes = readShared(entry.file);
      const verified = verifyQuote(bytes, undefined, intelRoots, inEveryChain);
      // One names its platform, but brings no certificate for it.
      if (entry["cert_data_type"] !== 5) {
        await expect(verified).rejects.toMatchObject({ code: "quote_unsupported" });
        continue;
      }
      const { pck, report } = await verified;
      const { platform } = pck;
      expect(toHex(platform.fmspc)).toBe(entry["fmspc"]);
      expect(toHex(platform.ppid)).toBe(entry["ppid"]);
      expect(toHex(platform.pceid)).toBe(entry["pceid"]);
      expect(toHex(platform.cpusvn)).toBe(entry["pck_cpusvn"]);
      expect(platform.pcesvn).toBe(entry["pck_pcesvn"]);
      expect(toHex(report.reportData)).toBe(entry["report_data"]);
      if (report.tee === "TDX") {
        expect(toHex(report.teeTcbSvn)).toBe(entry["tee_tcb_svn"]);
        expect(toHex(report.mrseam)).toBe(entry["mrseam"]);
        expect(toHex(report.mrtd)).toBe(entry["mrtd"]);
        expect(toHex(report.mrconfigid)).toBe(entry["mrconfigid"]);
        expect(toHex(report.mrowner)).toBe(entry["mrowner"]);
        expect(toHex(report.mrownerconfig)).toBe(entry["mrownerconfig"]);
        expect(report.rtmr.map(toHex)).toEqual(entry["rtmr"]);
      }
      count++;
    }
    expect(count).toBeGreaterThan(30);
  });

  it("pins Intel's certificate", () => {
    const root = parseCertificate(readShared("roots/intel_sgx_root_ca.der"));
    expect(toHex(sha256Sync(root.der))).toBe(intelRootFingerprint);
    const byPem = trustRoots([readSharedText("roots/intel_sgx_root_ca.pem")]);
    expect(byPem.fingerprints).toEqual(intelRoots.fingerprints);
  });

  // What Intel's library accepts and a policy must not.
  it("refuses unsafe attributes by policy", async () => {
    const time = 1793534400;
    const pem = readSharedText(syntheticRootFile);
    const names = ["debug", "no_septve", "reserved_attr", "mrsignerseam", "uptodate"];
    for (const name of [...names.map((one) => `tdx4_${one}`), "tdx5_servicetd"]) {
      const quote = readShared(`synthetic/${name}.quote.bin`);
      const roots = trustRoots([pem]);
      const verified = await verifyQuote(quote, undefined, roots, time);
      if (verified.report.tee !== "TDX") throw new Error("not of a TD");
      const policy: Policy = {
        ...parsePolicy(
          JSON.stringify({
            roots: [pem],
            allow_simulated: true,
            require_collateral: false,
            measurements: [{ mrtd: toHex(verified.report.mrtd) }],
          }),
        ),
      };
      const check = () => checkPolicy(verified, policy, time);
      if (name === "tdx4_uptodate") check();
      else expect(check, name).toThrow(expect.objectContaining({ code: "attributes_rejected" }));
    }
  });

  it("says in checks what failed", async () => {
    const [one] = realCases();
    const quote = one!.quote.slice();
    quote[60]! ^= 1;
    const verdict = await judgeQuote(quote, undefined, intelRoots, one!.time);
    expect(verdict.error?.code).toBe("quote_signature_invalid");
    expect(verdict.checks.map((check) => [check.name, check.passed])).toEqual([
      ["quote format", true],
      ["PCK chain", true],
      ["QE report", true],
      ["quote signature", false],
    ]);
  });
});
