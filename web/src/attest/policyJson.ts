// SPDX-License-Identifier: Apache-2.0
// Policy files (docs/attestation.md, "The policy file"); policy.ts applies them.
import { parseJson } from "../base/json";
import { inContext, quoteForeign } from "../base/text";
import { TeeTeeError } from "../base/error";
import { JsonFields, JsonPlace, bytesOfHex, hexDigits, jsonText } from "./jsonObject";
import {
  advisoriesMax,
  policyBytesMax,
  policyGraceDaysMax,
  policyJsonDepthMax,
  policyListEntriesMax,
  policyMeasurementsMax,
  policyRootsMax,
} from "./limits";
import { rootFingerprint, type TrustedRoots } from "./pck";
import { registerNames, type AcceptedMeasurement, type Policy } from "./policy";
import { u32Max } from "./tcbInfo";
import { everyTcbStatus, parseTcbStatus, type TcbStatus } from "./tcbStatus";

const malformed = "policy_malformed";

const knownKeys: ReadonlySet<string> = new Set([
  "roots",
  "measurements",
  "allow_simulated",
  "allow_debug",
  "require_sept_ve_disable",
  "require_collateral",
  "accepted_statuses",
  "grace_days",
  "accepted_advisories",
  "collateral_age_s_max",
  "tcb_evaluation_number_min",
  "ppids",
  "mrseams",
  "mrservicetds",
]);

function readRoots(fields: JsonFields): TrustedRoots {
  const place = fields.place.at("roots");
  const fingerprints = fields.array("roots", policyRootsMax).map((entry) => {
    const root = jsonText(entry, place);
    try {
      return rootFingerprint(root);
    } catch (thrown) {
      if (!(thrown instanceof TeeTeeError)) throw thrown;
      return place.wrong(thrown.detail, '"intel" or one PEM');
    }
  });
  return { fingerprints: new Set(fingerprints) };
}

function readMeasurement(fields: JsonFields): AcceptedMeasurement {
  if (fields.size === 0) fields.place.wrong("an empty entry", "a register");
  const entry: AcceptedMeasurement = {};
  for (const key of fields.keys()) {
    const name = registerNames.find((one) => one === key);
    if (name === undefined) fields.place.wrong(quoteForeign(key), "a known key");
    entry[name] = fields.hex(key, 48);
  }
  return entry;
}

function readMeasurements(fields: JsonFields): AcceptedMeasurement[] {
  const place = fields.place.at("measurements");
  const entries = fields.array("measurements", policyMeasurementsMax);
  return entries.map((entry) => readMeasurement(new JsonFields(entry, place)));
}

function readStatuses(fields: JsonFields): readonly TcbStatus[] {
  if (!fields.has("accepted_statuses")) return ["UpToDate"];
  const place = fields.place.at("accepted_statuses");
  return fields.array("accepted_statuses", everyTcbStatus.length).map((entry) => {
    const word = jsonText(entry, place);
    const status = parseTcbStatus(word);
    if (status === undefined || status === "Revoked") {
      return place.wrong(quoteForeign(word), "statuses of Intel's but Revoked");
    }
    return status;
  });
}

/** An empty list accepts no advisory at all. */
function readAdvisories(fields: JsonFields): readonly string[] | undefined {
  if (!fields.has("accepted_advisories")) return undefined;
  const place = fields.place.at("accepted_advisories");
  const entries = fields.arrayOrEmpty("accepted_advisories", advisoriesMax);
  return entries.map((entry) => jsonText(entry, place));
}

function readHexList(fields: JsonFields, key: string, byteCount: number): readonly Uint8Array[] {
  if (!fields.has(key)) return [];
  const place = fields.place.at(key);
  return fields.array(key, policyListEntriesMax).map((entry) => {
    const bytes = bytesOfHex(jsonText(entry, place), byteCount);
    return bytes ?? place.wrong("another text", hexDigits(byteCount));
  });
}

/**
 * Strict JSON; "roots" and "measurements" must be there, the rest has safe defaults.
 * Error: `policy_malformed` on an unknown or repeated key, a wrong type, an empty list or an empty
 * entry.
 */
export function parsePolicy(source: string | Uint8Array): Policy {
  const limits = { bytesMax: policyBytesMax, depthMax: policyJsonDepthMax };
  const value = inContext("", () => parseJson(source, limits), malformed);
  const fields = new JsonFields(value, new JsonPlace("policy", malformed));
  for (const key of fields.keys()) {
    if (!knownKeys.has(key)) fields.place.wrong(quoteForeign(key), "a known key");
  }
  const flag = (key: string, otherwise: boolean) =>
    fields.has(key) ? fields.boolean(key) : otherwise;
  const number = (key: string, valueMax: number) =>
    fields.has(key) ? fields.number(key, valueMax) : undefined;
  return {
    roots: readRoots(fields),
    measurements: readMeasurements(fields),
    allowSimulated: flag("allow_simulated", false),
    allowDebug: flag("allow_debug", false),
    requireSeptVeDisable: flag("require_sept_ve_disable", true),
    requireCollateral: flag("require_collateral", true),
    acceptedStatuses: readStatuses(fields),
    acceptedAdvisories: readAdvisories(fields),
    graceDays: number("grace_days", policyGraceDaysMax) ?? 0,
    collateralAgeSMax: number("collateral_age_s_max", u32Max),
    tcbEvaluationNumberMin: number("tcb_evaluation_number_min", u32Max) ?? 0,
    ppids: readHexList(fields, "ppids", 16),
    mrseams: readHexList(fields, "mrseams", 48),
    mrservicetds: readHexList(fields, "mrservicetds", 48),
  };
}
