// SPDX-License-Identifier: Apache-2.0
// Where in a text an error stands, for people: line, column and the text around it.
import { TeeTeeError } from "../../base/error";

export interface Place {
  /** Of UTF-16 units, from 0. */
  readonly at: number;
  /** From 1. */
  readonly line: number;
  readonly column: number;
  /** One line around the place, and how many of its characters stand before it. */
  readonly excerpt: string;
  readonly before: number;
}

/** A document that cannot be read; `place` where the text says where. */
export class DocumentError extends TeeTeeError {
  readonly place: Place | undefined;

  constructor(code: string, detail: string, place?: Place) {
    super(code, detail);
    this.name = "DocumentError";
    this.place = place;
  }
}

const excerptSide = 32;

/** The place of a character. `at` MUST be within the text or at its end. */
export function placeOf(text: string, at: number): Place {
  const lineBegin = text.lastIndexOf("\n", at - 1) + 1;
  let line = 1;
  for (let i = text.indexOf("\n"); i >= 0 && i < at; i = text.indexOf("\n", i + 1)) line += 1;
  const lineEnd = text.indexOf("\n", at);
  const begin = Math.max(lineBegin, at - excerptSide);
  const end = Math.min(lineEnd < 0 ? text.length : lineEnd, at + excerptSide);
  return {
    at,
    line,
    column: at - lineBegin + 1,
    excerpt: text.slice(begin, end).replace(/[\u0000-\u001f\u007f]/g, " "),
    before: at - begin,
  };
}

/** The unit at which so many bytes of UTF-8 end; the text's end for more. */
export function unitOfByte(text: string, byte: number): number {
  let bytes = 0;
  for (let at = 0; at < text.length; at++) {
    if (bytes >= byte) return at;
    const unit = text.charCodeAt(at);
    bytes += unit < 0x80 ? 1 : unit < 0x800 || (unit >= 0xd800 && unit < 0xe000) ? 2 : 3;
  }
  return text.length;
}

/** "at byte N" of a strict JSON error, as a place. */
export function placeOfJsonError(text: string, error: TeeTeeError): Place | undefined {
  const byte = /at byte (\d+)/.exec(error.detail)?.[1];
  return byte === undefined ? undefined : placeOf(text, unitOfByte(text, Number(byte)));
}

/** Where the value under a path of keys and indexes begins and ends in a valid JSON text. */
export function spanOf(
  text: string,
  path: readonly (string | number)[],
): readonly [begin: number, end: number] | undefined {
  return new SpanFinder(text).find(path);
}

/** Steps through the text of valid JSON without recursion into what is not asked for. */
class SpanFinder {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  find(path: readonly (string | number)[]): readonly [number, number] | undefined {
    for (const step of path) if (!this.#enter(step)) return undefined;
    this.#skipSpace();
    const begin = this.#at;
    this.#skipValue();
    return [begin, this.#at];
  }

  #enter(step: string | number): boolean {
    this.#skipSpace();
    const open = this.#text[this.#at];
    if (open !== (typeof step === "string" ? "{" : "[")) return false;
    this.#at += 1;
    for (let index = 0; ; index++) {
      this.#skipSpace();
      if (this.#at >= this.#text.length || "}]".includes(this.#text[this.#at]!)) return false;
      if (typeof step === "string") {
        const keyAt = this.#at;
        this.#skipValue();
        const key = this.#text.slice(keyAt, this.#at);
        this.#skipSpace();
        this.#at += 1;
        if (key === JSON.stringify(step)) return true;
      } else if (index === step) {
        return true;
      }
      this.#skipValue();
      this.#skipSpace();
      if (this.#text[this.#at] !== ",") return false;
      this.#at += 1;
    }
  }

  #skipSpace(): void {
    while (this.#at < this.#text.length && " \t\r\n".includes(this.#text[this.#at]!)) this.#at++;
  }

  #skipValue(): void {
    this.#skipSpace();
    const tokens = /"(?:[^"\\]|\\.)*"|[{}[\]]|[^\s,:{}[\]"]+|[,:]/gy;
    let depth = 0;
    do {
      this.#skipSpace();
      tokens.lastIndex = this.#at;
      const token = tokens.exec(this.#text)?.[0];
      if (token === undefined) return;
      this.#at += token.length;
      if (token === "{" || token === "[") depth++;
      if (token === "}" || token === "]") depth--;
    } while (depth > 0);
  }
}
