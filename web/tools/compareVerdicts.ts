// SPDX-License-Identifier: Apache-2.0
// Holds the page's verifier against the program's on every case of the shared data: verdict, status,
// advisories, shortfalls and error code must be the same.
//
//   npm run conformance -- PROGRAM [MUTATIONS [SEED]]
//
// PROGRAM is a teetee binary. With MUTATIONS so many copies changed at random are judged instead.
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { mutated, randomOf, type Random } from "../tests/mutations";
import { judgeFiles, reportOf } from "../tests/judgement";
import {
  changedCases,
  readManifest,
  readShared,
  readSharedText,
  realCases,
  sharedPath,
  syntheticCases,
  syntheticRootFile,
  type EvidenceCase,
} from "../tests/sharedData";
import { fromBase64, fromHex, fromUtf8, toBase64, toHex, utf8 } from "../src/base/bytes";
import { termsOf, type Network } from "../tests/network";
import { readNetwork } from "../tests/readVectors";
import { checkReceipt } from "../src/attest/receiptCheck";
import { parseReceipt } from "../src/attest/receiptJson";
import { TeeTeeError } from "../src/base/error";
import { checkMrconfigid, ensureRtmrs, replayEventLog } from "../src/attest/eventLog";
import { intelRoots, trustRoots } from "../src/attest/pck";
import { parsePolicy } from "../src/attest/policyJson";
import { parseQuote } from "../src/attest/quote";
import { everyTcbStatus } from "../src/attest/tcbStatus";

const run = promisify(execFile);
const outputBytesMax = 16 << 20;

type Report = Record<string, unknown>;

interface TheirCheck {
  check: string;
  error?: { code: string };
}

/** What the program says; its exit code is 1 where it rejects. */
async function ask(program: string, args: readonly string[]): Promise<Report> {
  const options = { maxBuffer: outputBytesMax };
  const { stdout } = await run(program, args, options).catch((failed: { stdout?: string }) => {
    if (typeof failed.stdout !== "string" || failed.stdout === "") throw failed;
    return { stdout: failed.stdout };
  });
  const report = JSON.parse(stdout) as Report;
  const error = report["error"] as { code: string } | null | undefined;
  return { ...report, code: error?.code ?? null };
}

/** The members of `mine` in which the program says something else. */
function differences(mine: Report, theirs: Report): string[] {
  return Object.keys(mine)
    .filter((key) => key !== "detail")
    .filter((key) => JSON.stringify(mine[key]) !== JSON.stringify(theirs[key]))
    .map((key) => `${key} ${JSON.stringify(mine[key])}, program ${JSON.stringify(theirs[key])}`);
}

function describeErrors(mine: Report, theirs: Report): string {
  const detail = (theirs["error"] as { detail?: string } | null)?.detail;
  return `${String(mine["detail"])}; program: ${String(detail)}`;
}

class Comparison {
  readonly #program: string;
  readonly #folder: string;
  #equal = 0;
  #total = 0;
  #equalVerdicts = 0;

  constructor(program: string, folder: string) {
    this.#program = program;
    this.#folder = folder;
  }

  async evidence(one: EvidenceCase, policyJson?: string): Promise<void> {
    const quote = join(this.#folder, "quote");
    const collateral = join(this.#folder, "collateral");
    writeFileSync(quote, one.quote);
    writeFileSync(collateral, one.collateral);
    const args = ["attest", "verify", "--quote", quote, "--collateral", collateral];
    args.push("--time", String(one.time), "--json");
    if (one.isSynthetic) args.push("--root", sharedPath(syntheticRootFile));
    if (policyJson !== undefined) {
      writeFileSync(join(this.#folder, "policy"), policyJson);
      args.push("--policy", join(this.#folder, "policy"));
    }
    const theirs = await ask(this.#program, args);
    const roots = one.isSynthetic ? trustRoots([readSharedText(syntheticRootFile)]) : intelRoots;
    const by = policyJson === undefined ? roots : { ...parsePolicy(policyJson), roots };
    const verdict = await judgeFiles(one.quote, one.collateral, by, one.time);
    this.#note(one.name, reportOf(verdict), theirs);
  }

  async eventLog(name: string, quote: Uint8Array, log: Uint8Array): Promise<void> {
    const quoteFile = join(this.#folder, "quote");
    const logFile = join(this.#folder, "log");
    writeFileSync(quoteFile, quote);
    writeFileSync(logFile, log);
    const args = ["attest", "eventlog", "--quote", quoteFile, "--log", logFile, "--json"];
    this.#note(name, await replay(quote, log), await ask(this.#program, args));
  }

  /** Of a network whose files are at hand. */
  async receipt(name: string, network: Network, receipt: Uint8Array): Promise<void> {
    const file = join(this.#folder, "receipt");
    writeFileSync(file, receipt);
    const args = ["verify", file, "--collateral", join(this.#folder, "collateral.d"), "--json"];
    for (const part of ["policy", "manifest", "request", "answer"] as const) {
      writeFileSync(join(this.#folder, part), network[part]);
      args.push(`--${part}`, join(this.#folder, part));
    }
    mkdirSync(join(this.#folder, "collateral.d"), { recursive: true });
    writeFileSync(join(this.#folder, "collateral.d/one.json"), network.collateral);
    const theirs = await ask(this.#program, args);
    const checks = (theirs["checks"] as TheirCheck[] | undefined)?.map(({ check, error }) => ({
      check,
      code: error?.code ?? null,
    }));
    this.#note(name, await judgeReceipt(network, receipt), { ...theirs, checks });
  }

  #note(name: string, mine: Report, theirs: Report): void {
    this.#total++;
    const found = differences(mine, theirs);
    if (mine["verdict"] === theirs["verdict"]) this.#equalVerdicts++;
    if (found.length === 0) this.#equal++;
    else
      process.stdout.write(`${name}\n  ${found.join("\n  ")}\n  ${describeErrors(mine, theirs)}\n`);
  }

  /** One line; whether all were the same. */
  finish(title: string): boolean {
    const all = this.#equal === this.#total;
    const whole = `${this.#equal} of ${this.#total} equal in every member`;
    process.stdout.write(
      `${title}: ${this.#equalVerdicts} of ${this.#total} verdicts equal, ${whole}\n`,
    );
    this.#equal = this.#total = this.#equalVerdicts = 0;
    return all;
  }
}

async function replay(quote: Uint8Array, log: Uint8Array): Promise<Report> {
  const out: Report = { verdict: "reject", rtmr: [], code: null };
  try {
    const replayed = await replayEventLog(log);
    out["rtmr"] = replayed.rtmr.map(toHex);
    const { report } = parseQuote(quote);
    if (report.tee !== "TDX") throw new TeeTeeError("quote_unsupported", "TEE type");
    ensureRtmrs(replayed.rtmr, report);
    out["mrconfigid_bound"] = checkMrconfigid(replayed.app, report);
    const { appId, composeHash, keyProvider } = replayed.app;
    out["app_id"] = appId === undefined ? null : toHex(appId);
    out["compose_hash"] = composeHash === undefined ? null : toHex(composeHash);
    out["key_provider"] = keyProvider ?? null;
    out["verdict"] = "accept";
  } catch (thrown) {
    if (!(thrown instanceof TeeTeeError)) throw thrown;
    out["code"] = thrown.code;
  }
  return out;
}

async function judgeReceipt(network: Network, bytes: Uint8Array): Promise<Report> {
  const { expectation: peers, policy, layerCount, collateral } = await termsOf(network);
  const { request, answer } = network;
  try {
    const receipt = parseReceipt(bytes);
    const expectation = { peers, policy, layerCount, collateral, request, answer };
    const report = await checkReceipt(receipt, expectation);
    return {
      verdict: report.accepted ? "accept" : "reject",
      simulated: report.simulated,
      checks: report.checks.map(({ what, error }) => ({ check: what, code: error?.code ?? null })),
    };
  } catch (thrown) {
    if (!(thrown instanceof TeeTeeError)) throw thrown;
    return { verdict: undefined, code: thrown.code };
  }
}

/** With one digit or letter of each hex, base64 or number changed, in turn. */
function* changedReceipts(receipt: Uint8Array): Generator<[string, Uint8Array]> {
  const text = fromUtf8(receipt);
  const random = randomOf(1);
  for (const { 0: token, index } of text.matchAll(/(?<="|"0x)[0-9A-Za-z+/]+(?==*")|\d+/g)) {
    const at = index + random(token.length);
    const letter = text.charAt(at);
    const other = /\d/.test(letter)
      ? String((Number(letter) + 1) % 10)
      : letter === "a"
        ? "b"
        : "a";
    const name = text.slice(Math.max(0, index - 20), index);
    yield [`receipt with another ${name}`, utf8(text.slice(0, at) + other + text.slice(at + 1))];
  }
}

async function compareReceipts(comparison: Comparison): Promise<boolean> {
  const network = readNetwork();
  await comparison.receipt("receipt", network, network.receipt);
  for (const [name, receipt] of changedReceipts(network.receipt)) {
    await comparison.receipt(name, network, receipt);
  }
  return comparison.finish("receipts");
}

const chainKeys = ["pck_crl_issuer_chain", "tcb_info_issuer_chain", "qe_identity_issuer_chain"];
const listKeys = ["root_ca_crl", "pck_crl"];

/** Within the DER of a certificate or a list, which changes of its text seldom reach. */
function withMutatedDer(collateral: Uint8Array, random: Random): Uint8Array {
  const fields = JSON.parse(fromUtf8(collateral)) as Record<string, string>;
  if (random(3) === 0) {
    const key = listKeys[random(listKeys.length)]!;
    fields[key] = toHex(mutated(fromHex(fields[key]!), random));
    return utf8(JSON.stringify(fields));
  }
  const key = chainKeys[random(chainKeys.length)]!;
  const [first, second] = fields[key]!.split(/(?<=-----END CERTIFICATE-----)/);
  const der = fromBase64(first!.replace(/-----[A-Z ]+-----|\s/g, ""));
  const changed = toBase64(mutated(der, random));
  fields[key] = `-----BEGIN CERTIFICATE-----\n${changed}\n-----END CERTIFICATE-----\n${second}`;
  return utf8(JSON.stringify(fields));
}

function mutatedCase(one: EvidenceCase, random: Random): EvidenceCase {
  switch (random(4)) {
    case 0:
      return { ...one, quote: mutated(one.quote, random) };
    case 1:
      return { ...one, collateral: mutated(one.collateral, random) };
    default:
      return { ...one, collateral: withMutatedDer(one.collateral, random) };
  }
}

async function compareMutations(
  comparison: Comparison,
  count: number,
  seed: number,
): Promise<boolean> {
  const random = randomOf(seed);
  const cases = [...realCases(), ...syntheticCases()];
  for (let i = 0; i < count; i++) {
    const one = cases[random(cases.length)]!;
    const changed = mutatedCase(one, random);
    await comparison.evidence({ ...changed, name: `mutation ${i} of ${one.name}` });
  }
  return comparison.finish("changed at random");
}

/** A policy that is right for the quote but for what chance has put in. */
function policyFor(one: EvidenceCase, random: Random): string {
  const { report } = parseQuote(one.quote);
  const zeros = "00".repeat(48);
  const policy: Record<string, unknown> = { roots: ["intel"], measurements: [{ mrtd: zeros }] };
  if (report.tee === "TDX" && random(8) > 0) {
    const [rtmr0] = report.rtmr;
    const build = { mrtd: toHex(report.mrtd), rtmr0: toHex(rtmr0!) };
    policy["measurements"] = random(2) === 0 ? [build] : [{ rtmr3: zeros }, build];
  }
  const sometimes = (key: string, value: unknown) => {
    if (random(3) === 0) policy[key] = value;
  };
  if (random(6) > 0) policy["allow_simulated"] = true;
  sometimes(
    "accepted_statuses",
    everyTcbStatus.filter((status) => status !== "Revoked"),
  );
  sometimes("accepted_statuses", ["UpToDate", "ConfigurationNeeded", "SWHardeningNeeded"]);
  sometimes("grace_days", random(367));
  sometimes("collateral_age_s_max", random(40 * 24 * 3600));
  sometimes("tcb_evaluation_number_min", random(20));
  sometimes("accepted_advisories", ["INTEL-SA-00615", "INTEL-SA-00289"]);
  sometimes("allow_debug", true);
  sometimes("require_sept_ve_disable", false);
  if (report.tee === "TDX") {
    sometimes("mrseams", [random(2) === 0 ? zeros : toHex(report.mrseam)]);
    const service = report.since15?.mrservicetd ?? new Uint8Array(48);
    sometimes("mrservicetds", [toHex(service)]);
  }
  return JSON.stringify(policy);
}

async function comparePolicies(comparison: Comparison): Promise<boolean> {
  const random = randomOf(2);
  for (const one of [...realCases(), ...syntheticCases()]) {
    await comparison.evidence(one, policyFor(one, random));
  }
  return comparison.finish("under policies");
}

async function compareCases(comparison: Comparison): Promise<boolean> {
  for (const one of realCases()) await comparison.evidence(one);
  let all = comparison.finish("real sets");
  for (const one of changedCases()) await comparison.evidence(one);
  all = comparison.finish("changed real sets") && all;
  for (const one of syntheticCases()) await comparison.evidence(one);
  all = comparison.finish("sets of the test PKI") && all;
  for (const entry of readManifest().eventlogs) {
    await comparison.eventLog(entry.file, readShared(entry.quote), readShared(entry.file));
  }
  all = comparison.finish("event logs") && all;
  all = (await comparePolicies(comparison)) && all;
  return (await compareReceipts(comparison)) && all;
}

/** Exit code 1 where anything differs. */
export async function main([program, mutations, seed]: readonly string[]): Promise<number> {
  if (program === undefined) {
    process.stderr.write("usage: npm run conformance -- PROGRAM [MUTATIONS [SEED]]\n");
    return 2;
  }
  const folder = mkdtempSync(join(tmpdir(), "teetee-conformance-"));
  try {
    const comparison = new Comparison(program, folder);
    const all =
      mutations === undefined
        ? await compareCases(comparison)
        : await compareMutations(comparison, Number(mutations), Number(seed ?? 1));
    return all ? 0 : 1;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
