// SPDX-License-Identifier: Apache-2.0
import type { Address, Hex } from "viem";
import { asError, type TeeTeeError } from "../../base/error";
import {
  type ChainReader,
  type NodeInfo,
  type PoolInfo,
  type Prices,
  readIsLive,
  readNode,
  readPool,
} from "../../chain/reads";
import type { Pool, PoolNode } from "../../client/entries";

// What an entry tells of pools, held against the contract, by one call for each pool and two for each
// node. An entry could leave nodes out unseen; what it tells it cannot invent.

/** What the contract itself says. */
export interface PoolFacts {
  readonly creator: Address;
  readonly policyHash: Hex;
  readonly prices: Prices;
  readonly isOpen: boolean;
  readonly nodes: ReadonlyMap<bigint, { readonly expiry: number; readonly isLive: boolean }>;
}

export interface PoolCheck {
  /**
   * `checked`: all that the entry told is so, but for what has changed since; `differs`: the entry
   * told what never was so; `failed`: the contract could not be asked.
   */
  readonly state: "waiting" | "checked" | "differs" | "failed";
  /** Calls that are answered, and all that there are. */
  readonly done: number;
  readonly calls: number;
  /** What has changed since the entry read it, or what differs, in words. */
  readonly notes: readonly string[];
  readonly facts?: PoolFacts;
  readonly error?: TeeTeeError;
}

/** The contract, as it is asked. */
export interface PoolReads {
  pool(pool: bigint): Promise<PoolInfo>;
  node(node: bigint): Promise<NodeInfo>;
  isLive(node: bigint): Promise<boolean>;
}

export function readsOf(reader: ChainReader): PoolReads {
  return {
    pool: (pool) => readPool(reader, pool),
    node: (node) => readNode(reader, node),
    isLive: (node) => readIsLive(reader, node),
  };
}

export function callsOf(pool: Pool): number {
  return 1 + 2 * nodesOf(pool).length;
}

export function waitingCheck(pool: Pool): PoolCheck {
  return { state: "waiting", done: 0, calls: callsOf(pool), notes: [] };
}

function nodesOf(pool: Pool): readonly (PoolNode & { readonly slot: number })[] {
  return pool.slots.flatMap(({ slot, nodes }) => nodes.map((node) => ({ ...node, slot })));
}

const same = (a: string, b: string) => a.toLowerCase() === b.toLowerCase();

class Findings {
  readonly differences: string[] = [];
  readonly changes: string[] = [];

  /** For what never changes: another value was never so. */
  fixed(what: string, told: unknown, have: unknown): void {
    if (!same(String(told), String(have))) {
      this.differences.push(
        `${what}: the entry tells ${String(told)}, the contract ${String(have)}`,
      );
    }
  }

  /** For what may have changed since. */
  changing(what: string, told: unknown, have: unknown): void {
    if (!same(String(told), String(have))) this.changes.push(`${what} is ${String(have)} by now`);
  }
}

function comparePool(pool: Pool, info: PoolInfo, findings: Findings): void {
  findings.fixed("model root", pool.modelRoot, info.modelRoot);
  findings.fixed("verifier", pool.verifier, info.verifier);
  findings.fixed("fee", pool.feeBps, info.feeBps);
  const layers = pool.slots.map((slot) => slot.layers.end - slot.layers.begin);
  findings.fixed("layers of slots", layers.join(" + "), info.slotLayers.join(" + "));
  findings.changing("creator", pool.creator, info.creator);
  findings.changing("policy", pool.policyHash, info.policyHash);
  findings.changing("price of the prompt", pool.prices.prompt, info.prices.prompt);
  findings.changing("price of the answer", pool.prices.completion, info.prices.completion);
  findings.changing("the pool", pool.isOpen ? "open" : "closed", info.closed ? "closed" : "open");
}

function compareNode(
  pool: Pool,
  node: PoolNode & { readonly slot: number },
  info: NodeInfo,
  isLive: boolean,
  findings: Findings,
): void {
  const what = (member: string) => `${member} of node ${node.node}`;
  findings.fixed(what("pool"), pool.pool, info.pool);
  findings.fixed(what("slot"), node.slot, info.slot);
  findings.fixed(what("host"), node.host, info.host);
  findings.fixed(what("receipt key"), node.receiptKey, info.receiptKey);
  findings.fixed(what("measurement"), node.measurement, info.measurement);
  const word = (live: boolean) => (live ? "live" : "not live");
  findings.changing(`node ${node.node}`, word(node.isLive), word(isLive));
}

/** So many calls are under way at once, whoever asks. */
export class Turnstile {
  private free: number;
  private readonly waiting: (() => void)[] = [];

  constructor(atOnceMax: number) {
    this.free = atOnceMax;
  }

  async run<T>(signal: AbortSignal, call: () => Promise<T>): Promise<T> {
    if (this.free === 0) await new Promise<void>((go) => this.waiting.push(go));
    else this.free--;
    try {
      signal.throwIfAborted();
      return await call();
    } finally {
      const next = this.waiting.shift();
      if (next) next();
      else this.free++;
    }
  }
}

interface Checking {
  readonly reads: PoolReads;
  readonly turnstile: Turnstile;
  readonly signal: AbortSignal;
  readonly onProgress: (done: number) => void;
}

/** One pool; never throws. When the signal ends it, what comes is of no use. */
export async function checkPool(pool: Pool, checking: Checking): Promise<PoolCheck> {
  const { reads, turnstile, signal, onProgress } = checking;
  const calls = callsOf(pool);
  let done = 0;
  const ask = async <T>(call: () => Promise<T>): Promise<T> => {
    const answer = await turnstile.run(signal, call);
    onProgress(++done);
    return answer;
  };
  const findings = new Findings();
  const nodes = new Map<bigint, { expiry: number; isLive: boolean }>();
  try {
    const [info] = await Promise.all([
      ask(() => reads.pool(pool.pool)),
      ...nodesOf(pool).map(async (node) => {
        const [known, isLive] = await Promise.all([
          ask(() => reads.node(node.node)),
          ask(() => reads.isLive(node.node)),
        ]);
        nodes.set(node.node, { expiry: known.expiry, isLive });
        compareNode(pool, node, known, isLive, findings);
      }),
    ]);
    comparePool(pool, info, findings);
    const { creator, policyHash, prices, closed } = info;
    const facts = { creator, policyHash, prices, isOpen: !closed, nodes };
    const { differences, changes } = findings;
    return differences.length > 0
      ? { state: "differs", done, calls, notes: differences, facts }
      : { state: "checked", done, calls, notes: changes, facts };
  } catch (thrown) {
    return { state: "failed", done, calls, notes: [], error: asError(thrown) };
  }
}
