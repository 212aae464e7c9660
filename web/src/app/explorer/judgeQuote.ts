// SPDX-License-Identifier: Apache-2.0
// A quote: its fields, its signatures, what Intel says of its platform, and what its event log shows.
import { failedCheck, haveAndNeed, step, stepAsync, type Check } from "../../attest/check";
import type { VerifiedCollateral } from "../../attest/collateral";
import { parseCollateral } from "../../attest/collateralJson";
import { parseCrl } from "../../attest/crl";
import { checkMrconfigid, ensureRtmrs, replayEventLog } from "../../attest/eventLog";
import { intelRootFingerprint } from "../../attest/intel";
import { verifyEvidence } from "../../attest/peer";
import { findCollateral } from "../../attest/platform";
import { checkPolicy } from "../../attest/policy";
import { parseQeIdentity } from "../../attest/qeIdentity";
import { decodeStatement, reportData } from "../../attest/statement";
import { parseTcbInfo } from "../../attest/tcbInfo";
import { verifyQuote, type VerifiedQuote } from "../../attest/verify";
import { toHex } from "../../base/bytes";
import { fail, TeeTeeError } from "../../base/error";
import type { UnixSeconds } from "../../base/time";
import {
  acceptedVerdict,
  checkView,
  fieldMaker,
  hardwareOf,
  lenientPolicy,
  measurementOf,
  ownRoot,
  readable,
  statementFields,
  termsAt,
  withCause,
  type Terms,
} from "./judge";
import { quoteFields } from "./quoteFields";
import type {
  CheckView,
  EventView,
  FieldView,
  NetworkTermsInput,
  QuoteView,
  Verdict,
} from "./views";

export interface QuoteInput {
  readonly quote: Uint8Array;
  readonly statement?: Uint8Array | undefined;
  readonly collateral?: string | undefined;
  readonly eventLog?: string | undefined;
  readonly network: NetworkTermsInput | undefined;
  readonly now: UnixSeconds;
  /** Judged as of then; undefined: now, or when the collateral was in force. */
  readonly at?: UnixSeconds | undefined;
}

/** When all of a collateral's documents are in force; undefined where it cannot be read. */
export function timesOfCollateral(
  text: string,
): { readonly from: UnixSeconds; readonly until: UnixSeconds } | undefined {
  try {
    const collateral = parseCollateral(text);
    const validities = [
      parseTcbInfo(collateral.tcbInfo.body).head.validity,
      parseQeIdentity(collateral.qeIdentity.body).head.validity,
      parseCrl(collateral.pckCrl).validity,
      parseCrl(collateral.rootCaCrl).validity,
    ];
    return {
      from: Math.max(...validities.map((one) => one.notBefore)),
      until: Math.min(...validities.map((one) => one.notAfter)),
    };
  } catch {
    return undefined;
  }
}

function timeOf(input: QuoteInput): UnixSeconds {
  if (input.at !== undefined) return input.at;
  const times = input.collateral === undefined ? undefined : timesOfCollateral(input.collateral);
  const isInForce = times === undefined || (input.now >= times.from && input.now <= times.until);
  return isInForce ? input.now : times.from;
}

/** Intel's, or one that the network's policy pins, or one that nobody knows. */
function rootCheck(input: QuoteInput, terms: Terms): CheckView {
  const name = "root of trust";
  const root = ownRoot(input.quote);
  if (root === intelRootFingerprint) {
    return { name, state: "passed", words: "The certificates lead to Intel's root." };
  }
  if (root !== undefined && terms.policy?.roots.fingerprints.has(root)) {
    const words =
      "SIMULATED: the certificates lead to a development root that the connected network pins. They prove nothing about hardware.";
    return { name, state: "passed", words };
  }
  const words =
    root === undefined
      ? "The quote has no chain of certificates that can be read."
      : "The certificates lead to a root that is not Intel's and that no connected network pins: whoever has its key can make such quotes.";
  return {
    name,
    state: "failed",
    words,
    code: "root_untrusted",
    ...(root === undefined ? {} : { have: root, need: intelRootFingerprint }),
  };
}

interface Judged {
  readonly checks: CheckView[];
  readonly quote: VerifiedQuote | undefined;
  readonly collateral: VerifiedCollateral | undefined;
}

function failedView(checks: readonly Check[], error: TeeTeeError): CheckView[] {
  const isListed = checks.some((check) => !check.passed && check.code === error.code);
  return isListed ? [] : [{ ...checkView(failedCheck("quote", error)) }];
}

/** Signatures and status, whatever the root is worth. */
async function judgeHardware(input: QuoteInput, terms: Terms, at: UnixSeconds): Promise<Judged> {
  const checks: Check[] = [];
  const collateral = findCollateral(terms.shelf, input.quote);
  const { roots } = lenientPolicy([input.quote]);
  let quote: VerifiedQuote | undefined;
  let failures: CheckView[] = [];
  try {
    quote = await verifyQuote(input.quote, collateral, roots, at, checks);
  } catch (thrown) {
    if (!(thrown instanceof TeeTeeError)) throw thrown;
    failures = failedView(checks, thrown);
  }
  const views = [...checks.map(checkView), ...failures];
  if (quote !== undefined && collateral === undefined) views.push(unjudgedStatus(terms));
  if (quote?.tcb?.status === "Revoked") {
    views.push({ name: "revocation", state: "failed", words: "Intel has revoked this platform." });
  }
  return { checks: views, quote, collateral };
}

function unjudgedStatus(terms: Terms): CheckView {
  const [rejected] = terms.rejected;
  const name = "TCB status";
  if (rejected !== undefined) {
    const { code, detail } = rejected;
    return { name, state: "failed", words: `collateral: ${detail}`, code, ...haveAndNeed(detail) };
  }
  const words =
    "Whether the platform is up to date, and whether its certificates are revoked, needs Intel's documents (collateral). Open them together with the quote.";
  return { name, state: "unmade", words };
}

interface LogViews {
  readonly checks: readonly CheckView[];
  readonly events: readonly EventView[];
  readonly app: readonly FieldView[];
}

async function judgeEventLog(
  input: QuoteInput,
  quote: VerifiedQuote | undefined,
): Promise<LogViews> {
  if (input.eventLog === undefined) return { checks: [], events: [], app: [] };
  const source = input.eventLog;
  const checks: Check[] = [];
  try {
    const log = await stepAsync(
      checks,
      "event log",
      () => replayEventLog(source),
      ({ eventCount }) => `${eventCount} events, each with the digest of what it says`,
    );
    const events = log.runtimeEvents.map(({ name, payload }) => ({
      name,
      payload: readable(payload),
    }));
    const field = fieldMaker("Application");
    const { appId, composeHash, instanceId, osImageHash, keyProvider } = log.app;
    const app = [
      ...(appId ? [field("app id", toHex(appId))] : []),
      ...(composeHash ? [field("compose hash", toHex(composeHash), "of app-compose.json")] : []),
      ...(instanceId ? [field("instance id", toHex(instanceId))] : []),
      ...(osImageHash ? [field("OS image", toHex(osImageHash))] : []),
      ...(keyProvider ? [field("key provider", `${keyProvider.name} ${keyProvider.id}`)] : []),
    ];
    const report = quote?.report;
    if (report?.tee === "TDX") {
      step(
        checks,
        "registers",
        () => ensureRtmrs(log.rtmr, report),
        () => "all four RTMRs of the quote follow from the log",
      );
      step(
        checks,
        "MRCONFIGID",
        () => checkMrconfigid(log.app, report),
        (isBound) => (isBound ? "is that of the compose hash" : "zero: it binds nothing"),
      );
    }
    return { checks: checks.map(checkView), events, app };
  } catch (thrown) {
    if (!(thrown instanceof TeeTeeError)) throw thrown;
    return { checks: checks.map(checkView), events: [], app: [] };
  }
}

/** Whether the quote is over the statement that came with it. */
async function judgeStatement(
  input: QuoteInput,
): Promise<{ check: CheckView; fields: FieldView[] }[]> {
  const { statement, quote } = input;
  if (statement === undefined) return [];
  const checks: Check[] = [];
  let fields: FieldView[] = [];
  try {
    const decoded = step(
      checks,
      "statement format",
      () => decodeStatement(statement),
      (one) => `of software ${one.softwareVersion}`,
    );
    fields = statementFields(statement, decoded);
    await stepAsync(
      checks,
      "report data",
      () => ensureOver(quote, statement),
      () => "the quote is over this statement and its keys",
    );
  } catch (thrown) {
    if (!(thrown instanceof TeeTeeError)) throw thrown;
  }
  return checks.map((check) => ({ check: checkView(check), fields }));
}

async function ensureOver(quote: Uint8Array, statement: Uint8Array): Promise<void> {
  const have = quoteFields(quote).find(({ label }) => label === "report data")?.value ?? "";
  const need = toHex(await reportData(statement, undefined));
  if (have === need) return;
  const hint = "; where a nonce was asked for, the quote is over that, too";
  fail("report_data_mismatch", `report data: have ${have}, need ${need}${hint}`);
}

/** What the connected network would say; its answer is no fault of the quote's. */
async function judgeByNetwork(
  input: QuoteInput,
  terms: Terms,
  judged: Judged,
  at: UnixSeconds,
): Promise<CheckView[]> {
  const { policy, expectation, network } = terms;
  if (policy === undefined || expectation === undefined || network === undefined) return [];
  if (judged.quote === undefined) return [];
  const checks: Check[] = [];
  const name = `policy of ${network.name}`;
  try {
    const { quote, statement } = input;
    if (statement === undefined) checkPolicy(judged.quote, policy, at, checks);
    else {
      await verifyEvidence(
        { statement, quote },
        expectation,
        policy,
        at,
        judged.collateral,
        checks,
      );
    }
    const words = "The connected network accepts this node's code, hardware and statement.";
    return [{ name, state: "passed", words, details: checks.map(checkView) }];
  } catch (thrown) {
    if (!(thrown instanceof TeeTeeError)) throw thrown;
    const error = withCause(thrown, terms.rejected);
    const words = `The connected network would refuse it: ${error.detail}`;
    const details = checks.map(checkView);
    return [
      { name, state: "unmade", words, code: error.code, ...haveAndNeed(error.detail), details },
    ];
  }
}

function verdictOf(
  checks: readonly CheckView[],
  byNetwork: readonly CheckView[],
  judged: Judged,
  terms: Terms,
): Verdict {
  if (checks.some((check) => check.state === "failed")) return "failed";
  const isAccepted = byNetwork.some((check) => check.state === "passed");
  if (!isAccepted || terms.network === undefined) return "alone";
  return acceptedVerdict(judged.quote?.simulated === true, terms.network);
}

function fieldsOf(quote: Uint8Array): FieldView[] {
  try {
    return quoteFields(quote);
  } catch {
    return [];
  }
}

/** Never throws for what is wrong with the evidence. */
export async function judgeQuote(input: QuoteInput): Promise<QuoteView> {
  const at = timeOf(input);
  const terms = await termsAt(input.network, input.collateral, at, lenientPolicy([input.quote]));
  const judged = await judgeHardware(input, terms, at);
  const statement = await judgeStatement(input);
  const log = await judgeEventLog(input, judged.quote);
  const own = [
    rootCheck(input, terms),
    ...judged.checks,
    ...statement.map(({ check }) => check),
    ...log.checks,
  ];
  const byNetwork = await judgeByNetwork(input, terms, judged, at);
  const times = input.collateral === undefined ? undefined : timesOfCollateral(input.collateral);
  return {
    verdict: verdictOf(own, byNetwork, judged, terms),
    unpinned: terms.network?.unpinned ?? "",
    network: terms.network?.name ?? "",
    checks: [...own, ...byNetwork],
    fields: fieldsOf(input.quote),
    hardware: judged.quote && hardwareOf(judged.quote),
    measurement: measurementOf(input.quote),
    events: log.events,
    app: log.app,
    judgedAt: at,
    collateralIssued: times?.from,
    statementFields: statement[0]?.fields ?? [],
  };
}
