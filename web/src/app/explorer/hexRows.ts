// SPDX-License-Identifier: Apache-2.0
import type { FieldView } from "./views";

export const rowBytes = 16;

/** A run of bytes within a row that belong to one field, or to none. */
export interface Segment {
  readonly field: string | undefined;
  readonly hex: string;
  readonly ascii: string;
}

export interface HexRow {
  readonly offset: number;
  readonly segments: readonly Segment[];
}

function asciiOf(byte: number): string {
  return byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : "·";
}

/** Where fields overlap the narrower one has the byte. */
function ownersOf(size: number, fields: readonly FieldView[]): (string | undefined)[] {
  const owners = new Array<string | undefined>(size).fill(undefined);
  const placed = fields.filter((field) => field.begin !== undefined && field.end !== undefined);
  placed.sort((a, b) => b.end! - b.begin! - (a.end! - a.begin!));
  for (const { id, begin, end } of placed) owners.fill(id, begin, end);
  return owners;
}

/** Bytes in rows of 16, each cut where fields begin and end. */
export function hexRows(bytes: Uint8Array, fields: readonly FieldView[]): HexRow[] {
  const owners = ownersOf(bytes.length, fields);
  const rows: HexRow[] = [];
  for (let offset = 0; offset < bytes.length; offset += rowBytes) {
    const segments: { field: string | undefined; hex: string[]; ascii: string }[] = [];
    const end = Math.min(offset + rowBytes, bytes.length);
    for (let at = offset; at < end; at++) {
      const field = owners[at];
      const byte = bytes[at]!;
      let segment = segments.at(-1);
      if (segment === undefined || segment.field !== field) {
        segment = { field, hex: [], ascii: "" };
        segments.push(segment);
      }
      segment.hex.push(byte.toString(16).padStart(2, "0"));
      segment.ascii += asciiOf(byte);
    }
    rows.push({
      offset,
      segments: segments.map(({ field, hex, ascii }) => ({ field, hex: hex.join(" "), ascii })),
    });
  }
  return rows;
}
