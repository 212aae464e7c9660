// SPDX-License-Identifier: Apache-2.0
// The fields of a quote by the names that Intel gives them, for people; as `teetee attest verify`
// prints them under "measurements".
import { toHex } from "../base/bytes";
import { ByteWriter } from "../base/reader";
import type { QuoteReport } from "./quote";

export interface QuoteField {
  name: string;
  /** Hex as the bytes stand in the quote; numbers in decimal digits. */
  value: string;
}

function bytesOf(value: bigint): Uint8Array {
  return new ByteWriter().u64(value).view();
}

export function quoteFields(report: QuoteReport): QuoteField[] {
  const hex = (name: string, bytes: Uint8Array) => ({ name, value: toHex(bytes) });
  if (report.tee === "SGX") {
    return [
      hex("mrenclave", report.mrenclave),
      hex("mrsigner", report.mrsigner),
      { name: "isvprodid", value: String(report.isvprodid) },
      { name: "isvsvn", value: String(report.isvsvn) },
      hex("attributes", report.attributes),
      hex("report_data", report.reportData),
    ];
  }
  const { since15 } = report;
  return [
    hex("mrtd", report.mrtd),
    ...report.rtmr.map((register, i) => hex(`rtmr${i}`, register)),
    hex("mrconfigid", report.mrconfigid),
    hex("mrowner", report.mrowner),
    hex("mrownerconfig", report.mrownerconfig),
    hex("mrseam", report.mrseam),
    hex("tee_tcb_svn", report.teeTcbSvn),
    hex("mrsignerseam", report.mrsignerseam),
    hex("seamattributes", bytesOf(report.seamattributes)),
    hex("tdattributes", bytesOf(report.tdattributes)),
    hex("xfam", bytesOf(report.xfam)),
    ...(since15 === undefined ? [] : [hex("mrservicetd", since15.mrservicetd)]),
    hex("report_data", report.reportData),
  ];
}
