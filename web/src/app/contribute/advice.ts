// SPDX-License-Identifier: Apache-2.0
import type { TeeTeeError } from "../../base/error";

// What a host can do about an error. Errors themselves say what is there and what is needed.

const loopback = /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/;

/**
 * Why this page may not ask a node's address, before it tries: browsers do not say. undefined where
 * it may. `page` is where the page itself came from.
 */
export function problemOfNodeUrl(
  text: string,
  page: Pick<Location, "protocol">,
): string | undefined {
  let url: URL;
  try {
    url = new URL(text.trim());
  } catch {
    return "This is no URL: paste the node's status address, such as https://..-5001.gateway.example.";
  }
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    return `A node's status address begins with https:// or http://, this one with ${url.protocol}//. tls:// is where other nodes link to it; its port 5001 is what this page asks.`;
  }
  if (url.protocol === "http:" && !loopback.test(url.hostname)) {
    return page.protocol === "https:"
      ? "This page came by https, so the browser lets it ask nothing by http. Use the https address of port 5001 that your gateway gives, or paste what the address shows below."
      : "This page may ask other machines by https alone. Use the https address of port 5001 that your gateway gives, or paste what the address shows below.";
  }
  return undefined;
}

const byCode: Readonly<Record<string, string>> = {
  connect_failed:
    "Open the URL in a new tab. If nothing comes, the node does not run or its port 5001 (--status) is not published: look at its log. If a text comes, browsers may not read it from here: paste that text below.",
  timed_out: "The node is slow or not there: look at its log, and try again.",
  route_unknown:
    "Either this is another port of the node (its status address is port 5001), or the node signs for no host: set TEETEE_POOL, TEETEE_SLOT and TEETEE_HOST in .env and start it again.",
  http_malformed: "What answers there is no node's status address. It is port 5001 of the node.",
  invalid_json: "What answers there is no node's status address. It is port 5001 of the node.",
  config_invalid:
    "What answers there is no registration as this page knows it. Is it port 5001 of a node of this version?",
  body_too_large: "What answers there is no node's status address. It is port 5001 of the node.",
  not_ready: "The node is still starting: it verifies its shard first. Try again in a minute.",
  signature_invalid:
    "The registration was changed on its way, or is of another node. Fetch it anew, by https.",
  quote_malformed:
    "What the node shows is no quote: something on the way changed it. Fetch it anew.",
  quote_signature_invalid:
    "The quote was changed on its way, or no TEE made it. Fetch the registration anew; if it stays so, start the node again.",
  certificate_chain_invalid:
    "The quote's certificates do not belong together: it was changed on its way, or no TEE made it.",
  report_data_mismatch:
    "Quote and statement do not belong together: something on the way changed one of them. Fetch the registration anew.",
  statement_expired:
    "The statement is out of date, or a clock is wrong. A node makes a new one at half of its statement's life: look at its log, or start it again.",
  statement_malformed: "The node runs another version: deploy the image that the pool names.",
  measurement_rejected:
    "The pool does not accept this code. Deploy exactly the image and the compose file from above, or ask the pool's creator to accept yours (teetee pool measurement accept); it counts a day later.",
  shard_rejected:
    "The node serves another shard than the pool's manifest has. Let it fetch its shard anew.",
  simulated_rejected:
    "The TEE is simulated, and this pool takes real ones alone. Deploy on a TDX machine.",
  root_untrusted:
    "The quote is of no TEE that the pool's policy trusts: it must be made by real TDX hardware, or by a simulated TEE with the seed that the policy names.",
  collateral_missing:
    "This entry has no documents of Intel's for the node's platform. Let the node link to the network first, or register it with 'teetee host --deployed URL', which fetches them itself.",
  collateral_expired:
    "Intel's documents are out of date at this entry. Try again, or another entry.",
  tcb_status_rejected:
    "The machine's firmware is out of date. Its owner must update it; the pool's policy says what is accepted.",
  advisory_rejected: "A security advisory is open on the machine. Its owner must update it.",
  attributes_rejected: "The TD was started with settings that the policy refuses, such as DEBUG.",
  platform_rejected: "The pool takes listed machines alone. Ask its creator to list yours.",
  policy_malformed: "The pool's policy is of a form that this page does not know.",
  not_found: "The contract has no such pool: choose one above.",
  payment_required: "Send some ETH to the wallet: it pays the gas of the registration.",
  rpc_unavailable:
    "The chain's RPC endpoint does not answer. Try again, or name another in the settings.",
  chain_mismatch: "Switch the wallet to the network's chain.",
};

/** By the field that an error of kind `statement_mismatch` begins with. */
const byField: readonly (readonly [start: RegExp, advice: string])[] = [
  [
    /^registration\.host/,
    "Connect the wallet that the node names, or set TEETEE_HOST to yours and start the node again.",
  ],
  [
    /^registration\.(?:chain_id|contract)/,
    "The node is of another contract: take TEETEE_CONTRACT and TEETEE_CHAIN_ID from the .env above.",
  ],
  [
    /^registration\.pool/,
    "The node serves another pool: choose that one above, or set TEETEE_POOL and start it again.",
  ],
  [
    /^registration\.slot/,
    "The node serves another slot: choose that one above, or set TEETEE_SLOT and start it again.",
  ],
  [
    /^(?:statement\.)?policy_hash/,
    "The node has another policy file than the pool: let it fetch the pool's, and start it again.",
  ],
  [
    /^(?:statement\.)?model_root|^manifest/,
    "The node serves another model than the pool: let it fetch its files anew.",
  ],
];

/** What helps; undefined where the error says all that is to say. */
export function adviceOn(error: Pick<TeeTeeError, "code" | "detail">): string | undefined {
  if (error.code === "statement_mismatch") {
    return (
      byField.find(([start]) => start.test(error.detail))?.[1] ??
      "Node and pool do not agree: set the node's variables as in the .env above, and start it again."
    );
  }
  return byCode[error.code];
}
