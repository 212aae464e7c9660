// SPDX-License-Identifier: Apache-2.0
import type { Address, Hex } from "viem";
import type { Prices } from "../../chain/reads";
import type { Network, NetworkModel, Pool, PoolNode } from "../../client/entries";
import type { LayerRange } from "../../client/fields";
import type { NetworkTrust } from "../network/network";
import type { PoolCheck } from "./chainCheck";
import { networkThroughput, type Throughput } from "./throughput";

/**
 * How far this page itself has verified who serves a pool: only the entry that it is connected to
 * shows evidence, so other pools are `unchecked`.
 */
export type PoolTrust = "verified" | "attested" | "simulated" | "refused" | "unchecked";

export interface NodeView {
  /** In the contract; undefined where there is none. */
  readonly number: bigint | undefined;
  /** The address of its receipt key, or its id. */
  readonly id: string;
  readonly host: Address | undefined;
  readonly endpoint: string;
  readonly measurement: Hex | undefined;
  /** Unix seconds. */
  readonly expires: number | undefined;
  readonly isLive: boolean;
}

export interface SlotView {
  readonly slot: number;
  readonly layers: LayerRange;
  readonly nodes: readonly NodeView[];
  readonly live: number;
}

/** What the contract says of a pool beyond its price and slots. */
export interface PoolTerms {
  readonly creator: Address;
  readonly feeBps: number;
  readonly verifier: Address;
  readonly manifestUri: string;
  readonly policyUri: string;
}

/** A model on offer, as a row shows it. */
export interface PoolView {
  /** Of the row; the pool's number where it has one. */
  readonly key: string;
  readonly pool: bigint | undefined;
  /** undefined where only the model root is known. */
  readonly name: string | undefined;
  readonly modelRoot: Hex;
  readonly policyHash: Hex;
  /** undefined: free. */
  readonly prices: Prices | undefined;
  readonly slots: readonly SlotView[];
  /** Slots with a live node. */
  readonly filled: number;
  readonly layers: number;
  readonly throughput: Throughput | undefined;
  readonly trust: PoolTrust;
  readonly isOpen: boolean;
  /** The entry that this page talks to serves it. */
  readonly isConnected: boolean;
  readonly terms: PoolTerms | undefined;
  /** undefined where there is no chain to check it on. */
  readonly check: PoolCheck | undefined;
}

const trusts: Record<NetworkTrust, PoolTrust> = {
  offline: "unchecked",
  connecting: "unchecked",
  verified: "verified",
  attested: "attested",
  simulated: "simulated",
  refused: "refused",
};

function slotOf(slot: number, layers: LayerRange, nodes: readonly NodeView[]): SlotView {
  return { slot, layers, nodes, live: nodes.filter((node) => node.isLive).length };
}

function withFilled<T extends { slots: readonly SlotView[] }>(view: T) {
  const filled = view.slots.filter((slot) => slot.live > 0).length;
  const layers = view.slots.reduce((most, { layers }) => Math.max(most, layers.end), 0);
  return { ...view, filled, layers };
}

/** Where the contract was asked, its word counts: what an entry tells may be a moment old. */
function nodeView(node: PoolNode, check: PoolCheck): NodeView {
  const facts = check.facts?.nodes.get(node.node);
  return {
    number: node.node,
    id: node.receiptKey,
    host: node.host,
    endpoint: node.endpoint,
    measurement: node.measurement,
    expires: facts?.expiry ?? node.expires,
    isLive: facts?.isLive ?? node.isLive,
  };
}

export interface Around {
  readonly network: Network;
  readonly trust: NetworkTrust;
  /** Unix seconds. */
  readonly now: number;
}

/** A pool of the contract, as the entry tells of it and the contract has confirmed. */
export function poolView(pool: Pool, check: PoolCheck, around: Around): PoolView {
  const { network, trust, now } = around;
  const isConnected = network.chain?.pool === pool.pool;
  const { facts } = check;
  return withFilled({
    key: pool.pool.toString(),
    pool: pool.pool,
    name: nameOf(pool.modelRoot, network.model),
    modelRoot: pool.modelRoot,
    policyHash: facts?.policyHash ?? pool.policyHash,
    prices: facts?.prices ?? pool.prices,
    slots: pool.slots.map(({ slot, layers, nodes }) =>
      slotOf(
        slot,
        layers,
        nodes.map((node) => nodeView(node, check)),
      ),
    ),
    throughput: isConnected ? networkThroughput(network, now) : undefined,
    trust: isConnected ? trusts[trust] : ("unchecked" as const),
    isOpen: facts?.isOpen ?? pool.isOpen,
    isConnected,
    terms: {
      creator: facts?.creator ?? pool.creator,
      feeBps: pool.feeBps,
      verifier: pool.verifier,
      manifestUri: pool.manifestUri,
      policyUri: pool.policyUri,
    },
    check,
  });
}

/** The manifest has the name, and its root is over the name too: any pool with that root has it. */
function nameOf(modelRoot: Hex, model: NetworkModel): string | undefined {
  const isSame = model.modelRoot.toLowerCase() === modelRoot.toLowerCase();
  return isSame && model.name !== "" ? model.name : undefined;
}

/** The one model of a network without a chain. */
export function freeView({ network, trust, now }: Around): PoolView {
  const { model, nodes, routes } = network;
  const onRoutes = new Set(routes.flat());
  return withFilled({
    key: "free",
    pool: undefined,
    name: model.name === "" ? undefined : model.name,
    modelRoot: model.modelRoot,
    policyHash: network.policyHash,
    prices: undefined,
    slots: model.shards.map((layers, slot) =>
      slotOf(
        slot,
        layers,
        nodes
          .filter((node) => node.layers.begin === layers.begin && node.layers.end === layers.end)
          .map((node) => ({
            number: undefined,
            id: node.node,
            host: undefined,
            endpoint: node.apiUrl ?? "",
            measurement: undefined,
            expires: undefined,
            isLive: !node.isDraining && (onRoutes.has(node.node) || node.answeredAt !== undefined),
          })),
      ),
    ),
    throughput: networkThroughput(network, now),
    trust: trusts[trust],
    isOpen: true,
    isConnected: true,
    terms: undefined,
    check: undefined,
  });
}

/** A name for people: the manifest's, else the beginning of the model root. */
export function titleOf(view: Pick<PoolView, "name" | "modelRoot">): string {
  return view.name ?? `Model ${view.modelRoot.slice(0, 10)}`;
}
