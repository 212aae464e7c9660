// SPDX-License-Identifier: Apache-2.0
// What things mean, for people.

const statusWords: Readonly<Record<string, string>> = {
  UpToDate: "All of Intel's updates are in.",
  SWHardeningNeeded:
    "The platform has its updates; for the advisories below, the software in the TEE must protect itself.",
  ConfigurationNeeded:
    "The platform has its updates; a setting of it (such as hyper-threading or a BIOS option) leaves an advisory open.",
  ConfigurationAndSWHardeningNeeded:
    "The platform has its updates; a setting of it and protection in the TEE's software are still needed.",
  OutOfDate: "Updates of microcode, firmware or TDX module are missing: known weaknesses are open.",
  OutOfDateConfigurationNeeded:
    "Updates are missing, and a setting of the platform must change as well.",
  Revoked: "Intel has withdrawn its trust in this platform. Never rely on it.",
  TDRelaunchAdvised:
    "The platform was updated beneath this TD: it must be started anew to be under the new TDX module.",
  TDRelaunchAdvisedConfigurationNeeded:
    "The platform was updated beneath this TD, which must be started anew; a setting is open, too.",
};

export function tcbStatusWords(status: string | undefined): string {
  if (status === undefined) {
    return "Nobody has asked Intel's documents: there was no collateral for this platform.";
  }
  return statusWords[status] ?? "A status that this page does not know.";
}

/** What each check of a receipt shows once it has passed; by how its name begins. */
const receiptCheckWords: readonly (readonly [begin: string, words: string])[] = [
  [
    "evidence of",
    "Statement and quote belong together, the policy accepts them, and the weights are the manifest's.",
  ],
  ["signature of", "The record is signed by the key that exists only inside this TEE."],
  ["rows that left", "The leaves in the receipt are those whose digest the stage signed."],
  ["fresh quote of", "The quote was made for this answer: it is over this receipt's hash."],
  ["route", "Every layer was computed once, and in order."],
  ["hand-over", "Each stage took in exactly the rows that the one before sent."],
  ["tokens", "Each sampled token went in again, and the counts on the bill are those of the rows."],
  ["entry: signature over the receipt", "The entry has signed every field of this receipt."],
  ["entry: signature over the fresh", "The entry has signed the fresh quotes as they are."],
  ["opening", "Salt, tokens and sampling options are those that the stages worked with."],
  ["payment", "No more credits were charged than the tokens come to."],
  ["request", "The request at hand is the one that was answered."],
  ["answer", "The answer at hand is the one that was given."],
  ["notice", "Simulated evidence is called so, and real evidence is not."],
];

export function receiptCheckMeaning(name: string): string {
  return receiptCheckWords.find(([begin]) => name.startsWith(begin))?.[1] ?? "";
}

/** What to do about an error's code. */
const helpWords: Readonly<Record<string, string>> = {
  collateral_missing:
    "Intel's documents for this platform are missing: open the collateral of that time together with it.",
  collateral_expired:
    "Intel's documents were not in force at that time: open those of the time of the answer together with it.",
  receipt_malformed:
    "A receipt counts only as it was handed out, byte for byte. Take the file that was downloaded.",
  quote_malformed: "Bytes are missing or changed: take the quote again from where it came.",
  root_untrusted: "The certificates lead to a root that nobody here trusts.",
  measurement_rejected: "It is other code than the policy accepts.",
  statement_expired: "The node's statement was not valid at the time of the answer.",
};

export function helpFor(code: string | undefined): string | undefined {
  return code === undefined ? undefined : helpWords[code];
}
