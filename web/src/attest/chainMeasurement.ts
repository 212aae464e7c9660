// SPDX-License-Identifier: Apache-2.0
// What contracts name code by, in pools' lists of what may serve (docs/contracts-attestation.md);
// src/attest/chain_measurement.hpp.
import { isZero } from "../base/bytes";
import { fail } from "../base/error";
import { ByteWriter } from "../base/reader";
import { keccak256 } from "./hash";
import type { AcceptedMeasurement, RegisterName } from "./policy";
import type { TdReport } from "./quote";

type MeasuredRegisters = Pick<TdReport, "tdattributes" | "mrtd" | "mrconfigid" | "rtmr">;

/**
 * keccak256 over u8 form, TDATTRIBUTES (8 bytes, little-endian), MRTD, RTMR 0, 1, 2 and one more
 * register, 48 bytes each. Form 2 where MRCONFIGID is not zero, which is then the last register, for
 * RTMR 3 differs between instances; else form 1 with RTMR 3.
 */
export function chainMeasurement(report: MeasuredRegisters): Uint8Array {
  const isConfigured = !isZero(report.mrconfigid);
  const out = new ByteWriter();
  out
    .u8(isConfigured ? 2 : 1)
    .u64(report.tdattributes)
    .bytes(report.mrtd);
  for (const register of report.rtmr.slice(0, 3)) out.bytes(register);
  out.bytes(isConfigured ? report.mrconfigid : report.rtmr[3]!);
  return keccak256(out.view());
}

/**
 * The same of a build that a policy accepts, with TDATTRIBUTES, which policies do not name. An
 * MRCONFIGID that is not named is zero. Error: `config_invalid` naming the registers that lack.
 */
export function chainMeasurementOf(
  accepted: AcceptedMeasurement,
  tdattributes: bigint,
): Uint8Array {
  const missing: string[] = [];
  const take = (name: RegisterName): Uint8Array => {
    const register = accepted[name];
    if (register === undefined) missing.push(name);
    return register ?? new Uint8Array(48);
  };
  const mrtd = take("mrtd");
  const rtmr = [take("rtmr0"), take("rtmr1"), take("rtmr2")];
  const mrconfigid = accepted.mrconfigid ?? new Uint8Array(48);
  rtmr.push(isZero(mrconfigid) ? take("rtmr3") : new Uint8Array(48));
  if (missing.length > 0) {
    const registers = missing.join(", ");
    fail("config_invalid", `the policy leaves open what contracts compare: ${registers}`);
  }
  return chainMeasurement({ tdattributes, mrtd, mrconfigid, rtmr });
}
