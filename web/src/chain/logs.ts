// SPDX-License-Identifier: Apache-2.0
import {
  type Client,
  type ContractEventArgs,
  type ContractEventName,
  decodeEventLog,
  encodeEventTopics,
  type GetEventArgs,
  type Hex,
  numberToHex,
} from "viem";
import { fail, TeeTeeError } from "../base/error";
import { teeTeeAbi } from "./abi";
import { isHexOf } from "./deployment";
import { explainChainError } from "./errors";
import type { ChainReader } from "./reads";

// The contract's events, read in ranges: endpoints limit blocks, logs and time in ways that only
// trying tells.

export type EventName = ContractEventName<typeof teeTeeAbi>;

/** All arguments of an event, by name. */
export type EventArgs<N extends EventName> = GetEventArgs<
  typeof teeTeeAbi,
  N,
  { EnableUnion: false; IndexedOnly: false; Required: true }
>;

/** An event of the contract, with where it stands. */
export interface ContractEvent<N extends EventName> {
  readonly name: N;
  readonly args: EventArgs<N>;
  readonly block: bigint;
  readonly logIndex: number;
  readonly transaction: Hex;
}

export interface LogQuery<N extends EventName> {
  readonly event: N;
  /** Indexed arguments that must be so. */
  readonly args?: ContractEventArgs<typeof teeTeeAbi, N>;
  readonly fromBlock: bigint;
  readonly toBlock: bigint;
  readonly signal?: AbortSignal;
  /** Share of the blocks that have been read, 0 to 1. */
  readonly onProgress?: (share: number) => void;
}

/** Blocks in the first range, and the most in any. */
const rangeFirst = 10_000n;
const rangeMost = 1_000_000n;
/** Of one answer, and of all. */
const logsMax = 10_000;
const logsInAllMax = 100_000;
/** So many failures at one block are no limit of the endpoint's. */
const failuresMax = 3;

interface RawLog {
  readonly topics: [Hex, ...Hex[]];
  readonly data: Hex;
  readonly block: bigint;
  readonly logIndex: number;
  readonly transaction: Hex;
}

function isQuantity(value: unknown): value is Hex {
  return typeof value === "string" && /^0x[0-9a-f]{1,16}$/i.test(value);
}

/** One log as an endpoint sends it; `removed` ones are none. */
function parseLog(value: unknown, address: string): RawLog {
  const log = (value ?? {}) as Record<string, unknown>;
  const { topics, data, blockNumber, logIndex, transactionHash } = log;
  const isLog =
    Array.isArray(topics) &&
    topics.length >= 1 &&
    topics.length <= 4 &&
    topics.every((topic) => typeof topic === "string" && isHexOf(topic, 32)) &&
    typeof data === "string" &&
    /^0x([0-9a-f]{2})*$/i.test(data) &&
    isQuantity(blockNumber) &&
    isQuantity(logIndex) &&
    typeof transactionHash === "string" &&
    isHexOf(transactionHash, 32) &&
    typeof log["address"] === "string" &&
    log["address"].toLowerCase() === address.toLowerCase() &&
    log["removed"] !== true;
  if (!isLog) return fail("rpc_malformed", "rpc: a log is none of this contract's");
  return {
    topics: topics as [Hex, ...Hex[]],
    data: data as Hex,
    block: BigInt(blockNumber),
    logIndex: Number(logIndex),
    transaction: transactionHash as Hex,
  };
}

async function fetchRange(
  client: Client,
  address: Hex,
  topics: unknown,
  from: bigint,
  to: bigint,
): Promise<RawLog[]> {
  // The types of viem's clients know the method; that of a client in general does not.
  const request = client.request as (call: {
    method: string;
    params: unknown[];
  }) => Promise<unknown>;
  const answer = await request({
    method: "eth_getLogs",
    params: [{ address, topics, fromBlock: numberToHex(from), toBlock: numberToHex(to) }],
  });
  if (!Array.isArray(answer) || answer.length > logsMax) {
    return fail("rpc_malformed", `rpc: need a list of at most ${logsMax} logs`);
  }
  const logs = answer.map((log) => parseLog(log, address));
  if (logs.some((log) => log.block < from || log.block > to)) {
    fail("rpc_malformed", "rpc: a log is outside of the range that was asked for");
  }
  return logs;
}

function decode<N extends EventName>(name: N, log: RawLog): ContractEvent<N> {
  try {
    const decoded = decodeEventLog({
      abi: teeTeeAbi,
      eventName: name,
      topics: log.topics,
      data: log.data,
      strict: true,
    });
    return {
      name,
      args: decoded.args as unknown as ContractEvent<N>["args"],
      block: log.block,
      logIndex: log.logIndex,
      transaction: log.transaction,
    };
  } catch {
    return fail("abi_malformed", `rpc: a log is no ${name}`);
  }
}

/**
 * All events of a name in a range of blocks, in the order of the chain. A range that the endpoint
 * refuses is halved; one that it takes well is doubled. Errors: `cancelled`; `limit_exceeded` beyond
 * 100,000 events; `rpc_malformed`, `abi_malformed`; those of explainChainError where even one block
 * is refused.
 */
export async function readEvents<N extends EventName>(
  reader: ChainReader,
  query: LogQuery<N>,
): Promise<ContractEvent<N>[]> {
  const { contract } = reader.deployment;
  const topics = encodeEventTopics({
    abi: teeTeeAbi,
    eventName: query.event,
    ...(query.args === undefined ? {} : { args: query.args }),
  } as Parameters<typeof encodeEventTopics>[0]);
  const events: ContractEvent<N>[] = [];
  const all = query.toBlock - query.fromBlock + 1n;
  let range = rangeFirst;
  let failures = 0;
  let from = query.fromBlock;
  while (from <= query.toBlock) {
    if (query.signal?.aborted) fail("cancelled", "reading of events was stopped");
    const end = from + range - 1n;
    const to = end < query.toBlock ? end : query.toBlock;
    let logs: RawLog[];
    try {
      logs = await fetchRange(reader.client, contract, topics, from, to);
    } catch (thrown) {
      if (thrown instanceof TeeTeeError) throw thrown;
      if (to === from && ++failures >= failuresMax) throw explainChainError(thrown);
      range = to > from ? (to - from + 1n) / 2n : 1n;
      continue;
    }
    failures = 0;
    for (const log of logs) events.push(decode(query.event, log));
    if (events.length > logsInAllMax) {
      fail("limit_exceeded", `events: have more than ${logsInAllMax}, choose fewer blocks`);
    }
    from = to + 1n;
    if (range < rangeMost) range *= 2n;
    query.onProgress?.(Number(((from - query.fromBlock) * 1000n) / all) / 1000);
  }
  return events.sort((a, b) =>
    a.block === b.block ? a.logIndex - b.logIndex : a.block < b.block ? -1 : 1,
  );
}
