// SPDX-License-Identifier: Apache-2.0
// Names of certificates (RFC 5280, section 4.1.2.4), for comparing and for people.
import { toHex } from "../base/bytes";
import { fail } from "../base/error";
import { DerReader, derTag } from "./der";

const stringTag = {
  utf8: 0x0c,
  printable: 0x13,
  t61: 0x14,
  ia5: 0x16,
  universal: 0x1c,
  bmp: 0x1e,
} as const;

/** Numeric strings, and universal types that are no texts. */
const opaqueTags: ReadonlySet<number> = new Set([0x12, 7, 8, 9, 10, 11, 13, 14, 15, 29]);

const commonNameOid = "550403";

export interface Name {
  der: Uint8Array;
  /** Two names are the same exactly if this is: letters in one case, white space collapsed. */
  canonical: string;
  /** The first common name, as its bytes are; empty where there is none. */
  commonName: Uint8Array;
}

function malformed(detail: string): never {
  return fail("certificate_malformed", `name: ${detail}`);
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return malformed("have other bytes, need UTF-8");
  }
}

function decodeUnits(bytes: Uint8Array, unitBytes: number): string {
  if (bytes.length % unitBytes !== 0) malformed("have part of a character");
  let text = "";
  for (let at = 0; at < bytes.length; at += unitBytes) {
    let point = 0;
    for (let i = 0; i < unitBytes; i++) point = point * 256 + bytes[at + i]!;
    if (point > 0x10ffff || (point >= 0xd800 && point < 0xe000)) malformed("have no character");
    text += String.fromCodePoint(point);
  }
  return text;
}

/** What may stand in a name and is compared byte by byte. */
function isOpaque(tag: number): boolean {
  return tag === derTag.bitString || tag === derTag.sequence || opaqueTags.has(tag);
}

function decodeText(tag: number, bytes: Uint8Array): string {
  switch (tag) {
    case stringTag.utf8:
      return decodeUtf8(bytes);
    case stringTag.printable:
    case stringTag.t61:
    case stringTag.ia5:
      return decodeUnits(bytes, 1);
    case stringTag.bmp:
      return decodeUnits(bytes, 2);
    case stringTag.universal:
      return decodeUnits(bytes, 4);
    default:
      if (!isOpaque(tag)) return malformed(`have a text of tag ${tag}`);
      return `#${tag}:${toHex(bytes)}`;
  }
}

/** As RFC 5280, section 7.1, compares: without regard to case and to how much white space there is. */
function canonicalText(text: string): string {
  return text
    .replace(/^[ \t\n\v\f\r]+|[ \t\n\v\f\r]+$/g, "")
    .replace(/[ \t\n\v\f\r]+/g, " ")
    .replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

/** `contents` of the SEQUENCE, and the whole of it. Error: `certificate_malformed`. */
export function parseName(contents: Uint8Array, whole: Uint8Array): Name {
  const name: Name = { der: whole, canonical: "", commonName: new Uint8Array() };
  const sets: string[][] = [];
  let hasCommonName = false;
  const rdns = new DerReader(contents);
  while (!rdns.atEnd) {
    const attributes = new DerReader(rdns.read(derTag.set));
    const entries: string[] = [];
    do {
      const attribute = new DerReader(attributes.read(derTag.sequence));
      const oid = toHex(attribute.readOid());
      const text = attribute.element();
      attribute.ensureAtEnd("name");
      entries.push(`${oid}=${canonicalText(decodeText(text.tag, text.contents))}`);
      if (oid === commonNameOid && !hasCommonName) {
        name.commonName = text.contents;
        hasCommonName = true;
      }
    } while (!attributes.atEnd);
    sets.push(entries);
  }
  // An array in JSON says where each part ends.
  name.canonical = JSON.stringify(sets);
  return name;
}
