// SPDX-License-Identifier: Apache-2.0
import { Lexer, type Token, type TokensList } from "marked";

/** A block of an answer. The same object as before while its text is the same. */
export interface Block {
  key: number;
  token: Token;
}

/**
 * Models that run astray repeat themselves, and lexing takes time that grows with the square of the
 * marks in a paragraph, and with nesting. What is beyond these is shown as it is written.
 */
const limits = { text: 1 << 20, depth: 24, marksInParagraph: 400, paragraph: 1 << 16 };

function plainToken(type: "plain" | "text", raw: string): Token {
  return { type, raw, text: raw, escaped: false } as Token;
}

class BoundedLexer extends Lexer {
  #depth = 0;

  override blockTokens(src: string, tokens: Token[] = [], isClipped = false): TokensList {
    if (this.#depth >= limits.depth) {
      tokens.push(plainToken("plain", src));
      return tokens as TokensList;
    }
    this.#depth += 1;
    try {
      return super.blockTokens(src, tokens, isClipped) as TokensList;
    } finally {
      this.#depth -= 1;
    }
  }

  override inline(src: string, tokens: Token[] = []): Token[] {
    const marks = src.length > limits.paragraph ? Infinity : (src.match(/[*_~[`<]+/g)?.length ?? 0);
    if (marks <= limits.marksInParagraph) return super.inline(src, tokens);
    tokens.push(plainToken("text", src));
    return tokens;
  }
}

function lex(text: string): Token[] {
  if (text.length <= limits.text) {
    try {
      return new BoundedLexer({ gfm: true }).lex(text);
    } catch {
      // A lexer that gives up leaves the text, which is what matters.
    }
  }
  return [plainToken("plain", text)];
}

const isSpace = (token: Token) => token.type === "space";

/**
 * Markdown of an answer that grows. While it streams, only its end is lexed again: blocks that have
 * two others behind them no longer change. With the last text everything is lexed once more, so that
 * links find definitions that came late.
 */
export class BlockStream {
  #blocks: Block[] = [];
  #text = "";
  /** How many blocks no longer change, and where in the text they end. */
  #settled = 0;
  #settledEnd = 0;

  update(raw: string, isWhole: boolean): readonly Block[] {
    const text = raw.replace(/\r\n?/g, "\n");
    if (isWhole || !text.startsWith(this.#text.slice(0, this.#settledEnd))) {
      this.#settled = 0;
      this.#settledEnd = 0;
    }
    this.#text = text;
    const tokens = lex(text.slice(this.#settledEnd));
    const hasDefinitions = tokens.some((token) => token.type === "def");
    const kept = this.#blocks.slice(0, this.#settled);
    for (const token of tokens.filter((token) => !isSpace(token))) {
      const before = this.#blocks[kept.length];
      const isSame = before?.token.raw === token.raw && before.token.type === token.type;
      kept.push(isSame && !hasDefinitions ? before : { key: kept.length, token });
    }
    this.#blocks = kept;
    if (!isWhole) this.#settle(tokens);
    return kept;
  }

  #settle(tokens: readonly Token[]): void {
    const solid = tokens.flatMap((token, at) => (isSpace(token) ? [] : [at]));
    const end = solid.at(-2);
    if (end === undefined) return;
    for (const token of tokens.slice(0, end)) {
      this.#settledEnd += token.raw.length;
      if (!isSpace(token)) this.#settled += 1;
    }
  }
}
