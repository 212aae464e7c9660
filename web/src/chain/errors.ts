// SPDX-License-Identifier: Apache-2.0
import { decodeErrorResult, formatEther, type Hex } from "viem";
import { TeeTeeError } from "../base/error";
import { teeTeeAbi } from "./abi";

type Arguments = readonly unknown[];

function timeText(seconds: unknown): string {
  const milliseconds = Number(seconds) * 1000;
  const isTime = milliseconds >= 0 && milliseconds < 8.64e15;
  return isTime ? new Date(milliseconds).toISOString().replace(".000Z", "Z") : String(seconds);
}

/** What a refusal of the contract means, and what helps. Numbers: what is there, what is needed. */
const hints: Readonly<Record<string, (values: Arguments) => string>> = {
  InsufficientCredits: ([have, need]) =>
    `the wallet has ${have} credits and this takes ${need}: buy credits first`,
  NotYours: ([have, need]) => `wallet ${have} may not do this, ${need} may: switch to that wallet`,
  UnknownPool: ([pool]) => `there is no pool ${pool}: choose one from the list of models`,
  PoolIsClosed: ([pool]) => `pool ${pool} takes no new nodes, vouchers or queries any more`,
  UnknownNode: ([node]) => `there is no node ${node}`,
  NodeHasLeft: () =>
    "a node that left does not come back: start it with a new state folder and register that one",
  KeyInUse: ([, node]) =>
    `the node is registered already, as number ${node}: renew it; if it runs other code now, start it with a new state folder`,
  TooManyNodes: ([have, most]) =>
    `this wallet has ${have} nodes in the pool, ${most} is the most: let one of them leave`,
  MeasurementUnknown: () =>
    "the pool does not accept this code: deploy the image that the pool names, or ask its creator to accept yours",
  MeasurementIsRevoked: () => "the pool's creator has revoked this code: deploy a newer image",
  MeasurementChanged: () =>
    "the node runs other code than it was registered with: start it with a new state folder and register that one",
  MeasurementKnown: () => "the pool accepts it already, or has revoked it for good",
  UnknownSlot: ([have, count]) => `there is no slot ${have}, the pool has ${count}`,
  TooEarly: ([have, need]) =>
    `not yet: it is ${timeText(have)}, this is possible from ${timeText(need)} on`,
  TooLate: ([have, most]) => `too late: ${timeText(have)} is behind ${timeText(most)}`,
  ZeroAmount: () => "there is nothing to pay or to take",
  ZeroAddress: () => "an address is missing",
  ZeroHash: () => "a hash is missing",
  WrongSigner: () => "the signature is not of the key that must sign: sign again",
  WrongPayment: ([have, need]) =>
    `the transaction pays ${formatEther(BigInt(String(have)))} ETH, the contract needs ${formatEther(BigInt(String(need)))}: prices have changed, try again`,
  WrongLength: ([have, most]) => `something is ${have} long, ${most} is the most`,
  UnknownVoucher: () => "this voucher was not opened, or not on this chain",
  UnknownQuery: ([query]) => `query ${query} is not there: it was served or reclaimed`,
  NotAnEntry: () => "the entry is not a live node of this pool: choose another entry",
  NotAContract: ([account]) => `${account} is no contract on this chain`,
  FailedCall: () => "the receiver takes no ETH: withdraw to another address",
  InsufficientBalance: () => "the contract has less ETH than that",
  ReentrancyGuardReentrantCall: () => "the receiver called back into the contract",
};

/** The names for which there is something to say; a test holds them against the contract's. */
export const explainedErrors: readonly string[] = Object.keys(hints);

/** What a revert says, in plain words; undefined for data that is none of the contract's errors. */
export function explainRevert(data: Hex): string | undefined {
  try {
    const { errorName, args } = decodeErrorResult({ abi: teeTeeAbi, data });
    const values: Arguments = args ?? [];
    const hint = hints[errorName];
    return `${errorName}(${values.map(String).join(", ")})${hint ? `: ${hint(values)}` : ""}`;
  } catch {
    return undefined;
  }
}

/** Of a thrown value and of what caused it. */
function* causesOf(thrown: unknown): Generator<Record<string, unknown>> {
  let at: unknown = thrown;
  for (let depth = 0; depth < 12 && typeof at === "object" && at !== null; depth++) {
    const members = at as Record<string, unknown>;
    yield members;
    // Wallets wrap what the node said in `data`, libraries in `cause`.
    const data = members["data"];
    if (typeof data === "object" && data !== null) yield data as Record<string, unknown>;
    at = members["cause"];
  }
}

function revertDataIn(thrown: unknown): Hex | undefined {
  for (const cause of causesOf(thrown)) {
    for (const member of [cause["data"], cause["raw"]]) {
      if (typeof member === "string" && /^0x([0-9a-fA-F]{2}){4,}$/.test(member)) {
        return member as Hex;
      }
    }
  }
  return undefined;
}

const rejectedByUser = 4001;
const chainUnknownToWallet = 4902;

function codesIn(thrown: unknown): number[] {
  const codes: number[] = [];
  for (const cause of causesOf(thrown)) {
    if (typeof cause["code"] === "number") codes.push(cause["code"]);
  }
  return codes;
}

function namesIn(thrown: unknown): string[] {
  const names: string[] = [];
  for (const cause of causesOf(thrown)) {
    if (typeof cause["name"] === "string") names.push(cause["name"]);
  }
  return names;
}

/** Whatever its sentence is, none of the words of a wallet or node is needed beyond so many. */
function briefly(thrown: unknown): string {
  const members = [...causesOf(thrown)];
  const short = members.map((one) => one["shortMessage"]).find((one) => typeof one === "string");
  const text = short ?? members.map((one) => one["message"]).find((one) => typeof one === "string");
  return printable(typeof text === "string" ? text : "nothing more is known");
}

function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]+/g, " ").slice(0, 200);
}

/**
 * What went wrong with a wallet, an RPC endpoint or the contract, with what to do. Codes:
 * `cancelled` (the user said no), `call_reverted` (the contract refuses), `chain_mismatch`,
 * `payment_required` (no ETH for the transaction), `timed_out`, `rpc_unavailable`,
 * `rpc_refused`, and those of agreeingTransport.
 */
export function explainChainError(thrown: unknown): TeeTeeError {
  // Our own, from below a library.
  for (const cause of causesOf(thrown)) if (cause instanceof TeeTeeError) return cause;
  const codes = codesIn(thrown);
  const names = namesIn(thrown);
  const text = briefly(thrown);
  if (codes.includes(rejectedByUser) || names.includes("UserRejectedRequestError")) {
    return new TeeTeeError("cancelled", "the wallet was told not to");
  }
  const data = revertDataIn(thrown);
  const reason = data ? explainRevert(data) : undefined;
  if (reason) return new TeeTeeError("call_reverted", reason);
  if (codes.includes(chainUnknownToWallet)) {
    return new TeeTeeError("chain_mismatch", "the wallet does not know this chain: add it there");
  }
  if (names.includes("ChainMismatchError")) {
    return new TeeTeeError("chain_mismatch", "the wallet is on another chain: switch it");
  }
  if (names.includes("InsufficientFundsError") || /insufficient funds/i.test(text)) {
    return new TeeTeeError("payment_required", "the wallet lacks ETH for this transaction");
  }
  if (data || names.includes("ExecutionRevertedError")) {
    return new TeeTeeError("call_reverted", `the contract refuses: ${text}`);
  }
  if (names.includes("WaitForTransactionReceiptTimeoutError")) {
    return new TeeTeeError("timed_out", "the transaction is in no block that was seen yet");
  }
  if (names.includes("TimeoutError")) {
    return new TeeTeeError("timed_out", "the RPC endpoint did not answer in time: try again");
  }
  if (names.includes("HttpRequestError") || names.includes("WebSocketRequestError")) {
    return new TeeTeeError("rpc_unavailable", "the RPC endpoint cannot be reached: try again");
  }
  return new TeeTeeError("rpc_refused", text);
}
