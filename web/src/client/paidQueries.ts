// SPDX-License-Identifier: Apache-2.0
import { type Address, type Hex, parseEventLogs, TransactionReceiptNotFoundError } from "viem";
import { getTransaction, getTransactionCount, getTransactionReceipt } from "viem/actions";
import { fail } from "../base/error";
import { teeTeeAbi } from "../chain/abi";
import { isHexOf, isSameAddress } from "../chain/deployment";
import { explainChainError } from "../chain/errors";
import { readEvents } from "../chain/logs";
import { type ChainReader, readHead } from "../chain/reads";
import { readStoredList, type TextStorage, writeStoredList } from "./storedList";

// Questions for which a wallet was asked to send a transaction, kept until the contract is done with
// them: whatever becomes of the page, what was paid is found again, and not paid a second time.

export interface QueryOwner {
  readonly chainId: number;
  readonly contract: Address;
  readonly pool: bigint;
  readonly payer: Address;
}

/** Of a question itself there is its hash alone. */
export interface PaidQuery extends QueryOwner {
  /** Receipt key. */
  readonly entry: Address;
  readonly requestHash: Hex;
  /** Members of its body that the page made: with them the same question has the same hash. */
  readonly salt: string;
  readonly seed: number;
  /** Credits, the most that it may cost. */
  readonly locked: bigint;
  /** Its transaction is in no block before this one. */
  readonly fromBlock: bigint;
  /** By the chain's clock, Unix seconds, as is the next. */
  readonly askedAt: number;
  readonly deadline: number;
  /** Likewise, when the entry first said that it does not know it. */
  readonly unknownAt?: number;
  /** Once the wallet has told it. */
  readonly transaction?: Hex;
  readonly nonce?: number;
  /** Once it is in a block. */
  readonly query?: bigint;
  /** It was answered, or its entry does not take it any more: it pays for nothing else. */
  readonly isUsed: boolean;
}

/** Behind its deadline an entry may still claim a query for so long (Limits.QUERY_GRACE). */
export const queryGraceSeconds = 86_400;

const storageKey = "teetee.queries";
const queriesMax = 64;

function bigOf(value: unknown): bigint | undefined {
  return typeof value === "string" && /^\d{1,20}$/.test(value) ? BigInt(value) : undefined;
}

function isHex(value: unknown, bytes: number): value is Hex {
  return typeof value === "string" && isHexOf(value, bytes);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** undefined for what is none: somebody else may have written it. */
function queryOf(value: unknown): PaidQuery | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const from = value as Record<string, unknown>;
  const { chainId, contract, payer, entry, requestHash, salt, seed, askedAt, deadline } = from;
  const { transaction, nonce, isUsed, unknownAt } = from;
  const [pool, locked, fromBlock] = [from["pool"], from["locked"], from["fromBlock"]].map(bigOf);
  const query = from["query"] === undefined ? undefined : bigOf(from["query"]);
  const isWhole =
    [chainId, seed, askedAt, deadline].every(isCount) &&
    [contract, payer, entry].every((one) => isHex(one, 20)) &&
    isHex(requestHash, 32) &&
    typeof salt === "string" &&
    /^[0-9a-f]{32}$/.test(salt) &&
    (transaction === undefined || isHex(transaction, 32)) &&
    (nonce === undefined || isCount(nonce)) &&
    (unknownAt === undefined || isCount(unknownAt)) &&
    (from["query"] === undefined || query !== undefined);
  if (!isWhole || pool === undefined || locked === undefined || fromBlock === undefined) {
    return undefined;
  }
  return {
    chainId: chainId as number,
    contract: contract as Hex,
    pool,
    payer: payer as Hex,
    entry: entry as Hex,
    requestHash,
    salt,
    seed: seed as number,
    locked,
    fromBlock,
    askedAt: askedAt as number,
    deadline: deadline as number,
    ...(unknownAt === undefined ? {} : { unknownAt }),
    ...(transaction === undefined ? {} : { transaction }),
    ...(nonce === undefined ? {} : { nonce }),
    ...(query === undefined ? {} : { query }),
    isUsed: isUsed === true,
  };
}

function isOf(query: PaidQuery, owner: QueryOwner): boolean {
  return (
    query.chainId === owner.chainId &&
    isSameAddress(query.contract, owner.contract) &&
    query.pool === owner.pool &&
    isSameAddress(query.payer, owner.payer)
  );
}

function isSame(a: PaidQuery, b: PaidQuery): boolean {
  return (
    isOf(a, b) &&
    isSameAddress(a.entry, b.entry) &&
    a.requestHash === b.requestHash &&
    a.fromBlock === b.fromBlock
  );
}

/** The paid questions of this browser, newest first. One for the page's life. */
export class PaidQueries {
  /** What gives back the lock that other tabs see, by request. */
  private readonly busy = new Map<string, () => void>();

  constructor(private readonly storage: TextStorage) {}

  private all(): PaidQuery[] {
    return readStoredList(this.storage, storageKey, queriesMax, queryOf);
  }

  private write(queries: readonly PaidQuery[]): void {
    // Where there are too many, the oldest go that pay for nothing any more.
    const kept = [...queries];
    while (kept.length > queriesMax) {
      kept.splice(
        kept.findLastIndex(({ isUsed }) => isUsed),
        1,
      );
    }
    try {
      writeStoredList(this.storage, storageKey, kept);
    } catch {
      fail("io_failed", "the browser keeps no note of a payment: let this page store data");
    }
  }

  of(owner: QueryOwner): readonly PaidQuery[] {
    return this.all().filter((one) => isOf(one, owner));
  }

  /** What was paid for this request at this entry, and has not been used. */
  find(owner: QueryOwner, entry: Address, requestHash: Hex): PaidQuery | undefined {
    return this.of(owner).find(
      (one) => !one.isUsed && isSameAddress(one.entry, entry) && one.requestHash === requestHash,
    );
  }

  /** Adds one, or writes it in the place of itself. Error: `io_failed`. */
  keep(query: PaidQuery): void {
    const all = this.all();
    const at = all.findIndex((one) => isSame(one, query));
    if (at >= 0) all[at] = query;
    else all.unshift(query);
    this.write(all);
  }

  /** Of what is stored, not of what somebody has read before; nothing where it is not there. */
  change(query: PaidQuery, change: (kept: PaidQuery) => PaidQuery): void {
    const found = this.all().find((one) => isSame(one, query));
    if (found) this.keep(change(found));
  }

  drop(query: PaidQuery): void {
    this.write(this.all().filter((one) => !isSame(one, query)));
  }

  /** False where an answer to this request is under way, in whichever tab: one query pays for one. */
  async take(requestHash: Hex): Promise<boolean> {
    if (this.busy.has(requestHash)) return false;
    this.busy.set(requestHash, () => {});
    const isMine = await this.lock(requestHash);
    if (!isMine) this.busy.delete(requestHash);
    return isMine;
  }

  /** Held until it is given back, or the tab is gone. Where there are no locks, this page is alone. */
  private async lock(requestHash: Hex): Promise<boolean> {
    const { locks } = (globalThis.navigator ?? {}) as Partial<Navigator>;
    if (!locks) return true;
    return new Promise((resolve) => {
      const held = (lock: Lock | null) =>
        new Promise<void>((release) => {
          if (lock) this.busy.set(requestHash, release);
          else release();
          resolve(lock !== null);
        });
      // Refused where the page may store nothing, so that no other tab has notes of it either.
      locks
        .request(`${storageKey} ${requestHash}`, { ifAvailable: true }, held)
        .catch(() => resolve(true));
    });
  }

  giveBack(requestHash: Hex): void {
    this.busy.get(requestHash)?.();
    this.busy.delete(requestHash);
  }

  isBusy({ requestHash }: PaidQuery): boolean {
    return this.busy.has(requestHash);
  }
}

/**
 * What became of a payment: `paid`, by a transaction that may be another one than the wallet had told,
 * as where its fee was raised; `none`, and there never will be one; `pending`; `unsent` as far as
 * anybody can see, where the wallet has told of no transaction.
 */
export type Whereabouts =
  | { readonly state: "paid"; readonly query: bigint; readonly transaction: Hex }
  | { readonly state: "none" | "pending" | "unsent"; readonly nonce?: number };

/** The query that a transaction has paid for, by its events. */
export function queryInLogs(
  logs: Parameters<typeof parseEventLogs>[0]["logs"],
  paid: Pick<PaidQuery, "requestHash" | "entry" | "contract">,
): bigint | undefined {
  const events = parseEventLogs({ abi: teeTeeAbi, eventName: "QueryPaid", logs });
  return events.find(
    ({ args, address }) =>
      isSameAddress(address, paid.contract) &&
      args.requestHash === paid.requestHash &&
      isSameAddress(args.entry, paid.entry),
  )?.args.query;
}

/** Errors of reading the chain: those of explainChainError. */
export async function findPayment(reader: ChainReader, paid: PaidQuery): Promise<Whereabouts> {
  // Read before the rest: what is in no block by then cannot come into one later.
  const head = await readHead(reader);
  const { transaction } = paid;
  const unmined = await lookAtNonces(reader, paid, head.number);
  if (transaction !== undefined) {
    const receipt = await receiptOf(reader, transaction);
    const query = receipt && queryInLogs(receipt.logs, paid);
    if (query !== undefined) return { state: "paid", query, transaction };
    if (receipt) return { state: "none" };
  }
  if (head.number < paid.fromBlock) return unmined;
  const events = await readEvents(reader, {
    event: "QueryPaid",
    args: { pool: paid.pool, payer: paid.payer },
    fromBlock: paid.fromBlock,
    toBlock: head.number,
  });
  const [event] = events.filter(
    ({ args }) => args.requestHash === paid.requestHash && isSameAddress(args.entry, paid.entry),
  );
  if (event) return { state: "paid", query: event.args.query, transaction: event.transaction };
  return head.timestamp > paid.deadline + lagSeconds ? { state: "none" } : unmined;
}

async function receiptOf({ client }: ChainReader, hash: Hex) {
  try {
    return await getTransactionReceipt(client, { hash });
  } catch (thrown) {
    if (thrown instanceof TransactionReceiptNotFoundError) return undefined;
    const error = explainChainError(thrown);
    // Endpoints differ in what else they tell of it; its event says enough.
    if (error.code === "rpc_disagreement") return undefined;
    throw error;
  }
}

/** Servers behind one endpoint may be so far behind each other. */
const lagBlocks = 3n;
const lagSeconds = 60;

/** What the account's transactions say of one that is in no block. */
async function lookAtNonces(
  reader: ChainReader,
  paid: PaidQuery,
  head: bigint,
): Promise<Whereabouts> {
  const { client } = reader;
  const address = paid.payer;
  try {
    if (paid.transaction === undefined) {
      const [pending, latest] = await Promise.all([
        getTransactionCount(client, { address, blockTag: "pending" }),
        getTransactionCount(client, { address, blockTag: "latest" }),
      ]);
      return { state: pending > latest ? "pending" : "unsent" };
    }
    const nonce = paid.nonce ?? (await nonceOf(reader, paid.transaction));
    if (nonce === undefined) return { state: "pending" };
    const blockNumber = head > lagBlocks ? head - lagBlocks : 0n;
    const count = await getTransactionCount(client, { address, blockNumber });
    // Another transaction has its place.
    return count > nonce ? { state: "none" } : { state: "pending", nonce };
  } catch (thrown) {
    throw explainChainError(thrown);
  }
}

/** undefined for one that the endpoint does not know (yet). */
async function nonceOf({ client }: ChainReader, hash: Hex): Promise<number | undefined> {
  return getTransaction(client, { hash }).then(
    ({ nonce }) => nonce,
    () => undefined,
  );
}
