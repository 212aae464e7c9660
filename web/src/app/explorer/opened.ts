// SPDX-License-Identifier: Apache-2.0
// What is open in the explorer, put together from one or several documents.
import { fail } from "../../base/error";
import {
  recogniseBytes,
  recogniseText,
  type ExplorerDocument,
  type QuoteDocument,
} from "./documents";
import type { HandedOver } from "./handover";

export type Opened =
  | {
      readonly kind: "receipt";
      readonly text: string;
      readonly collateral?: string | undefined;
      readonly request?: Uint8Array | undefined;
      readonly answer?: Uint8Array | undefined;
      readonly entryUrl?: string | undefined;
    }
  | {
      readonly kind: "quote";
      /** One, or those of a route. */
      readonly nodes: readonly QuoteDocument[];
      readonly collateral?: string | undefined;
      readonly eventLog?: string | undefined;
      /** Of a receipt's stage: judged as of its answer, and there is a way back. */
      readonly at?: number | undefined;
      readonly within?: Opened | undefined;
    };

/**
 * One receipt or quote, and whatever belongs to it. Collateral and event logs that come later join
 * what is open. Errors: those of recogniseText; `invalid_argument` for what has nothing to join.
 */
export function join(before: Opened | undefined, documents: readonly ExplorerDocument[]): Opened {
  let opened = before;
  // What others join comes first, whatever the order in which files were chosen.
  const rank = (one: ExplorerDocument) =>
    one.kind === "collateral" || one.kind === "eventLog" ? 1 : 0;
  for (const document of [...documents].sort((a, b) => rank(a) - rank(b))) {
    opened = joinOne(opened, document);
  }
  return opened ?? fail("invalid_argument", "nothing was opened");
}

function joinOne(before: Opened | undefined, document: ExplorerDocument): Opened {
  switch (document.kind) {
    case "receipt":
      return document;
    case "quote":
      return {
        kind: "quote",
        nodes: [document],
        collateral: document.collateral,
        eventLog: document.eventLog,
      };
    case "route":
      if (document.nodes.length === 0) return fail("evidence_missing", "the route has no node");
      return { kind: "quote", nodes: document.nodes };
    case "collateral":
      if (before !== undefined) return { ...before, collateral: document.text };
      return fail("invalid_argument", "this is collateral: open the quote or the receipt, too");
    case "eventLog":
      if (before?.kind === "quote") return { ...before, eventLog: document.text };
      return fail(
        "invalid_argument",
        "this is an event log: open the quote that it belongs to, too",
      );
  }
}

export function openText(before: Opened | undefined, text: string): Opened {
  return join(before, [recogniseText(text)]);
}

export async function openFiles(
  before: Opened | undefined,
  files: readonly Blob[],
): Promise<Opened> {
  const documents = await Promise.all(
    files.map(async (file) => recogniseBytes(new Uint8Array(await file.arrayBuffer()))),
  );
  return join(before, documents);
}

export function openBytes(bytes: Uint8Array): Opened {
  return join(undefined, [recogniseBytes(bytes)]);
}

export function openHandedOver(item: HandedOver): Opened {
  const opened = openBytes(item.receipt);
  if (opened.kind !== "receipt") return opened;
  const { request, answer, entryUrl } = item;
  return { ...opened, request, answer, entryUrl };
}
