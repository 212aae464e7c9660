// SPDX-License-Identifier: Apache-2.0
import { createClient, defineChain, type Chain, type Client } from "viem";
import { fail } from "../../base/error";
import { formatPool, isSamePool } from "../../chain/deployment";
import { agreeingTransport } from "../../chain/quorum";
import type { ChainReader } from "../../chain/reads";
import { fetchNetwork, type Network, type NetworkChain } from "../../client/entries";
import { EntryPool } from "../../client/entryPool";
import { ensureBaseUrl } from "../../client/fields";
import type { RouteVerifier } from "../../client/routeVerifier";
import {
  fetchNetworkTerms,
  type NetworkTerms,
  type VerifiedEntry,
} from "../../client/verifiedEntry";
import { isSameSaid, type KnownNetworks, type SaidPool, wordsOfSaid } from "./knownNetworks";
import { servingEntry, type NetworkSettings } from "./settings";

/** A network that this page has verified. */
export interface Connection {
  readonly url: string;
  readonly network: Network;
  readonly terms: NetworkTerms;
  readonly entries: EntryPool;
  /** As it was verified last. */
  readonly entry: VerifiedEntry;
  /** undefined where answers are free. */
  readonly chain: ConnectedChain | undefined;
  /** With which it was reached: others, set meanwhile, say nothing of it. */
  readonly settings: NetworkSettings;
}

export interface ConnectedChain extends NetworkChain {
  readonly reader: ChainReader;
  /** As viem and wallets know it. */
  readonly definition: Chain;
}

/** Ids that people know by name. That a chain has the id is what its RPC endpoints say. */
const chainNames: Record<number, string> = { 8453: "Base", 84532: "Base Sepolia", 31337: "Anvil" };

/** A chain of which nothing is known but its id and where it is read. */
export function defineNetworkChain(id: number, rpcUrls: readonly string[]): Chain {
  return defineChain({
    id,
    name: chainNames[id] ?? `Chain ${id}`,
    nativeCurrency: { name: "Ether", symbol: "ETH", decimals: 18 },
    rpcUrls: { default: { http: [...rpcUrls] } },
  });
}

function chainClient(definition: Chain): Client {
  const urls = definition.rpcUrls.default.http;
  return createClient({
    chain: definition,
    transport: agreeingTransport(urls),
    pollingInterval: 2_000,
  });
}

function connectChain(network: Network, settings: NetworkSettings): ConnectedChain | undefined {
  const { chain } = network;
  if (!chain) return undefined;
  const rpcUrls = settings.rpcUrls ?? chain.rpcUrls;
  if (rpcUrls.length === 0) {
    return fail(
      "config_invalid",
      "chain: neither the entry nor your settings name an RPC endpoint: add one in the settings",
    );
  }
  const definition = defineNetworkChain(chain.deployment.chainId, rpcUrls);
  const reader = { client: chainClient(definition), deployment: chain.deployment };
  return { ...chain, rpcUrls, reader, definition };
}

/** Of an entry's network, before anything of it is verified. */
export interface Reached {
  readonly url: string;
  readonly network: Network;
  readonly chain: ConnectedChain | undefined;
  readonly settings: NetworkSettings;
}

export function saidPoolOf(network: Network): SaidPool {
  return network.chain ?? "none";
}

/**
 * Whether an entry names the pool that the user has set, else the one that it named before. Errors:
 * `statement_mismatch`, as NetworkChanged for the latter.
 */
export function ensurePool(
  url: string,
  said: SaidPool,
  settings: NetworkSettings,
  known: KnownNetworks,
): void {
  const { pool } = settings;
  if (pool === undefined) return known.ensureSame(url, said);
  if (isSameSaid(said, pool)) return;
  fail(
    "statement_mismatch",
    `network: the entry names ${wordsOfSaid(said)}; your settings have ${formatPool(pool)}`,
  );
}

/**
 * Errors: `config_invalid` where nobody has said whom to ask; those of fetchNetwork and of
 * ensurePool.
 */
export async function reach(
  settings: NetworkSettings,
  known: KnownNetworks,
  signal: AbortSignal,
): Promise<Reached> {
  const named = settings.entryUrl ?? servingEntry(location);
  const entry = named ?? fail("config_invalid", "no entry is named: add its URL in the settings");
  const url = ensureBaseUrl(entry);
  const network = await fetchNetwork(url, { signal });
  ensurePool(url, saidPoolOf(network), settings, known);
  return { url, network, chain: connectChain(network, settings), settings };
}

/**
 * What an entry says of its network, with everything in the place that was verified. Error:
 * `statement_mismatch` where it names another contract or pool than the one that was connected to.
 */
export function heldAgainst(
  network: Network,
  entry: VerifiedEntry,
  chain: NetworkChain | undefined,
): Network {
  const { route } = entry;
  const isSame =
    network.chain && chain ? isSamePool(network.chain, chain) : network.chain === chain;
  if (!isSame) fail("statement_mismatch", "network: the entry names another contract than before");
  return {
    ...network,
    isSimulated: route.isSimulated,
    policyHash: route.policyHash,
    model: {
      ...network.model,
      name: route.modelName === "" ? network.model.name : route.modelName,
      modelRoot: route.modelRoot,
      layers: route.layerCount,
    },
  };
}

/**
 * Verifies the route of an entry that was reached. Errors: those of fetchNetworkTerms and
 * EntryPool.open.
 */
export async function verify(reached: Reached, verifier: RouteVerifier): Promise<Connection> {
  const { url, network, chain, settings } = reached;
  const terms = await fetchNetworkTerms(url, network, chain?.reader);
  const entries = new EntryPool({ urls: [url], terms, verifier });
  const entry = await entries.open(url);
  void entries.learn(entry);
  const held = heldAgainst(network, entry, chain);
  return { url, network: held, terms, entries, entry, chain, settings };
}
