// SPDX-License-Identifier: Apache-2.0
// What somebody pasted, dropped or linked. Recognised by its form; nothing is verified here.
import { parseAttestation } from "../../attest/route";
import {
  attestationBytesMax,
  attestationJsonDepthMax,
  collateralBytesMax,
  quoteBytesMax,
  receiptBytesMax,
} from "../../attest/limits";
import { fromBase64, fromHex, fromUtf8 } from "../../base/bytes";
import { asError, fail } from "../../base/error";
import {
  isJsonArray,
  isJsonObject,
  parseJson,
  type JsonObject,
  type JsonValue,
} from "../../base/json";
import { DocumentError, placeOf, placeOfJsonError } from "./placedError";

/** A quote, with the statement that it is over where it came with one. */
export interface QuoteDocument {
  readonly kind: "quote";
  readonly quote: Uint8Array<ArrayBuffer>;
  readonly statement?: Uint8Array<ArrayBuffer>;
  /** JSON. */
  readonly collateral?: string;
  readonly eventLog?: string;
}

export interface ReceiptDocument {
  readonly kind: "receipt";
  readonly text: string;
}

/** An entry's evidence of its whole route. */
export interface RouteDocument {
  readonly kind: "route";
  readonly nodes: readonly QuoteDocument[];
}

/** Something that is read together with a quote. */
export interface CollateralDocument {
  readonly kind: "collateral";
  readonly text: string;
}

export interface EventLogDocument {
  readonly kind: "eventLog";
  readonly text: string;
}

export type ExplorerDocument =
  QuoteDocument | ReceiptDocument | RouteDocument | CollateralDocument | EventLogDocument;

/** Larger files are no receipt and no quote. */
export const documentBytesMax = receiptBytesMax;

const quoteHeaderBytes = 48;

/** The version of a binary quote, little-endian, in front. */
function looksLikeQuote(bytes: Uint8Array): boolean {
  const version = bytes[0];
  return bytes.length > quoteHeaderBytes && bytes[1] === 0 && version! >= 3 && version! <= 5;
}

function owned(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes);
}

function ensureQuote(bytes: Uint8Array): QuoteDocument {
  if (bytes.length > 2 * quoteBytesMax) {
    fail("quote_malformed", `quote: have ${bytes.length} bytes, need at most ${quoteBytesMax}`);
  }
  return { kind: "quote", quote: owned(bytes) };
}

/** Hex with or without 0x, or base64 in either alphabet; white space does not count. */
function quoteOfText(text: string): QuoteDocument {
  // Quotes begin with their version, so that one wrong digit is not taken for base64.
  const isHexLike = /^\s*(?:0x|0[345]\s?00|[0-9a-fA-F\s]*$)/.test(text);
  const alphabet = isHexLike ? /[^0-9a-fA-F\s]/ : /[^A-Za-z0-9+/=_\-\s]/;
  const from = /^\s*0x/.test(text) ? text.indexOf("0x") + 2 : 0;
  const wrong = text.slice(from).search(alphabet);
  if (wrong >= 0) {
    const place = placeOf(text, from + wrong);
    const need = "need a receipt, a quote in hex or base64, or what an entry answers";
    throw new DocumentError("invalid_argument", `text: have another character, ${need}`, place);
  }
  const digits = text.slice(from).replace(/\s+/g, "");
  if (isHexLike) {
    if (digits.length % 2 === 0) return ensureQuote(fromHex(digits));
    const have = `have ${digits.length} hex digits, need an even number`;
    throw new DocumentError("invalid_hex", `text: ${have}`, placeOf(text, text.length));
  }
  const plain = digits.replace(/-/g, "+").replace(/_/g, "/").replace(/=+$/, "");
  return ensureQuote(fromBase64(plain + "=".repeat((4 - (plain.length % 4)) % 4)));
}

function textMember(object: JsonObject, ...keys: string[]): string | undefined {
  const values = keys.map((key) => object.get(key));
  return values.find((value): value is string => typeof value === "string" && value !== "");
}

/** The text of a member: as it stands there, or as JSON within JSON. */
function documentMember(object: JsonObject, key: string): string | undefined {
  const value = object.get(key);
  if (typeof value === "string") return value;
  return value === undefined ? undefined : writeJson(value);
}

/** JSON of a value; numbers as they were written. */
export function writeJson(value: JsonValue): string {
  if (isJsonObject(value)) {
    const members = [...value].map(([key, one]) => `${JSON.stringify(key)}:${writeJson(one)}`);
    return `{${members.join(",")}}`;
  }
  if (isJsonArray(value)) return `[${value.map(writeJson).join(",")}]`;
  if (value === null || typeof value === "boolean") return String(value);
  return typeof value === "string" ? JSON.stringify(value) : value.text;
}

/** What a guest agent or a service answers: a quote, and with it what it told of it. */
function quoteOfObject(object: JsonObject): QuoteDocument {
  const text = textMember(object, "quote", "intel_quote", "intelQuote", "tdx_quote");
  if (text === undefined) {
    return fail("invalid_json", "JSON: have an object of another kind, need a receipt or a quote");
  }
  const statement = textMember(object, "statement");
  const collateral = documentMember(object, "collateral");
  const eventLog = documentMember(object, "event_log");
  return {
    ...quoteOfText(text),
    ...(statement === undefined ? {} : { statement: owned(fromBase64(statement)) }),
    ...(collateral === undefined ? {} : { collateral }),
    ...(eventLog === undefined ? {} : { eventLog }),
  };
}

function documentOfJson(text: string): ExplorerDocument {
  const limits = {
    bytesMax: Math.max(attestationBytesMax, collateralBytesMax),
    depthMax: attestationJsonDepthMax,
  };
  let value: JsonValue;
  try {
    value = parseJson(text, limits);
  } catch (thrown) {
    const error = asError(thrown);
    throw new DocumentError(error.code, error.detail, placeOfJsonError(text, error));
  }
  if (isJsonArray(value)) return { kind: "eventLog", text };
  if (!isJsonObject(value)) return fail("invalid_json", "JSON: have a bare value");
  if (value.has("nodes")) {
    const nodes = parseAttestation(text).nodes.map(({ statement, quote }): QuoteDocument => ({
      kind: "quote",
      quote: owned(quote),
      statement: owned(statement),
    }));
    return { kind: "route", nodes };
  }
  if (value.has("tcb_info") && !value.has("quote")) return { kind: "collateral", text };
  if (value.has("data") && value.get("object") === "list") return { kind: "collateral", text };
  return quoteOfObject(value);
}

/** A receipt is recognised by its beginning: large ones are parsed once, by whoever checks them. */
function isReceipt(text: string): boolean {
  return /^\s*\{\s*"version"\s*:/.test(text) && text.includes('"stages"');
}

/**
 * What a text is. Errors: `invalid_json`, `invalid_hex`, `invalid_argument`, `limit_exceeded`, as
 * DocumentError with its place where the text has one; `quote_malformed`.
 */
export function recogniseText(text: string): ExplorerDocument {
  if (/^\s*$/.test(text)) return fail("invalid_argument", "text: it is empty");
  if (isReceipt(text)) return { kind: "receipt", text };
  return /^\s*[[{]/.test(text) ? documentOfJson(text) : quoteOfText(text);
}

/** What a file is; the same, and binary quotes. */
export function recogniseBytes(bytes: Uint8Array): ExplorerDocument {
  if (bytes.length > documentBytesMax) {
    fail("limit_exceeded", `file: have ${bytes.length} bytes, need at most ${documentBytesMax}`);
  }
  if (looksLikeQuote(bytes)) return ensureQuote(bytes);
  let text: string;
  try {
    text = fromUtf8(bytes);
  } catch {
    return fail(
      "quote_malformed",
      `file: ${bytes.length} bytes that are no text and do not begin as a quote of version 3, 4 or 5`,
    );
  }
  return recogniseText(text);
}
