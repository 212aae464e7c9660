// SPDX-License-Identifier: Apache-2.0
// Intel's judgement of a platform's trusted computing base; src/attest/tcb_status.hpp.

/**
 * As Intel writes it. The first seven stand in its signed documents; a verifier computes the last
 * two when a TD started under an outdated TDX module that has been updated beneath it since.
 */
export const everyTcbStatus = [
  "UpToDate",
  "SWHardeningNeeded",
  "ConfigurationNeeded",
  "ConfigurationAndSWHardeningNeeded",
  "OutOfDate",
  "OutOfDateConfigurationNeeded",
  "Revoked",
  "TDRelaunchAdvised",
  "TDRelaunchAdvisedConfigurationNeeded",
] as const;

export type TcbStatus = (typeof everyTcbStatus)[number];

/** Exactly one of those words, or undefined. */
export function parseTcbStatus(text: string): TcbStatus | undefined {
  return everyTcbStatus.find((status) => status === text);
}

/** Out of date, whether or not the configuration is wrong too. */
export function isOutOfDate(status: TcbStatus | undefined): boolean {
  return status === "OutOfDate" || status === "OutOfDateConfigurationNeeded";
}

/** Something is to be configured, whether or not it is out of date too. */
export function needsConfiguration(status: TcbStatus): boolean {
  return (
    status === "ConfigurationNeeded" ||
    status === "ConfigurationAndSWHardeningNeeded" ||
    status === "OutOfDateConfigurationNeeded" ||
    status === "TDRelaunchAdvisedConfigurationNeeded"
  );
}

/**
 * The platform's status when a component of it (TDX module, quoting enclave) has its own: section
 * 4.1.2.4.17 of Intel's verification steps. A component that is neither up to date nor revoked
 * counts as out of date.
 */
export function converge(platform: TcbStatus, component: TcbStatus): TcbStatus {
  if (component === "UpToDate") return platform;
  if (component === "Revoked") return "Revoked";
  switch (platform) {
    case "UpToDate":
    case "SWHardeningNeeded":
      return "OutOfDate";
    case "ConfigurationNeeded":
    case "ConfigurationAndSWHardeningNeeded":
      return "OutOfDateConfigurationNeeded";
    default:
      return platform;
  }
}
