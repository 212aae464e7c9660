// SPDX-License-Identifier: Apache-2.0
import type { KnownPart } from "../proof/checkAnswer";
import type { Message } from "./types";

function textAt(list: unknown, i: number): string {
  const text: unknown = Array.isArray(list) ? list[i] : undefined;
  return typeof text === "string" ? text : "";
}

/**
 * What is known of the parts of an answer of an earlier visit: ids of receipts, who gave them, hashes
 * of what was sent. Who knows such an id is given the prompt, so that one whose entry's URL was kept,
 * readable or not, is nobody's else to hear.
 */
export function keptParts(message: Message, wasOnHardware: boolean): KnownPart[] {
  const { receipts = [], requestHashes, entryUrls } = message;
  return receipts.map((receiptId, i) => {
    const requestHash = textAt(requestHashes, i);
    return {
      receiptId,
      ...(entryUrls === undefined ? { wasOnHardware } : { url: textAt(entryUrls, i) }),
      ...(requestHash === "" ? {} : { requestHash }),
      // The text of an answer that ended by itself is that of its only part.
      ...(receipts.length === 1 && message.state === "done" ? { text: message.text } : {}),
    };
  });
}
