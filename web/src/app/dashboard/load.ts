// SPDX-License-Identifier: Apache-2.0
// What the contract says of a wallet, by calls of this page; entries only hint at where to look.
import type { Address, Hex } from "viem";
import { getBlock } from "viem/actions";
import { isSameAddress } from "../../chain/deployment";
import { explainChainError } from "../../chain/errors";
import { readEvents } from "../../chain/logs";
import {
  readBalance,
  readEarnings,
  readHead,
  readHostNodes,
  readIsLive,
  readNode,
  readQuery,
  readRefund,
  readVoucher,
  readWeiPerCredit,
  type ChainReader,
  type NodeInfo,
  type QueryState,
  type Refund,
  type VoucherState,
} from "../../chain/reads";
import { fetchPools, type Pool } from "../../client/entries";
import type { ConnectedChain } from "../network/connection";
import { interpolateTime, spread, type TimedAmount } from "./series";

/** A host has no more nodes in a pool, and this page looks into no more pools. */
const poolsMax = 64;
/** Times of blocks that are asked for; those between them follow. */
const blockTimesMax = 60;
/** Of each kind, the newest. */
export const vouchersMax = 50;

export interface HostNode extends NodeInfo {
  readonly id: bigint;
  readonly isLive: boolean;
  /** Layers, first and last; undefined where the pool is not known. */
  readonly layers: readonly [number, number] | undefined;
  readonly endpoint: string;
}

export interface AccountState {
  readonly address: Address;
  /** Of the newest block, Unix seconds. */
  readonly now: number;
  readonly block: bigint;
  readonly weiPerCredit: bigint;
  readonly nodes: readonly HostNode[];
  readonly earnings: bigint;
  readonly balance: bigint;
  readonly refund: Refund;
}

/** Pools of the contract as the entry lists them; none where it lists none. */
async function poolsOf(url: string, signal: AbortSignal): Promise<Pool[]> {
  try {
    const { pools } = await fetchPools(url, { signal });
    return pools.slice(0, poolsMax);
  } catch {
    return [];
  }
}

async function hostNode(
  reader: ChainReader,
  id: bigint,
  pool: Pool | undefined,
): Promise<HostNode> {
  const [info, isLive] = await Promise.all([readNode(reader, id), readIsLive(reader, id)]);
  const slot = pool?.slots.find((one) => one.slot === info.slot);
  const listed = slot?.nodes.find((one) => one.node === id);
  const layers = slot && ([slot.layers.begin, slot.layers.end - 1] as const);
  return { ...info, id, isLive, layers, endpoint: listed?.endpoint ?? "" };
}

/** Errors: those of reading the chain. */
export async function loadAccount(
  url: string,
  chain: ConnectedChain,
  address: Address,
  signal: AbortSignal,
): Promise<AccountState> {
  const { reader } = chain;
  const pools = await poolsOf(url, signal);
  const numbers = [...new Set([chain.pool, ...pools.map((pool) => pool.pool)])];
  const [head, weiPerCredit, earnings, balance, refund, ...ids] = await Promise.all([
    readHead(reader),
    readWeiPerCredit(reader),
    readEarnings(reader, address),
    readBalance(reader, address),
    readRefund(reader, address),
    ...numbers.map((pool) => readHostNodes(reader, pool, address)),
  ]);
  const nodes = await Promise.all(
    numbers.flatMap((number, i) =>
      (ids[i] ?? []).map((id) =>
        hostNode(
          reader,
          id,
          pools.find((pool) => pool.pool === number),
        ),
      ),
    ),
  );
  const { timestamp: now, number: block } = head;
  return { address, now, block, weiPerCredit, nodes, earnings, balance, refund };
}

export interface Earning extends TimedAmount {
  /** Undefined for what a pool's creator gets of it. */
  readonly node: bigint | undefined;
  readonly pool: bigint;
  readonly transaction: Hex;
}

export interface EarningsHistory {
  readonly earned: readonly Earning[];
  readonly withdrawn: readonly (TimedAmount & { readonly transaction: Hex })[];
  /** Some times lie between those of blocks that were asked for. */
  readonly isInterpolated: boolean;
}

export interface HistoryCall {
  readonly signal: AbortSignal;
  /** 0 to 1. */
  readonly onProgress: (share: number) => void;
}

async function blockTimes(reader: ChainReader, blocks: readonly bigint[]) {
  const unique = [...new Set(blocks)].sort((a, b) => (a < b ? -1 : 1));
  const asked = spread(unique, blockTimesMax);
  const known = await Promise.all(
    asked.map(async (blockNumber) => {
      try {
        const { timestamp } = await getBlock(reader.client, { blockNumber });
        return [blockNumber, Number(timestamp)] as const;
      } catch (thrown) {
        throw explainChainError(thrown);
      }
    }),
  );
  return {
    timeOf: (block: bigint) => interpolateTime(known, block),
    isInterpolated: asked.length < unique.length,
  };
}

/** What a host was paid for work, a creator as fees, and took out. Errors: those of readEvents; `cancelled`. */
export async function loadEarnings(
  chain: ConnectedChain,
  address: Address,
  toBlock: bigint,
  { signal, onProgress }: HistoryCall,
): Promise<EarningsHistory> {
  const { reader, fromBlock } = chain;
  const range = { fromBlock, toBlock, signal };
  const earned = await readEvents(reader, {
    event: "Earned",
    args: { host: address },
    ...range,
    onProgress: (share) => onProgress(share / 3),
  });
  const fees = await readEvents(reader, {
    event: "FeeEarned",
    args: { creator: address },
    ...range,
    onProgress: (share) => onProgress((1 + share) / 3),
  });
  const withdrawn = await readEvents(reader, {
    event: "EarningsWithdrawn",
    args: { account: address },
    ...range,
    onProgress: (share) => onProgress((2 + share) / 3),
  });
  const blocks = [...earned, ...fees, ...withdrawn].map((event) => event.block);
  const { timeOf, isInterpolated } = await blockTimes(reader, blocks);
  return {
    isInterpolated,
    earned: [
      ...earned.map((event) => ({ ...event, node: BigInt(event.args.node) })),
      ...fees.map((event) => ({ ...event, node: undefined })),
    ].map(({ args, node, block, transaction }) => ({
      time: timeOf(block),
      amount: args.amount,
      node,
      pool: BigInt(args.pool),
      transaction,
    })),
    withdrawn: withdrawn.map(({ args, block, transaction }) => ({
      time: timeOf(block),
      amount: args.amount,
      transaction,
    })),
  };
}

export interface PayerVoucher extends VoucherState {
  readonly id: Hex;
  readonly ceiling: bigint;
}

export interface PayerQuery extends QueryState {
  readonly id: bigint;
}

export interface PayerHistory {
  /** Newest first. */
  readonly vouchers: readonly PayerVoucher[];
  /** Those that are neither served nor reclaimed. */
  readonly queries: readonly PayerQuery[];
  readonly hasMore: boolean;
}

/** Vouchers that the wallet opened, and queries that it has paid for. */
export async function loadPayer(
  chain: ConnectedChain,
  address: Address,
  toBlock: bigint,
  { signal, onProgress }: HistoryCall,
): Promise<PayerHistory> {
  const { reader, fromBlock } = chain;
  const range = { fromBlock, toBlock, signal };
  const opened = await readEvents(reader, {
    event: "VoucherOpened",
    args: { payer: address },
    ...range,
    onProgress: (share) => onProgress(share / 2),
  });
  const paid = await readEvents(reader, {
    event: "QueryPaid",
    args: { payer: address },
    ...range,
    onProgress: (share) => onProgress(0.5 + share / 2),
  });
  const vouchers = await Promise.all(
    opened.slice(-vouchersMax).map(async ({ args }): Promise<PayerVoucher[]> => {
      const state = await readVoucher(reader, args.voucher);
      const isOwn = state !== undefined && isSameAddress(state.payer, address);
      return isOwn ? [{ ...state, id: args.voucher, ceiling: args.ceiling }] : [];
    }),
  );
  const queries = await Promise.all(
    paid.slice(-vouchersMax).map(async ({ args }): Promise<PayerQuery[]> => {
      const state = await readQuery(reader, BigInt(args.query));
      return state === undefined ? [] : [{ ...state, id: BigInt(args.query) }];
    }),
  );
  return {
    vouchers: vouchers.flat().reverse(),
    queries: queries.flat().reverse(),
    hasMore: opened.length > vouchersMax || paid.length > vouchersMax,
  };
}
