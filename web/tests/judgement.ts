// SPDX-License-Identifier: Apache-2.0
// The whole way from files to a verdict, and that verdict in the form of `teetee attest verify`.
import { toHex } from "../src/base/bytes";
import { TeeTeeError } from "../src/base/error";
import { formatUtc, type UnixSeconds } from "../src/base/time";
import { verifyCollateral } from "../src/attest/collateral";
import { parseCollateral } from "../src/attest/collateralJson";
import { quoteFields } from "../src/attest/quoteFields";
import type { TrustedRoots } from "../src/attest/pck";
import { judgeQuote, type Policy, type Verdict } from "../src/attest/policy";

/** What came of a quote with its collateral. Throws nothing but what a fault of the program is. */
export async function judgeFiles(
  quote: Uint8Array,
  collateralJson: Uint8Array | undefined,
  by: TrustedRoots | Policy,
  time: UnixSeconds,
): Promise<Verdict> {
  const roots = "measurements" in by ? by.roots : by;
  try {
    const collateral =
      collateralJson === undefined
        ? undefined
        : await verifyCollateral(parseCollateral(collateralJson), roots, time);
    return await judgeQuote(quote, collateral, by, time);
  } catch (thrown) {
    if (!(thrown instanceof TeeTeeError)) throw thrown;
    return { quote: undefined, error: thrown, checks: [] };
  }
}

/** The members of `teetee attest verify --json` that a verdict decides. */
export function reportOf({ quote, error }: Verdict): Record<string, unknown> {
  const tcb = quote?.tcb;
  const report: Record<string, unknown> = {
    verdict: error === undefined ? "accept" : "reject",
    status: tcb?.status ?? null,
    advisories: tcb?.advisories ?? [],
    shortfalls: tcb?.shortfalls ?? [],
    code: error?.code ?? null,
    detail: error?.detail ?? null,
  };
  if (tcb !== undefined) {
    report["platform_status"] = tcb.platformStatus;
    report["module_status"] = tcb.moduleStatus ?? null;
    report["qe_status"] = tcb.qeStatus;
    report["tcb_date"] = formatUtc(tcb.tcbDate);
    report["tcb_evaluation_number"] = tcb.evaluationNumber;
  }
  if (quote !== undefined) {
    const measurements = quoteFields(quote.report).map(({ name, value }) => [
      name,
      name.startsWith("isv") ? Number(value) : value,
    ]);
    report["measurements"] = Object.fromEntries(measurements);
    report["tee"] = quote.report.tee;
    report["simulated"] = quote.simulated;
    report["fmspc"] = toHex(quote.pck.platform.fmspc);
    report["pceid"] = toHex(quote.pck.platform.pceid);
    report["ppid"] = toHex(quote.pck.platform.ppid);
  }
  return report;
}
