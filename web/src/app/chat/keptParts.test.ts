// SPDX-License-Identifier: Apache-2.0
import { expect, it } from "vitest";
import { keptParts } from "./keptParts";
import type { Message } from "./types";

const message: Message = {
  id: "m",
  role: "assistant",
  text: "yes",
  state: "done",
  created: 7,
  receipts: ["r1"],
  requestHashes: ["ab"],
};
const url = "https://a.example";

it("knows of a kept answer who gave it, and what was sent", () => {
  expect(keptParts({ ...message, entryUrls: [url] }, true)).toEqual([
    { receiptId: "r1", url, requestHash: "ab", text: "yes" },
  ]);
  const two = { ...message, receipts: ["r1", "r2"], requestHashes: ["", "cd"] };
  expect(keptParts({ ...two, entryUrls: [url, "https://b.example"] }, true)).toEqual([
    { receiptId: "r1", url },
    { receiptId: "r2", url: "https://b.example", requestHash: "cd" },
  ]);
  expect(keptParts({ ...message, state: "stopped", entryUrls: [url] }, true)[0]).not.toHaveProperty(
    "text",
  );
});

it("has nobody's URL of what older pages kept", () => {
  expect(keptParts(message, true)).toEqual([
    { receiptId: "r1", wasOnHardware: true, requestHash: "ab", text: "yes" },
  ]);
});

it("has somebody to ask in no case where what was kept of that cannot be read", () => {
  for (const entryUrls of [[], [7], "https://a.example", null] as unknown as string[][]) {
    expect(keptParts({ ...message, entryUrls }, false)).toMatchObject([{ url: "" }]);
  }
  const requestHashes = [7] as unknown as string[];
  expect(keptParts({ ...message, requestHashes }, false)[0]).not.toHaveProperty("requestHash");
});
