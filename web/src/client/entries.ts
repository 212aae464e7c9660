// SPDX-License-Identifier: Apache-2.0
import type { Address, Hex } from "viem";
import { fail } from "../base/error";
import type { Deployment } from "../chain/deployment";
import type { Prices } from "../chain/reads";
import { fetchBytes, fetchJson, type FetchOptions, refusalOfBody } from "./fetchJson";
import { baseUrlOf, Fields, type LayerRange, layersOf, parseJson } from "./fields";
import {
  bucketsMax,
  entriesMax,
  entryListBytesMax,
  errorBytesMax,
  networkBytesMax,
  nodesMax,
  paymentAnswerBytesMax,
  poolsMax,
  slotsMax,
  urlBytesMax,
} from "./limits";

// What entries say of the network (docs/api.md). None of it is proven: an entry shows its evidence
// before it is told anything, and money is looked up on the chain. Every parser throws
// `invalid_json` naming the member.

/** Where an entry can be asked. */
export interface ListedEntry {
  /** Hex. */
  readonly node: string;
  readonly apiUrl: string | undefined;
  /** With the attested certificate, which no browser takes by itself. */
  readonly apiTlsUrl: string | undefined;
}

export interface EntryList {
  readonly modelRoot: Hex | undefined;
  readonly entries: readonly ListedEntry[];
}

/** GET /v1/entries. What has no URL is left out, as is what is beyond 64. */
export function parseEntryList(value: unknown): EntryList {
  const fields = Fields.of(value, "entries");
  const entries: ListedEntry[] = [];
  for (const one of fields.objects("data", nodesMax)) {
    if (entries.length === entriesMax) break;
    const apiUrl = one.urlOr("api_url");
    const apiTlsUrl = one.urlOr("api_tls_url");
    if (!apiUrl && !apiTlsUrl) continue;
    entries.push({ node: one.textOr("node", "", 128), apiUrl, apiTlsUrl });
  }
  const modelRoot = fields.has("model_root") ? fields.anyHex("model_root", 32) : undefined;
  return { modelRoot, entries };
}

/** The network's contract, as an entry says. */
export interface NetworkChain {
  readonly deployment: Deployment;
  /** The contract's events start there. */
  readonly fromBlock: bigint;
  readonly pool: bigint;
  readonly rpcUrls: readonly string[];
}

export interface NetworkModel {
  readonly name: string;
  readonly modelRoot: Hex;
  readonly layers: number;
  readonly shards: readonly LayerRange[];
}

/** What an entry counted in one span of time. */
export interface HistoryBucket {
  readonly probes: number;
  readonly answered: number;
  readonly tokens: number;
}

export interface NodeHistory {
  /** Of each bucket. */
  readonly seconds: number;
  /** Unix seconds, of the first bucket's beginning. */
  readonly from: number;
  readonly buckets: readonly HistoryBucket[];
}

export interface NetworkNode {
  /** Hex. */
  readonly node: string;
  readonly receiptKey: Address | undefined;
  readonly layers: LayerRange;
  readonly isEntry: boolean;
  readonly apiUrl: string | undefined;
  /** It takes no new requests. */
  readonly isDraining: boolean;
  /** Of links of this entry's own. */
  readonly isLinked: boolean;
  readonly roundTripMs: number | undefined;
  /** Unix seconds; undefined where it has not answered. */
  readonly answeredAt: number | undefined;
  readonly history: NodeHistory | undefined;
}

/** What an entry has seen itself, since its start and for a day at most. */
export interface Network {
  readonly isSimulated: boolean;
  /** The routes that are ready, as lists of nodes. */
  readonly routes: readonly (readonly string[])[];
  readonly model: NetworkModel;
  readonly policyHash: Hex;
  /** undefined where answers are free. */
  readonly chain: NetworkChain | undefined;
  readonly nodes: readonly NetworkNode[];
}

function historyOf(fields: Fields): NodeHistory {
  return {
    seconds: fields.number("seconds", 86_400) || fields.wrong("seconds", "more than 0"),
    from: fields.number("from"),
    buckets: fields.objects("buckets", bucketsMax).map((bucket) => ({
      probes: bucket.number("probes"),
      answered: bucket.number("answered"),
      tokens: bucket.number("tokens"),
    })),
  };
}

/** An address, or none where the entry writes a key in another form. */
function addressOr(fields: Fields, name: string): Address | undefined {
  const text = fields.textOr(name, "", 256);
  return /^(0x)?[0-9a-fA-F]{40}$/.test(text) ? (fields.anyHex(name, 20) as Address) : undefined;
}

function networkNode(fields: Fields): NetworkNode {
  const roundTrip = fields.value("round_trip_ms");
  const isTime = typeof roundTrip === "number" && Number.isFinite(roundTrip) && roundTrip >= 0;
  return {
    node: fields.text("node", 128),
    receiptKey: addressOr(fields, "receipt_key"),
    layers: fields.layers("layers"),
    isEntry: fields.bool("entry"),
    apiUrl: fields.urlOr("api_url"),
    isDraining: fields.boolOr("draining", false),
    isLinked: fields.boolOr("linked", false),
    roundTripMs: isTime ? roundTrip : undefined,
    answeredAt: fields.numberOr("answered_at", 0) || undefined,
    history: fields.has("history") ? historyOf(fields.object("history")) : undefined,
  };
}

function networkChain(fields: Fields): NetworkChain {
  const rpcUrls = fields.list("rpc_urls", 16).flatMap((value) => {
    const url = typeof value === "string" ? baseUrlOf(value) : undefined;
    return url ? [url] : [];
  });
  return {
    deployment: { chainId: Number(chainIdOf(fields)), contract: fields.address("contract") },
    fromBlock: fields.has("from_block") ? fields.bigNumber("from_block") : 0n,
    pool: fields.bigNumber("pool"),
    rpcUrls,
  };
}

function chainIdOf(fields: Fields): bigint {
  const id = fields.bigNumber("chain_id");
  return id > 0n && id <= BigInt(Number.MAX_SAFE_INTEGER)
    ? id
    : fields.wrong("chain_id", "a chain's id below 2^53");
}

function routeOf(value: unknown): readonly string[] {
  const isRoute =
    Array.isArray(value) &&
    value.length <= slotsMax &&
    value.every((node) => typeof node === "string" && node.length <= 128);
  return isRoute
    ? (value as string[])
    : fail("invalid_json", "network.routes: need lists of nodes");
}

/** GET /v1/network. */
export function parseNetwork(value: unknown): Network {
  const fields = Fields.of(value, "network");
  const model = fields.object("model");
  return {
    isSimulated: fields.boolOr("simulated", false),
    routes: fields.has("routes") ? fields.list("routes", nodesMax).map(routeOf) : [],
    model: {
      name: model.text("name"),
      modelRoot: model.anyHex("model_root", 32),
      layers: model.number("layers", 65_536),
      shards: model
        .list("shards", slotsMax)
        .map((shard) => layersOf(shard) ?? model.wrong("shards", "[first, end] each")),
    },
    policyHash: fields.anyHex("policy_hash", 32),
    chain: fields.has("chain") ? networkChain(fields.object("chain")) : undefined,
    nodes: fields.objects("nodes", nodesMax).map(networkNode),
  };
}

export interface PoolNode {
  readonly node: bigint;
  readonly host: Address;
  readonly endpoint: string;
  readonly receiptKey: Address;
  readonly measurement: Hex;
  /** Unix seconds. */
  readonly expires: number;
  readonly isLive: boolean;
}

export interface PoolSlot {
  readonly slot: number;
  readonly layers: LayerRange;
  readonly nodes: readonly PoolNode[];
}

export interface Pool {
  readonly pool: bigint;
  readonly creator: Address;
  readonly modelRoot: Hex;
  readonly manifestUri: string;
  readonly policyHash: Hex;
  readonly policyUri: string;
  readonly prices: Prices;
  readonly feeBps: number;
  readonly verifier: Address;
  readonly isOpen: boolean;
  readonly slots: readonly PoolSlot[];
}

export interface PoolList {
  /** To which the entry has read the chain; 0 where it has none. */
  readonly block: bigint;
  readonly pools: readonly Pool[];
  /** There are pools of higher numbers. */
  readonly hasMore: boolean;
}

function poolNode(fields: Fields): PoolNode {
  return {
    node: fields.bigNumber("node"),
    host: fields.address("host"),
    endpoint: fields.text("endpoint"),
    receiptKey: fields.address("receipt_key"),
    measurement: fields.anyHex("measurement", 32),
    expires: fields.number("expires"),
    isLive: fields.bool("live"),
  };
}

function poolSlot(fields: Fields): PoolSlot {
  return {
    slot: fields.number("slot", slotsMax - 1),
    layers: fields.layers("layers"),
    nodes: fields.objects("nodes", nodesMax).map(poolNode),
  };
}

function poolOf(fields: Fields): Pool {
  return {
    pool: fields.bigNumber("pool"),
    creator: fields.address("creator"),
    modelRoot: fields.anyHex("model_root", 32),
    manifestUri: fields.textOr("manifest_uri", "", urlBytesMax),
    policyHash: fields.anyHex("policy_hash", 32),
    policyUri: fields.textOr("policy_uri", "", urlBytesMax),
    prices: {
      prompt: fields.bigNumber("prompt_price"),
      completion: fields.bigNumber("completion_price"),
    },
    feeBps: fields.number("fee_bps", 10_000),
    verifier: fields.address("verifier"),
    isOpen: fields.bool("open"),
    slots: fields.objects("slots", slotsMax).map(poolSlot),
  };
}

/** GET /v1/pools. */
export function parsePools(value: unknown): PoolList {
  const fields = Fields.of(value, "pools");
  return {
    block: fields.has("block") ? fields.bigNumber("block") : 0n,
    pools: fields.objects("data", poolsMax).map(poolOf),
    hasMore: fields.boolOr("has_more", false),
  };
}

/** What an entry takes for answers. */
export type EntryTerms = { readonly isFree: true } | PaidTerms;

export interface PaidTerms {
  readonly isFree: false;
  readonly deployment: Deployment;
  readonly pool: bigint;
  /** The receipt key that payments are made out to. */
  readonly entry: Address;
  /** Tokens of an answer that must be paid for before it begins. */
  readonly leadTokens: number;
  /** undefined while the pool takes no requests. */
  readonly prices: Prices | undefined;
  /** The entry sends the transaction that opens a voucher of so many credits or more. */
  readonly opensVouchers: boolean;
  readonly voucherCeilingMin: bigint;
}

/** GET /v1/payment. */
export function parseEntryTerms(value: unknown): EntryTerms {
  const fields = Fields.of(value, "the entry's terms");
  if (fields.bool("free")) return { isFree: true };
  const isPriced = fields.has("prompt_price");
  return {
    isFree: false,
    deployment: { chainId: Number(chainIdOf(fields)), contract: fields.address("contract") },
    pool: fields.bigNumber("pool"),
    entry: fields.address("entry"),
    leadTokens: fields.numberOr("lead_tokens", 0, 1 << 20),
    prices: isPriced
      ? {
          prompt: fields.bigNumber("prompt_price"),
          completion: fields.bigNumber("completion_price"),
        }
      : undefined,
    opensVouchers: fields.boolOr("opens_vouchers", false),
    voucherCeilingMin: fields.has("voucher_ceiling_min")
      ? fields.bigNumber("voucher_ceiling_min")
      : 0n,
  };
}

/** How a voucher stands with an entry, credits. */
export interface Standing {
  readonly charged: bigint;
  /** For answers that are under way. */
  readonly held: bigint;
  readonly signed: bigint;
  /** The most that could be claimed, whatever is signed. */
  readonly claimable: bigint;
}

/** Of POST /v1/payment/raise. */
export function parseStanding(value: unknown): Standing {
  const fields = Fields.of(value, "the voucher's standing");
  return {
    charged: fields.bigNumber("charged"),
    held: fields.bigNumber("held"),
    signed: fields.bigNumber("signed"),
    claimable: fields.bigNumber("claimable"),
  };
}

export interface Health {
  readonly isReady: boolean;
  readonly detail: string;
  readonly model: string;
  readonly isSimulated: boolean;
  /** Routes that are ready. */
  readonly routes: number;
  readonly route: readonly { readonly node: string; readonly layers: LayerRange }[];
  /** Nodes that the contract does not have as live ones. */
  readonly unregistered: readonly { readonly node: string; readonly why: string }[];
  readonly roundTripMs: number;
  readonly activeRequests: number;
  readonly queuedRequests: number;
}

/** GET /health, of an entry. */
export function parseHealth(value: unknown): Health {
  const fields = Fields.of(value, "health");
  return {
    isReady: fields.text("status") === "ok",
    detail: fields.textOr("detail", ""),
    model: fields.text("model"),
    isSimulated: fields.bool("simulated"),
    routes: fields.number("routes", nodesMax),
    route: fields.objects("route", nodesMax).map((hop) => ({
      node: hop.text("node", 128),
      layers: hop.layers("layers"),
    })),
    unregistered: fields.objects("unregistered", nodesMax).map((one) => ({
      node: one.text("node", 128),
      why: one.text("why", 1024),
    })),
    roundTripMs: fields.number("round_trip_us") / 1000,
    activeRequests: fields.number("active_requests"),
    queuedRequests: fields.number("queued_requests"),
  };
}

/** GET /v1/models: the ids. */
export function parseModels(value: unknown): readonly string[] {
  return Fields.of(value, "models")
    .objects("data", 1024)
    .map((model) => model.text("id"));
}

/** Errors of all of these: those of fetchJson, and `invalid_json`. */
export async function fetchEntryList(url: string, options?: FetchOptions): Promise<EntryList> {
  return parseEntryList(await fetchJson(`${url}/v1/entries`, entryListBytesMax, options));
}

export async function fetchNetwork(url: string, options?: FetchOptions): Promise<Network> {
  return parseNetwork(await fetchJson(`${url}/v1/network`, networkBytesMax, options));
}

/** All pools, in as many parts as the entry makes of them. Error also: `limit_exceeded`. */
export async function fetchPools(url: string, options?: FetchOptions): Promise<PoolList> {
  const pools: Pool[] = [];
  for (let after = 0n; ;) {
    const path = `/v1/pools?after=${after}`;
    const part = parsePools(await fetchJson(`${url}${path}`, networkBytesMax, options));
    pools.push(...part.pools);
    const last = part.pools.at(-1);
    if (!part.hasMore || !last) return { block: part.block, pools, hasMore: false };
    if (last.pool <= after || pools.length > poolsMax) {
      fail("limit_exceeded", `pools: need at most ${poolsMax}, in the order of their numbers`);
    }
    after = last.pool;
  }
}

export async function fetchEntryTerms(url: string, options?: FetchOptions): Promise<EntryTerms> {
  return parseEntryTerms(await fetchJson(`${url}/v1/payment`, paymentAnswerBytesMax, options));
}

/** Also of an entry that has no route, which answers with 503. */
export async function fetchHealth(url: string, options?: FetchOptions): Promise<Health> {
  const answer = await fetchBytes(`${url}/health`, networkBytesMax, options);
  if (answer.status !== 200 && answer.status !== 503) {
    throw refusalOfBody(
      answer.status,
      answer.bytes.subarray(0, errorBytesMax),
      answer.headers.get("retry-after"),
    );
  }
  return parseHealth(parseJson(answer.bytes, "health", { bytesMax: networkBytesMax, depthMax: 8 }));
}

export async function fetchModels(url: string, options?: FetchOptions): Promise<readonly string[]> {
  return parseModels(await fetchJson(`${url}/v1/models`, networkBytesMax, options));
}

/** Of POST /v1/vouchers. */
export interface VoucherOpened {
  readonly voucher: Hex;
  readonly isOpen: boolean;
}

export function parseVoucherOpened(value: unknown): VoucherOpened {
  const fields = Fields.of(value, "voucher");
  const state = fields.text("state");
  if (state !== "opening" && state !== "open") fields.wrong("state", '"opening" or "open"');
  return { voucher: fields.hex("voucher", 32), isOpen: state === "open" };
}
