// SPDX-License-Identifier: Apache-2.0

/** Intel's word on a platform, and what it comes to. */
export function hardwareWords(status: string | undefined, isSimulated: boolean): string {
  if (isSimulated) return "SIMULATED: a development TEE, which protects nothing";
  switch (status) {
    case undefined:
    case "unknown":
      return "Intel TDX; nobody says how up to date it is";
    case "UpToDate":
      return "Intel TDX, up to date (UpToDate)";
    case "SWHardeningNeeded":
      return "Intel TDX, up to date; its software must guard against side channels (SWHardeningNeeded)";
    default:
      return `Intel TDX, ${status}`;
  }
}
