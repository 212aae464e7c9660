// SPDX-License-Identifier: Apache-2.0
import type { Yardstick } from "../network/yardstick";
import type { Proof } from "./proof";

/** A receipt as it came, to the byte. */
export interface HeldReceipt {
  id: string;
  bytes: Uint8Array<ArrayBuffer>;
}

/** What a check has found so far, and the receipts that it stands on. */
export interface CheckedProof {
  proof: Proof;
  receipts: readonly HeldReceipt[];
}

/** The proof of one answer, as far as it is. */
export interface HeldProof extends CheckedProof {
  /** What it was held against: no later connection or setting makes it more, or less. */
  yardstick: Yardstick;
}

/**
 * Checks one answer; tells whatever is known, and resolves when that is all: with what looks again,
 * where something may come later, as the anchor on the chain does.
 */
export type ProofJob = (
  tell: (checked: CheckedProof) => void,
) => Promise<(() => Promise<void>) | void>;

const proofsMax = 64;
const receiptBytesMax = 32 << 20;

const begun: CheckedProof = {
  proof: {
    phase: "verifying",
    checks: [],
    route: [],
    simulated: false,
    compared: { request: false, answer: false },
  },
  receipts: [],
};

/**
 * The proofs of this page's answers, by the ids of their receipts; nowhere else, and the oldest make
 * room. A receipt holds the prompt's tokens: it is kept as long as the page.
 */
export class ProofShelf {
  readonly #held = new Map<string, HeldProof>();
  readonly #looks = new Map<string, () => Promise<void>>();
  readonly #listeners = new Set<() => void>();

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  get(receipts: readonly string[]): HeldProof | undefined {
    return this.#held.get(receipts.join(" "));
  }

  /** A receipt that was checked in this page, by its id; for the explorer. */
  receipt(id: string): Uint8Array<ArrayBuffer> | undefined {
    for (const { receipts } of this.#held.values()) {
      const found = receipts.find((receipt) => receipt.id === id);
      if (found) return found.bytes;
    }
    return undefined;
  }

  /** Drops what is known of answers that are deleted, by ids of receipts. */
  forget(receiptIds: readonly string[]): void {
    const gone = new Set(receiptIds);
    for (const key of this.#held.keys()) {
      if (key.split(" ").some((id) => gone.has(id))) this.#drop(key);
    }
    this.#tell();
  }

  /** Drops everything. */
  clear(): void {
    this.#held.clear();
    this.#looks.clear();
    this.#tell();
  }

  /** Begins a job that holds against the yardstick, unless that answer's proof is there or under way. */
  start(receipts: readonly string[], yardstick: Yardstick, job: ProofJob): void {
    const key = receipts.join(" ");
    if (receipts.length === 0 || this.#held.has(key)) return;
    this.#set(key, { ...begun, yardstick });
    void this.#run(key, yardstick, job);
  }

  /** Looks again at what may have come since: the anchor on the chain. */
  async look(receipts: readonly string[]): Promise<void> {
    await this.#looks.get(receipts.join(" "))?.();
  }

  async #run(key: string, yardstick: Yardstick, job: ProofJob): Promise<void> {
    try {
      // One that was dropped meanwhile is not to come back.
      const look = await job((checked) => {
        if (this.#held.has(key)) this.#set(key, { ...checked, yardstick });
      });
      if (look && this.#held.has(key)) this.#looks.set(key, look);
    } catch (thrown) {
      const held = this.#held.get(key);
      if (!held) return;
      const problem = thrown instanceof Error ? thrown.message : "the check did not come to an end";
      this.#set(key, { ...held, proof: { ...held.proof, phase: "unknown", problem } });
    }
  }

  #set(key: string, held: HeldProof): void {
    // Behind all others: the latest is the last to go.
    this.#held.delete(key);
    this.#held.set(key, held);
    this.#makeRoom();
    this.#tell();
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }

  #drop(key: string): void {
    this.#held.delete(key);
    this.#looks.delete(key);
  }

  #makeRoom(): void {
    const sizeOf = ({ receipts }: HeldProof) =>
      receipts.reduce((sum, receipt) => sum + receipt.bytes.length, 0);
    let bytes = [...this.#held.values()].reduce((sum, held) => sum + sizeOf(held), 0);
    for (const [key, held] of this.#held) {
      const isTooMuch = this.#held.size > proofsMax || bytes > receiptBytesMax;
      if (!isTooMuch || this.#held.size === 1) return;
      this.#drop(key);
      bytes -= sizeOf(held);
    }
  }
}

/** Of this page. */
export const proofShelf = new ProofShelf();
