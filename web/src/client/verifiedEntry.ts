// SPDX-License-Identifier: Apache-2.0
import type { Address } from "viem";
import { concat, sha256, toHex, utf8 } from "../base/bytes";
import { fail, TeeTeeError } from "../base/error";
import { isSameAddress } from "../chain/deployment";
import {
  type ChainReader,
  ensureDeployment,
  readIsLive,
  readNode,
  readNodeOfKey,
  readPool,
} from "../chain/reads";
import { openAnswer } from "../sealed/answer";
import { blindPath, sealedContentType, sealRequest } from "../sealed/request";
import type { Network } from "./entries";
import {
  Deadline,
  type EntryRefusal,
  fetchBytes,
  fetchDocument,
  fetchError,
  type FetchOptions,
  fetchSettings,
  readAll,
  refusalOf,
  refusalOfBody,
} from "./fetchJson";
import { Fields, parseJson } from "./fields";
import {
  attestationBytesMax,
  collateralBytesMax,
  errorBytesMax,
  manifestBytesMax,
  policyBytesMax,
} from "./limits";
import type { RouteExpectation, RouteVerifier, VerifiedNode, VerifiedRoute } from "./routeVerifier";

/** What the nodes of a network are held against. */
export interface NetworkTerms {
  readonly manifest: Uint8Array;
  readonly policy: Uint8Array;
  readonly expectation: RouteExpectation;
  /** With one, each node must be a live one of the pool. */
  readonly reader: ChainReader | undefined;
}

/** What a user holds an entry to, whatever the entry says. */
export interface NetworkPins {
  /** 32 bytes, hex. */
  readonly modelRoot?: `0x${string}` | undefined;
  readonly policyHash?: `0x${string}` | undefined;
}

/**
 * Fetches policy and manifest from an entry, and holds them against the pool in the contract, where
 * there is one; else against the pins. Without either the policy is the entry's own word: the page
 * must say so. Errors: those of fetching and reading the chain; `statement_mismatch` for a policy
 * that is not the pool's.
 */
export async function fetchNetworkTerms(
  url: string,
  network: Network,
  reader: ChainReader | undefined,
  pins: NetworkPins = {},
  options: FetchOptions = {},
): Promise<NetworkTerms> {
  const [policy, manifest] = await Promise.all([
    fetchDocument(`${url}/v1/policy`, policyBytesMax, options),
    fetchDocument(`${url}/v1/manifest`, manifestBytesMax, options),
  ]);
  let { modelRoot, policyHash } = pins;
  if (network.chain && reader) {
    await ensureDeployment(reader);
    const pool = await readPool(reader, network.chain.pool);
    if (modelRoot && modelRoot !== pool.modelRoot) {
      fail("statement_mismatch", `pool: have model root ${pool.modelRoot}, need ${modelRoot}`);
    }
    modelRoot = pool.modelRoot;
    policyHash ??= pool.policyHash;
  }
  const have = `0x${toHex(await sha256(policy))}`;
  if (policyHash && have !== policyHash.toLowerCase()) {
    fail("statement_mismatch", `policy: have SHA-256 ${have}, need ${policyHash} of the pool`);
  }
  return {
    manifest,
    policy,
    expectation: {
      deployment: network.chain ? network.chain.deployment : undefined,
      pool: network.chain ? network.chain.pool : 0n,
      modelRoot,
      policyHash,
    },
    reader: network.chain ? reader : undefined,
  };
}

/** A node of the route as the contract has it. */
export interface RegisteredNode {
  readonly node: bigint;
  readonly host: Address;
  readonly slot: number;
  /** Unix seconds. */
  readonly expiry: number;
}

export interface EntryOptions {
  readonly url: string;
  readonly terms: NetworkTerms;
  readonly verifier: RouteVerifier;
  /** An entry that says nothing for so long is given up; while it answers it says something every 8 s. */
  readonly silenceMs?: number;
}

export interface SealedCall {
  readonly method?: "GET" | "POST";
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal?: AbortSignal | undefined;
  readonly silenceMs?: number;
}

/** What an entry answers, opened. The body throws unless it ends with the final record. */
export interface SealedAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: AsyncGenerator<Uint8Array<ArrayBuffer>, void, undefined>;
}

/** A refusal that came in the clear: whoever is on the way may have written it. */
export class RefusedInTheClear extends TeeTeeError {
  constructor(readonly said: EntryRefusal) {
    super("channel_unbound", `refused in the clear: ${said.code}, ${said.detail}`);
    this.name = "RefusedInTheClear";
  }
}

const silenceDefaultMs = 20_000;
/** Far beyond any clock. */
const entryTimeMax = 2 ** 40;
const nonceBytes = 32;

async function fetchCollateral(url: string, options: FetchOptions): Promise<Uint8Array> {
  const answer = await fetchBytes(`${url}/v1/collateral`, collateralBytesMax, options);
  if (answer.status === 200) return answer.bytes;
  // An entry that hands out none may do well without: the verifier says what it lacks.
  if (answer.status === 404) return new Uint8Array(0);
  throw refusalOfBody(answer.status, answer.bytes, answer.headers.get("retry-after"));
}

async function fetchAttestation(
  url: string,
  nonce: Uint8Array,
  options: FetchOptions,
): Promise<Uint8Array> {
  const path = `/attestation?nonce=${toHex(nonce)}`;
  const answer = await fetchBytes(`${url}${path}`, attestationBytesMax, options);
  if (answer.status === 429) {
    fail("not_ready", "the entry makes no fresh quote just now: try again");
  }
  if (answer.status !== 200) fail("not_ready", "the entry has no complete route yet");
  return answer.bytes;
}

/** What the entry's clock is ahead; a wrong one makes the entry refuse, and nothing else. */
function clockAheadSeconds(attestation: Uint8Array, now: number): number {
  const limits = { bytesMax: attestationBytesMax, depthMax: 16 };
  const fields = Fields.of(parseJson(attestation, "attestation", limits), "attestation");
  const time = fields.numberOr("time", 0);
  return time > 0 && time < entryTimeMax ? time - now : 0;
}

function slotBegin(slotLayers: readonly number[], slot: number): number {
  return slotLayers.slice(0, slot).reduce((sum, layers) => sum + layers, 0);
}

/** `now` is in Unix seconds, by this clock: the chain's may stand still where nobody makes blocks. */
async function registeredNode(
  reader: ChainReader,
  pool: bigint,
  slotLayers: readonly number[],
  node: VerifiedNode,
  now: number,
): Promise<RegisteredNode> {
  const id = await readNodeOfKey(reader, node.receiptKey);
  if (id === 0n) fail("not_ready", `node ${node.receiptKey}: the contract does not know its key`);
  const [info, isLive] = await Promise.all([readNode(reader, id), readIsLive(reader, id)]);
  if (!isLive || info.pool !== pool || !isSameAddress(info.receiptKey, node.receiptKey)) {
    fail("not_ready", `node ${node.receiptKey}: is no live node of pool ${pool} in the contract`);
  }
  if (info.expiry <= now) {
    fail("not_ready", `node ${node.receiptKey}: its registration in the contract has ended`);
  }
  const begin = slotBegin(slotLayers, info.slot);
  const end = begin + (slotLayers[info.slot] ?? 0);
  if (begin !== node.layers.begin || end !== node.layers.end) {
    fail(
      "statement_mismatch",
      `node ${node.receiptKey}: has layers ${node.layers.begin} to ${node.layers.end}, its slot in the contract ${begin} to ${end}`,
    );
  }
  return { node: id, host: info.host, slot: info.slot, expiry: info.expiry };
}

/** What the pool asks for may be another thing than when the terms were fetched. */
function ensurePool(what: string, have: string, need: string | undefined): void {
  if (need !== undefined && have.toLowerCase() !== need.toLowerCase()) {
    fail(
      "statement_mismatch",
      `pool: has ${what} ${have} in the contract, the page holds its nodes to ${need}: connect again`,
    );
  }
}

/** Every node of the route in the contract, in the route's order. */
async function registeredNodes(
  reader: ChainReader,
  { pool, policyHash, modelRoot }: RouteExpectation,
  route: VerifiedRoute,
  now: number,
): Promise<readonly RegisteredNode[]> {
  const info = await readPool(reader, pool);
  ensurePool("policy", info.policyHash, policyHash);
  ensurePool("model root", info.modelRoot, modelRoot);
  return Promise.all(
    route.nodes.map((node) => registeredNode(reader, pool, info.slotLayers, node, now)),
  );
}

/**
 * An entry whose route has been verified: every node's evidence, and its registration where there is
 * a chain. It does not change; requests to it are sealed to its attested key.
 */
export class VerifiedEntry {
  private constructor(
    private readonly options: EntryOptions,
    readonly route: VerifiedRoute,
    /** In the order of the route's nodes; empty without a chain. */
    readonly registered: readonly RegisteredNode[],
    /** Unix milliseconds, by this clock. */
    readonly verifiedAtMs: number,
    /** What the entry's clock is ahead of this one, seconds, as it said. */
    readonly clockAhead: number,
  ) {}

  /**
   * Fetches the evidence of an entry's route with a nonce of its own, and judges it. Errors: those of
   * fetching, of the verifier and of reading the chain; `not_ready` while it has no route, or nodes
   * are not registered; `statement_mismatch` where the pool asks for another policy or model by now.
   */
  static async open(options: EntryOptions, signal?: AbortSignal): Promise<VerifiedEntry> {
    const { url, terms, verifier } = options;
    const nonce = crypto.getRandomValues(new Uint8Array(nonceBytes));
    const fetching: FetchOptions = { signal, timeoutMs: options.silenceMs ?? silenceDefaultMs };
    const [attestation, collateral] = await Promise.all([
      fetchAttestation(url, nonce, fetching),
      fetchCollateral(url, fetching),
    ]);
    const nowMs = Date.now();
    const now = Math.floor(nowMs / 1000);
    const route = await verifier.verifyRoute({
      attestation,
      nonce,
      manifest: terms.manifest,
      policy: terms.policy,
      collateral,
      expectation: terms.expectation,
      now,
    });
    const registered = terms.reader
      ? await registeredNodes(terms.reader, terms.expectation, route, now)
      : [];
    return new VerifiedEntry(
      options,
      route,
      registered,
      nowMs,
      clockAheadSeconds(attestation, now),
    );
  }

  get url(): string {
    return this.options.url;
  }

  get terms(): NetworkTerms {
    return this.options.terms;
  }

  /** The entry's own evidence. */
  get node(): VerifiedNode {
    return this.route.nodes[0];
  }

  /** What payments to it are made out to. */
  get receiptKey(): Address {
    return this.node.receiptKey;
  }

  /** Unix milliseconds at which the first of the route's statements or registrations ends. */
  get expiresAtMs(): number {
    const ends = this.route.nodes.map((node) => node.notAfter);
    return Math.min(...ends, ...this.registered.map(({ expiry }) => expiry)) * 1000;
  }

  /**
   * Asks sealed. A GET goes to /sealed, so that nobody on the way sees its path; its query is not
   * passed on. Errors: `connect_failed`, `timed_out`, `cancelled`; those of openAnswer;
   * RefusedInTheClear.
   */
  async send(call: SealedCall): Promise<SealedAnswer> {
    const isGet = call.method === "GET";
    const path = isGet ? blindPath : call.path;
    const headers = { ...call.headers, ...(isGet ? { path: call.path } : {}) };
    const sealed = await sealRequest(
      { hpkeKey: this.node.hpkeKey, statementHash: this.node.statementHash },
      { method: "POST", path: path.split("?")[0] ?? path },
      {
        sentAt: Math.floor(Date.now() / 1000) + this.clockAhead,
        headers,
        body: utf8(call.body ?? ""),
      },
    );
    const silenceMs = call.silenceMs ?? this.options.silenceMs ?? silenceDefaultMs;
    const deadline = new Deadline(call.signal);
    try {
      deadline.set(silenceMs);
      const response = await fetch(`${this.url}${path}`, {
        ...fetchSettings,
        method: "POST",
        headers: { "content-type": sealedContentType },
        body: sealed.body,
        signal: deadline.signal,
      });
      if (response.status !== 200 || !response.body) throw await refusedInTheClear(response);
      const heard = watched(response.body, () => deadline.set(silenceMs));
      const answer = await openAnswer(heard, sealed.answerSecret);
      const { status, headers: answered } = answer.head;
      return { status, headers: answered, body: guarded(answer.body, deadline, call.signal) };
    } catch (thrown) {
      deadline.clear();
      throw fetchError(thrown, call.signal, deadline.isTimeUp);
    }
  }

  /** The whole of a small answer of 200. Errors: those of send; EntryRefusal; `body_too_large`. */
  async fetch(call: SealedCall, bytesMax: number): Promise<Uint8Array<ArrayBuffer>> {
    const answer = await this.send(call);
    const isWell = answer.status >= 200 && answer.status < 300;
    const bytes = await collect(answer.body, isWell ? bytesMax : errorBytesMax);
    if (isWell) return bytes;
    throw refusalOfBody(answer.status, bytes, answer.headers["retry-after"] ?? null);
  }

  /** The same as JSON. */
  async fetchJson(call: SealedCall, bytesMax: number): Promise<unknown> {
    const limits = { bytesMax, depthMax: 16 };
    return parseJson(await this.fetch(call, bytesMax), "answer", limits);
  }
}

async function refusedInTheClear(response: Response): Promise<TeeTeeError> {
  const bytes = await readAll(response.body, errorBytesMax).catch(() => new Uint8Array(0));
  if (response.status === 200) return new RefusedInTheClear(refusalOf(undefined, 200));
  const retryAfter = response.headers.get("retry-after");
  return new RefusedInTheClear(refusalOfBody(response.status, bytes, retryAfter));
}

/** The same stream; `onChunk` is called whenever something of it has come. */
function watched(
  stream: ReadableStream<Uint8Array>,
  onChunk: () => void,
): ReadableStream<Uint8Array> {
  const reader = stream.getReader();
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await reader.read();
      if (done) return controller.close();
      onChunk();
      controller.enqueue(value);
    },
    async cancel(reason) {
      await reader.cancel(reason);
    },
  });
}

async function* guarded(
  body: AsyncGenerator<Uint8Array<ArrayBuffer>, void, undefined>,
  deadline: Deadline,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array<ArrayBuffer>, void, undefined> {
  try {
    yield* body;
  } catch (thrown) {
    throw fetchError(thrown, signal, deadline.isTimeUp);
  } finally {
    deadline.clear();
    // Whoever breaks off wants no more of the answer: its connection ends, and the entry stops.
    deadline.abort();
  }
}

/** All of a body. Error: `body_too_large`, and those of the body. */
export async function collect(
  body: AsyncIterable<Uint8Array<ArrayBuffer>>,
  bytesMax: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array[] = [];
  let count = 0;
  for await (const piece of body) {
    count += piece.length;
    if (count > bytesMax) fail("body_too_large", `answer: need at most ${bytesMax} bytes`);
    parts.push(piece);
  }
  return concat(...parts);
}
