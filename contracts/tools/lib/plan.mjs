// SPDX-License-Identifier: Apache-2.0
// What is deployed for each kind of verifier, in which order, with which arguments.

/// Intel's names of TCB statuses by the numbers of src/attestation/TcbStatus.sol.
const STATUSES = [
  "UpToDate",
  "SWHardeningNeeded",
  "ConfigurationAndSWHardeningNeeded",
  "ConfigurationNeeded",
  "OutOfDate",
  "OutOfDateConfigurationNeeded",
  "Revoked",
  "Unrecognised",
  "TDRelaunchAdvised",
  "TDRelaunchAdvisedConfigurationNeeded",
];
const NOBODY = "0x" + "00".repeat(20);
/// Automata's AutomataDcapAttestationFee, by chain id.
const AUTOMATA = {
  8453: "0xaddec7e85c2182202b66e331f2a4a0bbb2ceea1f",
  84532: "0xaddec7e85c2182202b66e331f2a4a0bbb2ceea1f",
};

export const KINDS = ["dev", "quote", "automata"];

/// Steps of { name, args }, where an argument may be the address of a step before: { step: name }.
/// The last is TeeTee, the one before it the verifier.
export function stepsFor(kind, config, chainId, weiPerCredit) {
  const makers = { dev: devSteps, quote: quoteSteps, automata: automataSteps };
  return [...makers[kind](config, chainId), { name: "TeeTee", args: [weiPerCredit] }];
}

function devSteps(config) {
  ensureMembers("the configuration", config, []);
  return [{ name: "DevVerifier", args: [] }];
}

function automataSteps(config, chainId) {
  ensureMembers("the configuration", config, ["attester", "accepted_statuses"]);
  const attester = config.attester ?? AUTOMATA[chainId];
  if (!attester) throw new Error(`attester: Automata's contract on chain ${chainId} is not known; need it in --config`);
  return [{ name: "AutomataVerifier", args: [attester, statusSet(config.accepted_statuses)] }];
}

function quoteSteps(config) {
  ensureMembers("the configuration", config, ["accepted_statuses", "evaluation_number_min", "verdicts", "quorum"]);
  if (!config.verdicts === !config.quorum) {
    throw new Error("the configuration: need either verdicts, the address of a quorum, or quorum, to make one");
  }
  const statuses = statusSet(config.accepted_statuses);
  const evaluation = config.evaluation_number_min ?? 0;
  const steps = config.verdicts ? [] : [{ name: "VerifierQuorum", args: [quorumConfig(config.quorum, statuses, evaluation)] }];
  const verdicts = config.verdicts ?? { step: "VerifierQuorum" };
  return [...steps, { name: "QuoteVerifier", args: [verdicts, statuses, evaluation] }];
}

function quorumConfig(quorum, acceptedStatuses, evaluationNumberMin) {
  const members = ["threshold", "policy_hash", "measurements", "genesis_keys", "genesis_expiry", "root"];
  ensureMembers("quorum", quorum, members);
  return {
    threshold: quorum.threshold,
    acceptedStatuses,
    evaluationNumberMin,
    policyHash: quorum.policy_hash,
    measurements: ascending(quorum.measurements ?? []),
    genesisKeys: ascending(quorum.genesis_keys ?? []),
    genesisExpiry: quorum.genesis_expiry ?? 0,
    root: quorum.root ?? NOBODY,
  };
}

const ascending = (hexes) => [...hexes].map((hex) => hex.toLowerCase()).sort();

function statusSet(names = ["UpToDate"]) {
  return names.reduce((set, name) => {
    if (!STATUSES.includes(name)) throw new Error(`accepted_statuses: have ${name}, need some of ${STATUSES.join(", ")}`);
    return set | (1n << BigInt(STATUSES.indexOf(name)));
  }, 0n);
}

/// A misspelt member must not pass for one that was left out.
function ensureMembers(what, have, known) {
  const strange = Object.keys(have).filter((name) => !known.includes(name));
  if (strange.length) throw new Error(`${what}: have ${strange.join(", ")}, need ${known.join(", ") || "none"}`);
}
