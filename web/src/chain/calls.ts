// SPDX-License-Identifier: Apache-2.0
import { type Address, type Client, encodeFunctionData, type Hex } from "viem";
import { call as ethCall } from "viem/actions";
import { fail } from "../base/error";
import { teeTeeAbi } from "./abi";
import type { Deployment } from "./deployment";
import { explainChainError } from "./errors";
import type { Prices } from "./reads";
import type { Voucher } from "./typedData";

// Transactions to the contract, as a wallet takes them (eth_sendTransaction).

export interface ContractCall {
  readonly to: Address;
  readonly data: Hex;
  /** Wei. */
  readonly value: bigint;
  readonly chainId: number;
}

function made(deployment: Deployment, data: Hex, value = 0n): ContractCall {
  return { to: deployment.contract, data, value, chainId: deployment.chainId };
}

function ensureAmount(credits: bigint): void {
  if (credits <= 0n || credits >= 1n << 64n) {
    fail("amount_malformed", `credits: have ${credits}, need 1 to 2^64 - 1`);
  }
}

/** Credits for the wallet that sends it. */
export function buyCall(deployment: Deployment, credits: bigint, weiPerCredit: bigint) {
  ensureAmount(credits);
  const data = encodeFunctionData({ abi: teeTeeAbi, functionName: "buy" });
  return made(deployment, data, credits * weiPerCredit);
}

/** Asks for ETH back; it can be taken a day later. Asking again begins the day anew. */
export function requestRefundCall(deployment: Deployment, credits: bigint) {
  ensureAmount(credits);
  const functionName = "requestRefund";
  return made(deployment, encodeFunctionData({ abi: teeTeeAbi, functionName, args: [credits] }));
}

export function cancelRefundCall(deployment: Deployment) {
  return made(deployment, encodeFunctionData({ abi: teeTeeAbi, functionName: "cancelRefund" }));
}

export function withdrawRefundCall(deployment: Deployment, to: Address) {
  const functionName = "withdrawRefund";
  return made(deployment, encodeFunctionData({ abi: teeTeeAbi, functionName, args: [to] }));
}

/** Anybody may send it; the payer's signature decides. Opening again changes nothing. */
export function openVoucherCall(deployment: Deployment, voucher: Voucher, signature: Hex) {
  ensureAmount(voucher.ceiling);
  const functionName = "openVoucher";
  return made(
    deployment,
    encodeFunctionData({ abi: teeTeeAbi, functionName, args: [voucher, signature] }),
  );
}

/** Its expiry is now; what is not claimed can be reclaimed a week later. */
export function endVoucherCall(deployment: Deployment, voucher: Hex) {
  const functionName = "endVoucher";
  return made(deployment, encodeFunctionData({ abi: teeTeeAbi, functionName, args: [voucher] }));
}

export function reclaimVoucherCall(deployment: Deployment, voucher: Hex) {
  const functionName = "reclaimVoucher";
  return made(deployment, encodeFunctionData({ abi: teeTeeAbi, functionName, args: [voucher] }));
}

export interface QueryTerms {
  readonly pool: bigint;
  /** The entry's receipt key. */
  readonly entry: Address;
  /** SHA-256 of the body that is paid for. */
  readonly requestHash: Hex;
  readonly maxPromptTokens: number;
  readonly maxCompletionTokens: number;
  /** Unix seconds, a day ahead at most. */
  readonly deadline: bigint;
}

/** Credits that the contract locks for a query; what is not used returns to the payer's credits. */
export function queryPrice(
  prices: Prices,
  tokens: { maxPromptTokens: number; maxCompletionTokens: number },
): bigint {
  return (
    BigInt(tokens.maxPromptTokens) * prices.prompt +
    BigInt(tokens.maxCompletionTokens) * prices.completion
  );
}

export function payQueryCall(
  deployment: Deployment,
  terms: QueryTerms,
  prices: Prices,
  weiPerCredit: bigint,
) {
  const credits = queryPrice(prices, terms);
  ensureAmount(credits);
  const { pool, entry, requestHash, maxPromptTokens, maxCompletionTokens, deadline } = terms;
  const args = [pool, entry, requestHash, maxPromptTokens, maxCompletionTokens, deadline] as const;
  const data = encodeFunctionData({ abi: teeTeeAbi, functionName: "payQuery", args });
  return made(deployment, data, credits * weiPerCredit);
}

export function reclaimQueryCall(deployment: Deployment, query: bigint) {
  const functionName = "reclaimQuery";
  return made(deployment, encodeFunctionData({ abi: teeTeeAbi, functionName, args: [query] }));
}

export interface RegistrationArguments {
  readonly pool: bigint;
  readonly slot: number;
  readonly receiptKey: Address;
  readonly statementHash: Hex;
  readonly endpoint: string;
  readonly evidence: Hex;
  readonly signature: Hex;
}

/** By the host's wallet. `fee` goes to the pool's verifier, wei. */
export function registerNodeCall(
  deployment: Deployment,
  registration: RegistrationArguments,
  fee = 0n,
) {
  const functionName = "registerNode";
  const args = [registration] as const;
  return made(deployment, encodeFunctionData({ abi: teeTeeAbi, functionName, args }), fee);
}

/** New evidence of the same key and code. */
export function renewNodeCall(
  deployment: Deployment,
  node: bigint,
  registration: RegistrationArguments,
  fee = 0n,
) {
  const { statementHash, endpoint, evidence, signature } = registration;
  const args = [node, { statementHash, endpoint, evidence, signature }] as const;
  const data = encodeFunctionData({ abi: teeTeeAbi, functionName: "renewNode", args });
  return made(deployment, data, fee);
}

/** Out of service for good. */
export function leaveNodeCall(deployment: Deployment, node: bigint) {
  const functionName = "leaveNode";
  return made(deployment, encodeFunctionData({ abi: teeTeeAbi, functionName, args: [node] }));
}

/** All that the wallet has earned, in ETH. */
export function withdrawCall(deployment: Deployment) {
  return made(deployment, encodeFunctionData({ abi: teeTeeAbi, functionName: "withdraw" }));
}

/**
 * Has the chain try a call without sending it, so that what the contract would refuse costs nothing.
 * Errors: those of explainChainError.
 */
export async function tryCall(client: Client, call: ContractCall, from: Address): Promise<void> {
  try {
    await ethCall(client, { account: from, to: call.to, data: call.data, value: call.value });
  } catch (thrown) {
    throw explainChainError(thrown);
  }
}
