// SPDX-License-Identifier: Apache-2.0
// The shared data beside the repository: real, changed and synthetic evidence, with what is expected
// of it (its README.md says where each comes from).
import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";

const folder =
  process.env["TEETEE_SHARED_DATA"] ?? resolve(import.meta.dirname, "../../../shared/data");

const attestation = resolve(folder, "attestation");

/** Tests that need it skip visibly where it is absent. */
export const hasSharedData = existsSync(resolve(attestation, "manifest.json"));

export function sharedPath(name: string): string {
  return resolve(attestation, name);
}

export function readShared(name: string): Uint8Array {
  return new Uint8Array(readFileSync(sharedPath(name)));
}

export function readSharedText(name: string): string {
  return readFileSync(sharedPath(name), "utf8");
}

/** What the index of a case expects. */
export interface Expected {
  verdict?: "accept" | "reject";
  status?: string;
  platform_status?: string;
  module_status?: string | null;
  qe_status?: string;
  advisory_ids?: string[];
  code?: string;
}

/** A quote with its collateral, judged at a time. */
export interface EvidenceCase {
  name: string;
  quote: Uint8Array;
  collateral: Uint8Array;
  time: number;
  expected: Expected;
  /** Under the root of the test PKI; else under Intel's. */
  isSynthetic: boolean;
}

interface IndexEntry {
  id: string;
  name: string;
  kind: string;
  desc: string;
  quote: string;
  offset?: number;
  length?: number;
  collateral: string;
  time: number;
  expected: Expected;
}

export interface EventLogEntry {
  file: string;
  quote: string;
  expected_rtmr: string[];
  payloads: Record<string, string>;
}

/** What manifest.json says of a quote. */
export type QuoteEntry = Record<string, string | number | string[]> & { file: string };

interface Manifest {
  sets: IndexEntry[];
  quotes: QuoteEntry[];
  eventlogs: EventLogEntry[];
}

export function readManifest(): Manifest {
  return JSON.parse(readSharedText("manifest.json")) as Manifest;
}

function caseOf(entry: IndexEntry, name: string, quote: Uint8Array): EvidenceCase {
  const collateral = readShared(entry.collateral);
  const { time, expected } = entry;
  return { name, quote, collateral, time, expected, isSynthetic: false };
}

/** Real quotes with the collateral of their time. */
export function realCases(): EvidenceCase[] {
  return readManifest().sets.map((entry) => caseOf(entry, entry.id, readShared(entry.quote)));
}

/** The same with one thing changed. */
export function changedCases(): EvidenceCase[] {
  const blob = readShared("negative/quotes.blob");
  const index = JSON.parse(readSharedText("negative/index.json")) as IndexEntry[];
  return index.map((entry) => {
    const { offset, length } = entry;
    const quote =
      offset === undefined
        ? readShared(entry.quote)
        : blob.subarray(offset, offset + (length ?? 0));
    return caseOf(entry, `${entry.id} ${entry.kind}: ${entry.desc}`, quote);
  });
}

/** Quotes of a test PKI. */
export function syntheticCases(): EvidenceCase[] {
  const index = JSON.parse(readSharedText("synthetic/index.json")) as IndexEntry[];
  return index.map((entry) => {
    const base = `synthetic/${entry.name}`;
    const collateral = `${base}.collateral.json`;
    const quote = readShared(`${base}.quote.bin`);
    return { ...caseOf({ ...entry, collateral }, entry.name, quote), isSynthetic: true };
  });
}

export const syntheticRootFile = "roots/synthetic_test_root.pem";
