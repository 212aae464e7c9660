// SPDX-License-Identifier: Apache-2.0
import type { Address } from "viem";
import { asError, fail, type TeeTeeError } from "../../base/error";
import { tryCall } from "../../chain/calls";
import { isSameAddress } from "../../chain/deployment";
import {
  type ChainReader,
  ensureDeployment,
  type PoolInfo,
  readIsAccepted,
  readNode,
  readNodeOfKey,
  readPool,
} from "../../chain/reads";
import {
  checkRegistration,
  checkRegistrationQuote,
  fetchNodeStanding,
  fetchRegistration,
  likelyVerifierKind,
  parseRegistration,
  prepareRegistration,
  type ReadyRegistration,
  type RegistrationFile,
} from "../../client/nodeProbe";
import {
  type EvidenceCheck,
  RouteRejected,
  type RouteVerifier,
  type VerifiedNode,
} from "../../client/routeVerifier";
import { utf8 } from "../../base/bytes";
import { whenText } from "../pools/amounts";
import { timeText } from "../ui/amounts";
import { adviceOn } from "./advice";

// A node that is to be registered, held against everything that the contract and its neighbours will
// hold it against. What can be looked at is looked at, also when something before it failed.

export const stepTitles = {
  answer: "The node answers",
  place: "It is for this contract, pool and slot",
  wallet: "It names your wallet as its host",
  statement: "Its statement is what the slot needs, and signed by its receipt key",
  evidence: "Its evidence and its shard verify",
  code: "The contract accepts its code",
  contract: "The contract would take the registration",
} as const;
export type StepId = keyof typeof stepTitles;
export const stepIds = Object.keys(stepTitles) as StepId[];

export interface NodeStep {
  readonly id: StepId;
  readonly state: "waiting" | "running" | "passed" | "failed" | "skipped";
  /** What was found, or what is wrong. */
  readonly words?: string;
  readonly have?: string;
  readonly need?: string;
  /** What to do about it. */
  readonly advice?: string;
  readonly checks?: readonly EvidenceCheck[];
}

/** What is judged, and by what. */
export interface NodeQuestion {
  /** The node's status address, or what it shows there. */
  readonly source: { readonly url: string } | { readonly text: string };
  readonly reader: ChainReader;
  readonly wallet: Address;
  readonly pool: bigint;
  readonly slot: number;
  readonly manifest: Uint8Array;
  readonly policy: Uint8Array;
  /** Fetched when it is needed: the node's platform may be new to the entry. */
  readonly collateral: (signal: AbortSignal) => Promise<Uint8Array>;
  readonly verifier: RouteVerifier;
  /** Unix seconds. */
  readonly now: number;
}

export interface NodeFindings {
  readonly steps: readonly NodeStep[];
  readonly file?: RegistrationFile;
  readonly verified?: VerifiedNode;
  /** Only where every step passed. */
  readonly ready?: ReadyRegistration;
  /** What went wrong beside the steps. */
  readonly problem?: string;
}

interface Found {
  readonly words: string;
  readonly checks?: readonly EvidenceCheck[];
}

/** "have X, need Y" of an error's detail. */
function partsOf(detail: string): { have?: string; need?: string } {
  const parts = /(?:^|: )have (.*?), need (.*)$/s.exec(detail);
  return parts ? { have: parts[1]!, need: parts[2]! } : {};
}

function failedStep(id: StepId, error: TeeTeeError): NodeStep {
  const advice = adviceOn(error);
  const checks = error instanceof RouteRejected ? error.nodes[0]?.checks : undefined;
  return {
    id,
    state: "failed",
    words: error.detail,
    ...partsOf(error.detail),
    ...(advice === undefined ? {} : { advice }),
    ...(checks === undefined ? {} : { checks }),
  };
}

class NodeInspection {
  private readonly steps = new Map<StepId, NodeStep>(
    stepIds.map((id) => [id, { id, state: "waiting" }]),
  );
  private file: RegistrationFile | undefined;
  private pool: PoolInfo | undefined;
  private known: bigint | undefined;
  private verified: VerifiedNode | undefined;
  private ready: ReadyRegistration | undefined;

  constructor(
    private readonly question: NodeQuestion,
    private readonly signal: AbortSignal,
    private readonly onFindings: (findings: NodeFindings) => void,
  ) {}

  get findings(): NodeFindings {
    return {
      steps: stepIds.map((id) => this.steps.get(id)!),
      ...(this.file ? { file: this.file } : {}),
      ...(this.verified ? { verified: this.verified } : {}),
      ...(this.ready ? { ready: this.ready } : {}),
    };
  }

  private put(step: NodeStep): void {
    this.steps.set(step.id, step);
    if (!this.signal.aborted) this.onFindings(this.findings);
  }

  private async step(id: StepId, look: () => Promise<Found>): Promise<boolean> {
    if (this.signal.aborted) fail("cancelled", "checking was stopped");
    this.put({ id, state: "running" });
    try {
      const found = await look();
      this.put({ id, state: "passed", ...found });
      return true;
    } catch (thrown) {
      if (this.signal.aborted) fail("cancelled", "checking was stopped");
      this.put(failedStep(id, asError(thrown)));
      return false;
    }
  }

  private skip(...ids: StepId[]): void {
    for (const id of ids) this.put({ id, state: "skipped" });
  }

  async run(): Promise<NodeFindings> {
    if (!(await this.step("answer", () => this.answer()))) {
      this.skip("place", "wallet", "statement", "evidence", "code", "contract");
      return this.findings;
    }
    const isHere = await this.step("place", () => this.place());
    const isOwn = await this.step("wallet", () => this.wallet());
    if (!isHere) {
      // Another pool's terms say nothing about this node.
      this.skip("statement", "evidence", "code", "contract");
      return this.findings;
    }
    const isStated = await this.step("statement", () => this.statement());
    const isProven = await this.step("evidence", () => this.evidence());
    const isAccepted = await this.step("code", () => this.code());
    if (isOwn && isStated && isProven && isAccepted) {
      await this.step("contract", () => this.contract());
    } else {
      this.skip("contract");
    }
    return this.findings;
  }

  private async answer(): Promise<Found> {
    const { source } = this.question;
    if ("text" in source) {
      this.file = parseRegistration(utf8(source.text));
      return { words: "The registration was pasted." };
    }
    const { signal } = this;
    this.file = await fetchRegistration(source.url, { signal });
    // How it stands is for people: the registration proves itself.
    const standing = await fetchNodeStanding(source.url, { signal }).catch(() => undefined);
    if (!standing) return { words: "It hands out a registration." };
    const { model, layers, links, isReady } = standing;
    const range = `layers ${layers.begin} to ${layers.end - 1}`;
    const state = isReady ? "ready" : "not ready yet, as an entry is without a route";
    const linked = links === 1 ? "1 link" : `${links} links`;
    return { words: `It serves ${range} of ${model}, has ${linked}, and is ${state}.` };
  }

  private get registration(): RegistrationFile {
    return this.file ?? fail("internal", "no registration");
  }

  private async place(): Promise<Found> {
    const { reader, pool, slot } = this.question;
    const file = this.registration;
    const { chainId, contract } = reader.deployment;
    const ensure = (what: string, have: unknown, need: unknown) => {
      if (String(have).toLowerCase() === String(need).toLowerCase()) return;
      fail("statement_mismatch", `registration.${what}: have ${have}, need ${need}`);
    };
    ensure("chain_id", file.deployment.chainId, chainId);
    ensure("contract", file.deployment.contract, contract);
    ensure("pool", file.pool, pool);
    ensure("slot", file.slot, slot);
    await ensureDeployment(reader);
    this.pool = await readPool(reader, pool);
    return { words: `Pool ${pool}, slot ${slot}, on chain ${chainId}.` };
  }

  private async wallet(): Promise<Found> {
    const { wallet } = this.question;
    const { host } = this.registration;
    if (!isSameAddress(host, wallet)) {
      fail("statement_mismatch", `registration.host: have ${host}, need your wallet ${wallet}`);
    }
    return { words: host };
  }

  private async statement(): Promise<Found> {
    const { reader, verifier, now } = this.question;
    const file = this.registration;
    const key = verifier.decodeStatement(file.statement).receiptAddress;
    this.known = await readNodeOfKey(reader, key);
    const statement = await checkRegistration(
      file,
      {
        deployment: reader.deployment,
        // Whose it is was said by a step of its own.
        wallet: file.host,
        pool: this.pool!,
        isRenewal: this.known !== 0n,
        now,
      },
      verifier,
    );
    await checkRegistrationQuote(file, verifier);
    const { notAfter, softwareVersion } = statement;
    const until = `good until ${timeText(notAfter)}, ${whenText(notAfter, now)}`;
    return { words: `By ${key}, of version ${softwareVersion}, ${until}.` };
  }

  private async evidence(): Promise<Found> {
    const { question, signal } = this;
    const { reader, pool, manifest, policy, verifier, now } = question;
    const info = this.pool!;
    const { statement, quote } = this.registration;
    const node = await verifier.verifyNode({
      statement,
      quote,
      manifest,
      policy,
      collateral: await question.collateral(signal),
      expectation: {
        deployment: reader.deployment,
        pool,
        modelRoot: info.modelRoot,
        policyHash: info.policyHash,
      },
      now,
    });
    this.verified = node;
    return {
      words: node.isSimulated
        ? "Every check passed, but the TEE is SIMULATED: it protects nothing."
        : `Every check passed; the TCB status is ${node.tcbStatus}.`,
      checks: node.checks,
    };
  }

  private async code(): Promise<Found> {
    const { reader, pool, verifier } = this.question;
    const { measurement } = await verifier.parseQuote(this.registration.quote);
    const isKnown = this.known !== undefined && this.known !== 0n;
    if (isKnown) {
      const { measurement: before } = await readNode(reader, this.known!);
      if (before.toLowerCase() !== measurement.toLowerCase()) {
        fail(
          "measurement_rejected",
          `code: have ${measurement}, need ${before} of its registration`,
        );
      }
    }
    if (!(await readIsAccepted(reader, pool, measurement))) {
      fail("measurement_rejected", `code: have ${measurement}, need one that pool ${pool} accepts`);
    }
    return { words: measurement };
  }

  private async contract(): Promise<Found> {
    const { reader, wallet, verifier, now } = this.question;
    const file = this.registration;
    const kind = likelyVerifierKind(file, this.verified?.isSimulated ?? false);
    const ready = await prepareRegistration(reader, file, { wallet, verifier, kind, now });
    await tryCall(reader.client, ready.call, wallet);
    this.ready = ready;
    if (ready.node === undefined) return { words: "Tried without sending it: a new node." };
    const { expiry } = await readNode(reader, ready.node);
    const { notAfter } = ready.statement;
    const have = `node ${ready.node} is registered until ${timeText(expiry)}`;
    return {
      words:
        notAfter > expiry
          ? `Tried without sending it: ${have}, and its new statement lasts until ${timeText(notAfter)}.`
          : `Tried without sending it: ${have}. Its statement lasts no longer, so renewing changes nothing yet.`,
    };
  }
}

export const waitingSteps: readonly NodeStep[] = stepIds.map((id) => ({ id, state: "waiting" }));

/**
 * Every check of a node, told as it comes. Error: `cancelled` when the signal ends it; whatever else
 * goes wrong is in the steps.
 */
export async function inspectNode(
  question: NodeQuestion,
  signal: AbortSignal,
  onFindings: (findings: NodeFindings) => void,
): Promise<NodeFindings> {
  return new NodeInspection(question, signal, onFindings).run();
}
