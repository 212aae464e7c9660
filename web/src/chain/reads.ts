// SPDX-License-Identifier: Apache-2.0
import { type Address, type Client, type Hex, zeroAddress, zeroHash } from "viem";
import { getBlock, getChainId, getCode, readContract } from "viem/actions";
import { fail } from "../base/error";
import { teeTeeAbi } from "./abi";
import { type Deployment, toAddress } from "./deployment";
import { explainChainError } from "./errors";

// What the contract says, by eth_call, each on its own: anvil has no multicall contract, and one
// call that fails is to fail alone. Errors: those of explainChainError.

/** A contract that is asked over one RPC endpoint. */
export interface ChainReader {
  readonly client: Client;
  readonly deployment: Deployment;
}

export interface Prices {
  /** Credits a token. */
  readonly prompt: bigint;
  readonly completion: bigint;
}

export interface PoolInfo {
  readonly creator: Address;
  readonly nextCreator: Address;
  readonly modelRoot: Hex;
  /** SHA-256 of the policy file that is in force. */
  readonly policyHash: Hex;
  readonly verifier: Address;
  readonly prices: Prices;
  readonly feeBps: number;
  readonly closed: boolean;
  /** Layers of each slot, in order. */
  readonly slotLayers: readonly number[];
}

export interface NodeInfo {
  readonly receiptKey: Address;
  /** Unix seconds. */
  readonly expiry: number;
  readonly slot: number;
  readonly left: boolean;
  readonly host: Address;
  readonly pool: bigint;
  readonly measurement: Hex;
}

export interface VoucherState {
  readonly sessionKey: Address;
  /** Credits that are reserved yet. */
  readonly remaining: bigint;
  readonly pool: bigint;
  readonly payer: Address;
  /** Unix seconds. */
  readonly expiry: number;
}

export interface QueryState {
  readonly payer: Address;
  readonly locked: bigint;
  readonly entry: Address;
  /** Unix seconds. */
  readonly deadline: number;
}

export interface Refund {
  readonly amount: bigint;
  /** Unix seconds. */
  readonly readyAt: number;
}

async function read<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (thrown) {
    throw explainChainError(thrown);
  }
}

function target(reader: ChainReader) {
  return { address: reader.deployment.contract, abi: teeTeeAbi } as const;
}

/**
 * That the endpoint is of this chain and has a contract there. Errors: `chain_mismatch`, and those of
 * asking.
 */
export async function ensureDeployment(reader: ChainReader): Promise<void> {
  const { client, deployment } = reader;
  const chainId = await read(getChainId(client));
  if (chainId !== deployment.chainId) {
    fail("chain_mismatch", `rpc: have chain ${chainId}, need ${deployment.chainId}`);
  }
  const code = await read(getCode(client, { address: deployment.contract }));
  if (code === undefined || code === "0x") {
    fail("chain_mismatch", `rpc: there is no contract at ${deployment.contract}`);
  }
}

/** A pool's terms. Error: `not_found` for a number that is no pool's. */
export async function readPool(reader: ChainReader, pool: bigint): Promise<PoolInfo> {
  const { client } = reader;
  const info = await read(
    readContract(client, { ...target(reader), functionName: "poolInfo", args: [pool] }),
  );
  if (info.creator === zeroAddress) fail("not_found", `pool: the contract has no pool ${pool}`);
  return info;
}

export async function readIsAccepted(
  reader: ChainReader,
  pool: bigint,
  measurement: Hex,
): Promise<boolean> {
  return read(
    readContract(reader.client, {
      ...target(reader),
      functionName: "isAccepted",
      args: [pool, measurement],
    }),
  );
}

/** Error: `not_found` for a number that is no node's. */
export async function readNode(reader: ChainReader, node: bigint): Promise<NodeInfo> {
  const info = await read(
    readContract(reader.client, { ...target(reader), functionName: "nodeInfo", args: [node] }),
  );
  if (info.receiptKey === zeroAddress) fail("not_found", `node: the contract has no node ${node}`);
  return { ...info, pool: BigInt(info.pool) };
}

export async function readIsLive(reader: ChainReader, node: bigint): Promise<boolean> {
  return read(
    readContract(reader.client, { ...target(reader), functionName: "isLive", args: [node] }),
  );
}

/** Whether the wallet has a live node in the pool, and so uses it free of charge. */
export async function readIsHost(
  reader: ChainReader,
  pool: bigint,
  wallet: Address,
): Promise<boolean> {
  return read(
    readContract(reader.client, {
      ...target(reader),
      functionName: "isHost",
      args: [pool, wallet],
    }),
  );
}

/** Numbers of a host's nodes in a pool, those that left among them. */
export async function readHostNodes(
  reader: ChainReader,
  pool: bigint,
  host: Address,
): Promise<readonly bigint[]> {
  return read(
    readContract(reader.client, {
      ...target(reader),
      functionName: "hostNodes",
      args: [pool, host],
    }),
  );
}

/** 0 for a key that no node was registered with. */
export async function readNodeOfKey(reader: ChainReader, receiptKey: Address): Promise<bigint> {
  return read(
    readContract(reader.client, {
      ...target(reader),
      functionName: "nodeOfKey",
      args: [receiptKey],
    }),
  );
}

/** Spendable credits. */
export async function readBalance(reader: ChainReader, account: Address): Promise<bigint> {
  return read(
    readContract(reader.client, { ...target(reader), functionName: "balanceOf", args: [account] }),
  );
}

/** Credits on their way back to ETH. */
export async function readRefund(reader: ChainReader, account: Address): Promise<Refund> {
  const [amount, readyAt] = await read(
    readContract(reader.client, { ...target(reader), functionName: "refundOf", args: [account] }),
  );
  return { amount, readyAt: Number(readyAt) };
}

/** Credits that hosts and creators may withdraw. */
export async function readEarnings(reader: ChainReader, account: Address): Promise<bigint> {
  return read(
    readContract(reader.client, { ...target(reader), functionName: "earningsOf", args: [account] }),
  );
}

/** undefined for a voucher that was never opened. */
export async function readVoucher(
  reader: ChainReader,
  voucher: Hex,
): Promise<VoucherState | undefined> {
  const [sessionKey, remaining, pool, payer, expiry] = await read(
    readContract(reader.client, { ...target(reader), functionName: "voucherOf", args: [voucher] }),
  );
  if (payer === zeroAddress) return undefined;
  return { sessionKey, remaining, pool: BigInt(pool), payer, expiry };
}

/** undefined for a query that was never paid, or is settled or reclaimed. */
export async function readQuery(
  reader: ChainReader,
  query: bigint,
): Promise<QueryState | undefined> {
  const [payer, locked, entry, deadline] = await read(
    readContract(reader.client, { ...target(reader), functionName: "queryOf", args: [query] }),
  );
  return payer === zeroAddress ? undefined : { payer, locked, entry, deadline };
}

/** When a settlement's receipts were anchored, Unix seconds; undefined where they were not. */
export async function readAnchoredAt(
  reader: ChainReader,
  entryNode: bigint,
  receiptsRoot: Hex,
): Promise<number | undefined> {
  if (receiptsRoot === zeroHash) return undefined;
  const at = await read(
    readContract(reader.client, {
      ...target(reader),
      functionName: "anchoredAt",
      args: [entryNode, receiptsRoot],
    }),
  );
  return at === 0n ? undefined : Number(at);
}

export async function readWeiPerCredit(reader: ChainReader): Promise<bigint> {
  return read(readContract(reader.client, { ...target(reader), functionName: "WEI_PER_CREDIT" }));
}

/** Number and time of the newest block. */
export async function readHead(
  reader: ChainReader,
): Promise<{ readonly number: bigint; readonly timestamp: number }> {
  const block = await read(getBlock(reader.client, { blockTag: "latest" }));
  if (block.number === null) return fail("rpc_malformed", "rpc: the newest block has no number");
  return { number: block.number, timestamp: Number(block.timestamp) };
}

/** When a block was made, Unix seconds. */
export async function readBlockTime(reader: ChainReader, number: bigint): Promise<number> {
  const block = await read(getBlock(reader.client, { blockNumber: number }));
  return Number(block.timestamp);
}

/** An account, checked, for reads by what a user typed. */
export function accountOf(text: string): Address {
  return toAddress(text.trim(), "account");
}
