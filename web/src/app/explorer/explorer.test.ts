// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { readNetwork } from "../../../tests/readVectors";
import {
  hasSharedData,
  readManifest,
  readShared,
  readSharedText,
  realCases,
} from "../../../tests/sharedData";
import { parseReceipt } from "../../attest/receiptJson";
import { fromUtf8, toBase64, toHex, utf8 } from "../../base/bytes";
import { recogniseBytes, recogniseText } from "./documents";
import { hexRows } from "./hexRows";
import { acceptedVerdict } from "./judge";
import { judgeQuote } from "./judgeQuote";
import { judgeReceipt } from "./judgeReceipt";
import { packForLink, unpackFromLink } from "./linkCodec";
import { join, openText } from "./opened";
import { DocumentError, placeOf, spanOf, unitOfByte } from "./placedError";
import { quoteFields } from "./quoteFields";
import { readReceipt } from "./receiptPlaces";
import { linkTo } from "./share";
import { tcbStatusWords } from "./words";
import type { NetworkTermsInput, ReceiptView } from "./views";

const network = readNetwork();
const text = fromUtf8(network.receipt).trimEnd();
const receipt = parseReceipt(text);
const [firstStage] = receipt.stages;
const quote = firstStage!.quote;

const terms: NetworkTermsInput = {
  name: "test",
  manifest: network.manifest,
  policy: network.policy,
  collateral: network.collateral,
  chainId: receipt.chainId,
  contract: receipt.contract,
  pool: receipt.pool,
  unpinned: "",
};

function errorOf(make: () => unknown): DocumentError {
  try {
    make();
  } catch (thrown) {
    if (thrown instanceof DocumentError) return thrown;
    throw thrown;
  }
  throw new Error("nothing was wrong");
}

describe("places in a text", () => {
  it("count lines and characters", () => {
    const place = placeOf("ab\ncd\nef", 7);
    expect([place.line, place.column, place.excerpt, place.before]).toEqual([3, 2, "ef", 1]);
    expect(placeOf("", 0)).toMatchObject({ line: 1, column: 1, excerpt: "" });
    expect(unitOfByte("aé\u{1f600}b", 7)).toBe(4);
  });

  it("find members", () => {
    const json = '{"a": {"b]": [1, "x,}", {"c": -2.5}]}, "d": null}';
    const at = (...path: (string | number)[]) => {
      const span = spanOf(json, path);
      return span && json.slice(...span);
    };
    expect(at("a", "b]", 1)).toBe('"x,}"');
    expect(at("a", "b]", 2, "c")).toBe("-2.5");
    expect(at("d")).toBe("null");
    expect(at("a", "b]", 3)).toBeUndefined();
    expect(at("e")).toBeUndefined();
  });
});

describe("a malformed receipt", () => {
  it("names the place of a syntax error", () => {
    const at = text.indexOf(',"opening"');
    const { place } = errorOf(() => readReceipt(`${text.slice(0, at)};${text.slice(at + 1)}`));
    expect(place?.at).toBeGreaterThanOrEqual(at);
    expect(place?.at).toBeLessThanOrEqual(at + 1);
  });

  it("names the place of a wrong member", () => {
    const changed = text.replace(/"salt":"0x[0-9a-f]/, '"salt":"0xz');
    const error = errorOf(() => readReceipt(changed));
    expect(error.detail).toContain("receipt.opening.salt");
    expect(error.place?.at).toBe(changed.indexOf('"0xz'));
  });

  it("names the stage", () => {
    const second = text.indexOf('"shard_root"', text.indexOf('"shard_root"') + 1);
    const changed = `${text.slice(0, second)}"shard_root":7${text.slice(text.indexOf(",", second))}`;
    const error = errorOf(() => readReceipt(changed));
    expect(error.place?.at).toBe(changed.indexOf(":7", second) + 1);
  });

  it("says that it was formatted anew", () => {
    const error = errorOf(() => readReceipt(JSON.stringify(JSON.parse(text), undefined, 2)));
    expect(error.detail).toContain("formatted anew");
    expect(error.place).toMatchObject({ line: 1, column: 2 });
  });

  it("says where a hex digit is in upper case", () => {
    const at = text.indexOf('"contract":"0x') + 14;
    const salt = /"salt":"0x[0-9]*([a-f])/.exec(text)!;
    const digit = salt.index + salt[0].length - 1;
    const changed = text.slice(0, digit) + text[digit]!.toUpperCase() + text.slice(digit + 1);
    expect(at).toBeGreaterThan(0);
    expect(errorOf(() => readReceipt(changed)).place?.at).toBe(digit);
  });
});

describe("recognising", () => {
  it("takes quotes as they come", () => {
    const forms = [
      toHex(quote),
      `0x${toHex(quote).toUpperCase()}`,
      toHex(quote).replace(/(.{64})/g, "$1\n"),
      toBase64(quote),
      toBase64(quote).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, ""),
      JSON.stringify({ quote: toHex(quote), event_log: "[]" }),
    ];
    for (const form of forms) {
      expect(recogniseText(form)).toMatchObject({ kind: "quote", quote: new Uint8Array(quote) });
    }
    expect(recogniseBytes(quote)).toMatchObject({ kind: "quote" });
    expect(recogniseBytes(utf8(text))).toMatchObject({ kind: "receipt" });
    expect(recogniseBytes(network.attestation)).toMatchObject({ kind: "route" });
    expect(recogniseBytes(network.collateral)).toMatchObject({ kind: "collateral" });
  });

  it("points at what it cannot read", () => {
    expect(errorOf(() => recogniseText("0400\n02ax3")).place).toMatchObject({
      line: 2,
      column: 4,
    });
    expect(errorOf(() => recogniseText("0x04ff0")).detail).toContain("even number");
    expect(errorOf(() => recogniseText('{"quote":')).place?.line).toBe(1);
    expect(() => recogniseText("  ")).toThrow("empty");
    expect(() => recogniseText('{"some":"thing"}')).toThrow("another kind");
    expect(() => recogniseBytes(Uint8Array.of(0xff, 0xfe, 1))).toThrow("no text");
  });

  it("joins what belongs together, in any order", () => {
    const collateral = recogniseBytes(network.collateral);
    const opened = join(undefined, [collateral, recogniseBytes(quote)]);
    expect(opened).toMatchObject({ kind: "quote", collateral: fromUtf8(network.collateral) });
    expect(() => join(undefined, [collateral])).toThrow("open the quote");
  });
});

describe("links", () => {
  it("give back what was packed", async () => {
    for (const bytes of [new Uint8Array(0), Uint8Array.of(0), quote, network.receipt]) {
      const packed = await packForLink(bytes, 1 << 20);
      expect(packed).toMatch(/^1\.[A-Za-z0-9_-]*$/);
      expect(await unpackFromLink(packed!)).toEqual(new Uint8Array(bytes));
    }
  });

  it("have an end", async () => {
    const noise = crypto.getRandomValues(new Uint8Array(60_000));
    expect(await packForLink(noise)).toBeUndefined();
    // A small link that unpacks to more than any document.
    const bomb = new Blob([new Uint8Array(8 << 20)])
      .stream()
      .pipeThrough(new CompressionStream("deflate-raw"));
    const packed = toBase64(new Uint8Array(await new Response(bomb).arrayBuffer()));
    const link = `1.${packed.replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "")}`;
    await expect(unpackFromLink(link)).rejects.toMatchObject({ code: "limit_exceeded" });
  });

  it("say when they were cut", async () => {
    const packed = (await packForLink(quote))!;
    await expect(unpackFromLink(packed.slice(0, -40))).rejects.toThrow("link");
    await expect(unpackFromLink(`2${packed.slice(1)}`)).rejects.toThrow("another form");
  });

  it("to a quote hold nothing of a receipt", async () => {
    const opened = {
      kind: "quote" as const,
      nodes: [{ kind: "quote" as const, quote: new Uint8Array(quote) }],
    };
    const shared = await linkTo(opened, 0, "http://127.0.0.1/");
    if (shared.kind !== "link") throw new Error("no link");
    const packed = new URLSearchParams(shared.href.split("?")[1]).get("d")!;
    const linked = openText(undefined, fromUtf8(await unpackFromLink(packed)));
    expect(linked).toMatchObject({ kind: "quote", nodes: [{ quote: new Uint8Array(quote) }] });
  });
});

describe("fields of a quote", () => {
  it("name every byte once", () => {
    const fields = quoteFields(quote);
    const rows = hexRows(quote, fields);
    const segments = rows.flatMap((row) => row.segments);
    const unnamed = segments.filter((one) => one.field === undefined);
    // QE envelope's heads and the report's reserved parts have no field of their own.
    expect(unnamed.map((one) => one.hex.split(" ").length).reduce((a, b) => a + b, 0)).toBeLessThan(
      400,
    );
    expect(
      segments
        .map((one) => one.hex)
        .join(" ")
        .split(" "),
    ).toHaveLength(quote.length);
    for (const { value, begin, end, label } of fields) {
      const isHex = /^[0-9a-f]{16,}$/.test(value) && begin !== undefined;
      if (isHex) expect(toHex(quote.subarray(begin, end)), label).toBe(value);
    }
  });
});

const judge = (source: string, given: NetworkTermsInput | undefined = terms) =>
  judgeReceipt({ text: source, network: given, request: network.request, answer: network.answer });

const failed = (view: ReceiptView) =>
  view.checks.filter((check) => check.state === "failed").map((check) => check.name);

describe("a receipt", () => {
  it("is accepted by its network, and called simulated", async () => {
    const view = await judge(text);
    expect(failed(view)).toEqual([]);
    expect(view.verdict).toBe("simulated");
    expect(view.checks.every((check) => check.words !== "")).toBe(true);
    expect(view.stages.every((stage) => stage.joins && stage.evidence === "passed")).toBe(true);
    expect(view.stages.every((stage) => stage.hardware?.isSimulated)).toBe(true);
  });

  it("alone is consistent, and never called verified", async () => {
    const view = await judgeReceipt({ text, network: undefined });
    expect(view.verdict).toBe("alone");
    expect(failed(view)).toEqual([]);
    const details = view.checks.flatMap((check) => check.details ?? []).map((one) => one.name);
    expect(details).toContain("quote signature");
    expect(details).not.toContain("measurements");
    expect(details).not.toContain("weights");
  });

  it("of another network is refused", async () => {
    const view = await judge(text, { ...terms, pool: terms.pool + 1n });
    expect(view.verdict).toBe("failed");
    expect(failed(view)).toContain("entry: signature over the receipt");
  });

  const leaf = (key: string) => {
    const at = text.indexOf(`"${key}":"`) + key.length + 4 + 40;
    return text.slice(0, at) + (text[at] === "A" ? "B" : "A") + text.slice(at + 1);
  };
  it.each([
    ["a row's leaf", leaf("output_leaves"), /^rows that left/],
    ["a quote", leaf("quote"), /^evidence of/],
    [
      "a count of tokens",
      text.replace(/"completion_tokens":(\d+)/, (_, n: string) => `"completion_tokens":${+n + 2}`),
      /^tokens/,
    ],
    [
      "a signature",
      text.replace(
        /"signature":"0x(.)/,
        (_, digit: string) => `"signature":"0x${digit === "1" ? "2" : "1"}`,
      ),
      /^signature of/,
    ],
  ])("with %s changed is refused, with and without a network", async (_, changed, name) => {
    for (const given of [terms, undefined]) {
      const view = await judgeReceipt({ text: changed, network: given });
      expect(view.verdict).toBe("failed");
      expect(failed(view).some((one) => name.test(one))).toBe(true);
    }
  });
});

const now = 1_800_000_000;

describe("a quote", () => {
  it("of a development TEE is simulated to its network, and untrusted to others", async () => {
    const { statement } = firstStage!;
    const input = { quote, statement, now: receipt.finishedAt };
    expect((await judgeQuote({ ...input, network: terms })).verdict).toBe("simulated");
    const alone = await judgeQuote({ ...input, network: undefined });
    expect(alone.verdict).toBe("failed");
    expect(alone.checks[0]).toMatchObject({ name: "root of trust", code: "root_untrusted" });
    expect(alone.statementFields.length).toBeGreaterThan(10);
  });

  it("that is cut shows its bytes and what is wrong", async () => {
    const view = await judgeQuote({ quote: quote.subarray(0, 300), network: undefined, now });
    expect(view.verdict).toBe("failed");
    expect(view.checks.some((check) => check.code === "quote_malformed")).toBe(true);
  });
});

describe.skipIf(!hasSharedData)("real quotes", () => {
  it("have the status that Intel gives them", async () => {
    const statuses = new Set<string>();
    for (const one of realCases().filter((_, i) => i % 12 === 0)) {
      const collateral = fromUtf8(one.collateral);
      const view = await judgeQuote({
        quote: one.quote,
        collateral,
        network: undefined,
        now,
        at: one.time,
      });
      expect(view.hardware?.status, one.name).toBe(one.expected.status);
      expect(view.hardware?.advisories ?? []).toEqual(one.expected.advisory_ids ?? []);
      expect(view.checks[0]?.state).toBe("passed");
      expect(view.checks.filter((check) => check.state === "failed")).toEqual([]);
      expect(tcbStatusWords(view.hardware?.status)).not.toContain("not know");
      statuses.add(view.hardware?.status ?? "");
    }
    expect(statuses.size).toBeGreaterThan(1);
  });

  it("are judged when their collateral was in force", async () => {
    const [one] = realCases();
    const collateral = fromUtf8(one!.collateral);
    const view = await judgeQuote({ quote: one!.quote, collateral, network: undefined, now });
    expect(view.hardware?.status).toBe(one!.expected.status);
    const late = await judgeQuote({
      quote: one!.quote,
      collateral,
      network: undefined,
      now,
      at: now,
    });
    expect(late.verdict).toBe("failed");
  });

  it("follow from their event logs", async () => {
    const [entry] = readManifest().eventlogs;
    const eventLog = readSharedText(entry!.file);
    const input = { quote: readShared(entry!.quote), network: undefined, now };
    const view = await judgeQuote({ ...input, eventLog });
    expect(view.checks.find((check) => check.name === "registers")?.state).toBe("passed");
    expect(view.events.length).toBeGreaterThan(3);
    const last = eventLog.lastIndexOf('"event_payload"');
    const digit = /[0-9a-f]/.exec(eventLog.slice(last + 17))!.index + last + 17;
    const changed =
      eventLog.slice(0, digit) + (eventLog[digit] === "0" ? "1" : "0") + eventLog.slice(digit + 1);
    const other = await judgeQuote({ ...input, eventLog: changed });
    expect(other.verdict).toBe("failed");
  });
});

describe("what a network accepts", () => {
  it("is called verified only where the user has set the network", () => {
    expect(acceptedVerdict(false, terms)).toBe("verified");
    expect(acceptedVerdict(false, { ...terms, unpinned: "The entry's word." })).toBe("attested");
    expect(acceptedVerdict(true, { ...terms, unpinned: "The entry's word." })).toBe("simulated");
  });
});
