// SPDX-License-Identifier: Apache-2.0
import { encodeAbiParameters, type Address, type Hex } from "viem";
import { concat, equal, fromHex, sha256, toHex } from "../base/bytes";
import { fail } from "../base/error";
import {
  type ContractCall,
  type RegistrationArguments,
  registerNodeCall,
  renewNodeCall,
} from "../chain/calls";
import { type Deployment, isSameAddress } from "../chain/deployment";
import {
  type ChainReader,
  type PoolInfo,
  readIsAccepted,
  readNode,
  readNodeOfKey,
  readPool,
} from "../chain/reads";
import { recoverSigner, registrationDigest } from "../chain/typedData";
import { fetchBytes, fetchDocument, type FetchOptions } from "./fetchJson";
import { ensureBaseUrl, Fields, type LayerRange, parseJson } from "./fields";
import {
  endpointBytesMax,
  evidenceBytesMax,
  platformVerdictBytesMax,
  quoteBytesMax,
  registrationBytesMax,
  statementBytesMax,
} from "./limits";
import type { RouteVerifier, StatementFacts } from "./routeVerifier";

// What the host of a new node needs: the node's own word at its status address, held against the
// pool, and made into the transaction that registers it (docs/wallet.md, "Registering a node").

/** What a node hands its host; believed nowhere until it is checked. */
export interface RegistrationFile {
  readonly deployment: Deployment;
  readonly pool: bigint;
  readonly slot: number;
  readonly host: Address;
  readonly endpoint: string;
  readonly statement: Uint8Array;
  readonly quote: Uint8Array;
  readonly signature: Hex;
  /** Empty where the pool's verifier takes none. */
  readonly platformVerdict: Uint8Array;
}

const members = [
  "version",
  "chain_id",
  "contract",
  "pool",
  "slot",
  "host",
  "endpoint",
  "statement",
  "quote",
  "signature",
  "platform_verdict",
];

function bytesOf(hex: Hex): Uint8Array<ArrayBuffer> {
  return fromHex(hex.slice(2));
}

/** Error: `config_invalid`, naming the member and what it needs. */
export function parseRegistration(bytes: Uint8Array): RegistrationFile {
  const limits = { bytesMax: registrationBytesMax, depthMax: 8 };
  const fields = Fields.of(
    parseJson(bytes, "registration", limits),
    "registration",
    "config_invalid",
  );
  fields.ensureOnly(members);
  if (fields.number("version") !== 1) fields.wrong("version", "1");
  const endpoint = fields.text("endpoint", endpointBytesMax);
  if (!/^[\x21-\x7e]+$/.test(endpoint)) {
    fields.wrong("endpoint", `printable ASCII of 1 to ${endpointBytesMax} bytes`);
  }
  return {
    deployment: { chainId: fields.number("chain_id"), contract: fields.address("contract") },
    pool: fields.bigNumber("pool"),
    slot: fields.number("slot", 0xffff),
    host: fields.address("host"),
    endpoint,
    statement: bytesOf(fields.data("statement", statementBytesMax)),
    quote: bytesOf(fields.data("quote", quoteBytesMax)),
    signature: fields.hex("signature", 65),
    platformVerdict: fields.has("platform_verdict")
      ? bytesOf(fields.data("platform_verdict", platformVerdictBytesMax))
      : new Uint8Array(0),
  };
}

/** What a node says of itself at its status address. */
export interface NodeStanding {
  readonly isReady: boolean;
  readonly isDraining: boolean;
  readonly isEntry: boolean;
  readonly model: string;
  readonly layers: LayerRange;
  readonly routes: number;
  readonly links: number;
  readonly isSimulated: boolean;
}

export function parseNodeStanding(value: unknown): NodeStanding {
  const fields = Fields.of(value, "health");
  return {
    isReady: fields.bool("ready"),
    isDraining: fields.boolOr("draining", false),
    isEntry: fields.text("role") === "entry",
    model: fields.text("model"),
    layers: fields.layers("layers"),
    routes: fields.number("routes", 1 << 20),
    links: fields.number("links", 1 << 20),
    isSimulated: fields.bool("simulated"),
  };
}

/**
 * GET /registration of a node's status address. Errors: `address_invalid`; those of fetchDocument
 * (`route_unknown` of a node that signs for no host); `config_invalid`.
 */
export async function fetchRegistration(
  url: string,
  options?: FetchOptions,
): Promise<RegistrationFile> {
  const base = ensureBaseUrl(url);
  return parseRegistration(
    await fetchDocument(`${base}/registration`, registrationBytesMax, options),
  );
}

/** GET /ready of a node's status address: 503 where it may not be counted on. */
export async function fetchNodeStanding(
  url: string,
  options?: FetchOptions,
): Promise<NodeStanding> {
  const base = ensureBaseUrl(url);
  const answer = await fetchBytes(`${base}/ready`, registrationBytesMax, options);
  const limits = { bytesMax: registrationBytesMax, depthMax: 8 };
  return parseNodeStanding(parseJson(answer.bytes, "health", limits));
}

/** What a registration is held against before it costs anything. */
export interface RegistrationNeeds {
  readonly deployment: Deployment;
  /** That is to send the transaction. */
  readonly wallet: Address;
  readonly pool: PoolInfo;
  /** A closed pool takes no new nodes; those that are there may renew. */
  readonly isRenewal: boolean;
  /** Unix seconds. */
  readonly now: number;
}

/** As contracts allow for clocks, seconds. */
const clockLeeway = 120;

function wrong(what: string, have: unknown, need: unknown): never {
  return fail("statement_mismatch", `${what}: have ${String(have)}, need ${String(need)}`);
}

function ensureSame(what: string, have: string | number | bigint, need: string | number | bigint) {
  if (String(have).toLowerCase() !== String(need).toLowerCase()) wrong(what, have, need);
}

function slotLayers(file: RegistrationFile, needs: RegistrationNeeds): LayerRange {
  const { pool } = needs;
  if (pool.closed && !needs.isRenewal) {
    wrong("registration.pool", `${file.pool}, which is closed`, "an open one");
  }
  const layers = pool.slotLayers[file.slot];
  if (layers === undefined) {
    return wrong("registration.slot", file.slot, `one below ${pool.slotLayers.length}`);
  }
  const begin = pool.slotLayers.slice(0, file.slot).reduce((sum, one) => sum + one, 0);
  return { begin, end: begin + layers };
}

function text(layers: LayerRange): string {
  return `${layers.begin}-${layers.end - 1}`;
}

function timeText(seconds: number): string {
  const isTime = seconds >= 0 && seconds < 8.64e12;
  return isTime ? new Date(seconds * 1000).toISOString().slice(0, 19) + "Z" : String(seconds);
}

function checkStatement(
  statement: StatementFacts,
  file: RegistrationFile,
  needs: RegistrationNeeds,
  layers: LayerRange,
): void {
  ensureSame("statement.chain_id", statement.chainId, file.deployment.chainId);
  ensureSame("statement.contract", statement.contract, file.deployment.contract);
  ensureSame("statement.pool", statement.pool, file.pool);
  ensureSame("statement.model_root", statement.modelRoot, needs.pool.modelRoot);
  ensureSame("statement.layers", text(statement.layers), text(layers));
  ensureSame("statement.policy_hash", statement.policyHash, needs.pool.policyHash);
  const { notBefore, notAfter } = statement;
  if (needs.now + clockLeeway >= notBefore && needs.now < notAfter) return;
  fail(
    "statement_expired",
    `statement: have ${timeText(notBefore)} to ${timeText(notAfter)}, need ${timeText(needs.now)} in between: let the node make a new one`,
  );
}

/**
 * That the file is for this contract, wallet and pool, that its statement is what the slot needs, and
 * that the statement's receipt key has signed for it, as src/cli/registration_check.cpp. Errors name
 * what is there and what is needed: `statement_mismatch`, `statement_malformed`, `statement_expired`,
 * `signature_invalid`.
 */
export async function checkRegistration(
  file: RegistrationFile,
  needs: RegistrationNeeds,
  verifier: RouteVerifier,
): Promise<StatementFacts> {
  ensureSame("registration.chain_id", file.deployment.chainId, needs.deployment.chainId);
  ensureSame("registration.contract", file.deployment.contract, needs.deployment.contract);
  if (!isSameAddress(file.host, needs.wallet)) {
    wrong("registration.host", file.host, `this wallet, ${needs.wallet}: set TEETEE_HOST to it`);
  }
  const layers = slotLayers(file, needs);
  const statement = verifier.decodeStatement(file.statement);
  checkStatement(statement, file, needs, layers);
  const digest = registrationDigest(file.deployment, {
    host: file.host,
    pool: file.pool,
    slot: file.slot,
    statementHash: `0x${toHex(await sha256(file.statement))}`,
    endpoint: file.endpoint,
  });
  const signer = await recoverSigner(digest, file.signature);
  if (!isSameAddress(signer, statement.receiptAddress)) {
    fail(
      "signature_invalid",
      `registration.signature: have one by ${signer} or over something else, need the receipt key's, ${statement.receiptAddress}`,
    );
  }
  return statement;
}

/**
 * That the quote is over the statement; its measurement. What else a quote must be, `verifyNode` of
 * the verifier judges. Errors: those of parseQuote, `report_data_mismatch`.
 */
export async function checkRegistrationQuote(
  file: RegistrationFile,
  verifier: RouteVerifier,
): Promise<Hex> {
  const quote = await verifier.parseQuote(file.quote);
  if (!equal(quote.reportData, await verifier.reportData(file.statement))) {
    fail("report_data_mismatch", "registration.quote: is over something else than the statement");
  }
  return quote.measurement;
}

/** Which contract decides over a pool's evidence (docs/contracts-attestation.md). */
export type VerifierKind = "dev" | "quote" | "automata";

/**
 * Of a pool, as far as the file tells it: simulated evidence is for a dev verifier alone, a verdict
 * on the platform for one of kind quote. `tryCall` shows whether it holds.
 */
export function likelyVerifierKind(file: RegistrationFile, isSimulated: boolean): VerifierKind {
  if (isSimulated) return "dev";
  return file.platformVerdict.length > 0 ? "quote" : "automata";
}

const verdictBytes = 352;
const signatureBytes = 65;

function ensureVerdict(kind: VerifierKind, verdict: Uint8Array): void {
  if (kind !== "quote") {
    if (verdict.length === 0) return;
    fail("config_invalid", `evidence: have a verdict on the platform, need none for ${kind}`);
  }
  const signatures = verdict[verdictBytes] ?? 1;
  const need = verdictBytes + 1 + signatureBytes * signatures;
  if (verdict.length === need) return;
  fail(
    "config_invalid",
    `evidence: have a verdict on the platform of ${verdict.length} bytes, need ${need}`,
  );
}

/**
 * What registerNode takes: abi.encode(bytes statement, bytes proof), the proof being the quote, behind
 * the verdict on its platform for kind quote. Error: `config_invalid`.
 */
export function encodeEvidence(kind: VerifierKind, file: RegistrationFile): Hex {
  ensureVerdict(kind, file.platformVerdict);
  const proof = concat(file.platformVerdict, file.quote);
  const evidence = encodeAbiParameters(
    [{ type: "bytes" }, { type: "bytes" }],
    [`0x${toHex(file.statement)}`, `0x${toHex(proof)}`],
  );
  const have = (evidence.length - 2) / 2;
  if (have > evidenceBytesMax) {
    fail("config_invalid", `evidence: have ${have} bytes, need at most ${evidenceBytesMax}`);
  }
  return evidence;
}

export async function registrationArguments(
  file: RegistrationFile,
  statement: StatementFacts,
  kind: VerifierKind,
): Promise<RegistrationArguments> {
  return {
    pool: file.pool,
    slot: file.slot,
    receiptKey: statement.receiptAddress,
    statementHash: `0x${toHex(await sha256(file.statement))}`,
    endpoint: file.endpoint,
    evidence: encodeEvidence(kind, file),
    signature: file.signature,
  };
}

/** A node that may be registered, or renewed, by this transaction. */
export interface ReadyRegistration {
  readonly call: ContractCall;
  readonly statement: StatementFacts;
  readonly measurement: Hex;
  /** The number that the node has already; undefined for a new one. */
  readonly node: bigint | undefined;
}

/**
 * Checks a registration against the contract and makes its transaction: registerNode, or renewNode for
 * a key that the contract knows. The evidence itself is the verifier's affair (`verifyNode`), and the
 * contract's: see tryCall. Errors: those of the checks above; `not_found` for a pool that is not
 * there; `measurement_rejected`; `statement_mismatch` for a node of another slot; `call_reverted` for
 * one that left.
 */
export async function prepareRegistration(
  reader: ChainReader,
  file: RegistrationFile,
  about: {
    readonly wallet: Address;
    readonly verifier: RouteVerifier;
    readonly kind: VerifierKind;
    readonly now: number;
    /** For the pool's verifier, wei. */
    readonly fee?: bigint;
  },
): Promise<ReadyRegistration> {
  const { verifier, wallet, now, kind, fee = 0n } = about;
  const { deployment } = reader;
  ensureSame("registration.chain_id", file.deployment.chainId, deployment.chainId);
  ensureSame("registration.contract", file.deployment.contract, deployment.contract);
  const pool = await readPool(reader, file.pool);
  const key = verifier.decodeStatement(file.statement).receiptAddress;
  const known = await readNodeOfKey(reader, key);
  const isRenewal = known !== 0n;
  const needs = { deployment, wallet, pool, isRenewal, now };
  const statement = await checkRegistration(file, needs, verifier);
  const measurement = await checkRegistrationQuote(file, verifier);
  const made = await registrationArguments(file, statement, kind);
  if (isRenewal) {
    await ensureRenewable(reader, known, file);
    return {
      call: renewNodeCall(deployment, known, made, fee),
      statement,
      measurement,
      node: known,
    };
  }
  if (!(await readIsAccepted(reader, file.pool, measurement))) {
    fail(
      "measurement_rejected",
      `pool ${file.pool} does not accept code ${measurement}: deploy the image that the pool names, or ask its creator to accept yours`,
    );
  }
  return { call: registerNodeCall(deployment, made, fee), statement, measurement, node: undefined };
}

async function ensureRenewable(
  reader: ChainReader,
  node: bigint,
  file: RegistrationFile,
): Promise<void> {
  const info = await readNode(reader, node);
  if (info.left) {
    fail(
      "call_reverted",
      `node ${node} left the pool for good: start it with a new state folder, which makes a new key`,
    );
  }
  if (info.pool !== file.pool || info.slot !== file.slot) {
    wrong(
      "registration",
      `slot ${file.slot} of pool ${file.pool}`,
      `slot ${info.slot} of pool ${info.pool}`,
    );
  }
}
