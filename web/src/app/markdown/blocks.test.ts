// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { BlockStream } from "./blocks";

const answer = `# Title

A paragraph with **bold** and a [link][late].
It goes on.

1. one

2. two
   - nested

   \`\`\`js
   let x = 1;
   \`\`\`

3. three

| a | b |
|---|--:|
| 1 | 2 |

> quoted
> more

\`\`\`python
def f():

    return 1
\`\`\`

<b>raw</b>

para
#hash

Setext
------

last

[late]: https://example.org/
`;

const raws = (stream: BlockStream, text: string, whole: boolean) =>
  stream.update(text, whole).map(({ token }) => [token.type, token.raw]);

describe("BlockStream", () => {
  it("ends with the same blocks however the text came", () => {
    const whole = raws(new BlockStream(), answer, true);
    for (const step of [1, 2, 3, 7, 50]) {
      const stream = new BlockStream();
      for (let end = step; end < answer.length; end += step)
        stream.update(answer.slice(0, end), false);
      expect(raws(stream, answer, true)).toEqual(whole);
    }
  });

  it("has settled blocks right while it streams", () => {
    // What is not the last two blocks is final: lexing it alone gives what lexing the whole gives.
    const stream = new BlockStream();
    for (let end = 1; end <= answer.length; end++) {
      const text = answer.slice(0, end);
      const streamed = raws(stream, text, false);
      const whole = raws(new BlockStream(), text, true);
      expect(streamed.slice(0, -2)).toEqual(whole.slice(0, -2));
    }
  });

  it("loses no character", () => {
    const stream = new BlockStream();
    const text = answer.replaceAll("\n\n", "\n");
    for (let end = 1; end <= text.length; end += 5) {
      const shown = stream.update(text.slice(0, end), false).map(({ token }) => token.raw);
      expect(shown.join("").replace(/\s/g, "")).toBe(text.slice(0, end).replace(/\s/g, ""));
    }
  });

  it("keeps the objects of blocks that did not change", () => {
    const stream = new BlockStream();
    const before = stream.update("one\n\ntwo\n\nthree", false);
    const after = stream.update("one\n\ntwo\n\nthree and more", false);
    expect(after[0]).toBe(before[0]);
    expect(after[1]).toBe(before[1]);
    expect(after[2]).not.toBe(before[2]);
    expect(stream.update("one\n\ntwo\n\nthree and more", true)[0]).toBe(before[0]);
  });

  it("starts anew with another text", () => {
    const stream = new BlockStream();
    stream.update("one\n\ntwo\n\nthree\n\nfour", false);
    expect(raws(stream, "other\n\ntext", false).map(([, raw]) => raw?.trim())).toEqual([
      "other",
      "text",
    ]);
  });

  it.each([
    ["quotes in quotes", "> ".repeat(50_000)],
    ["lists in lists", "- 1. ".repeat(20_000)],
    ["brackets", "[".repeat(100_000)],
    ["links that never end", "[a](".repeat(30_000)],
    ["emphasis that never ends", "**a ".repeat(30_000)],
    ["marks of every kind", "*a_~`".repeat(30_000)],
    ["more text than an answer has", "x".repeat(2 << 20)],
  ])("takes %s in its stride and keeps the text", (_, hostile) => {
    // A lexer without bounds needs minutes for some of these, far beyond a test's time.
    const blocks = new BlockStream().update(hostile, true);
    expect(
      blocks
        .map(({ token }) => token.raw)
        .join("")
        .trim(),
    ).toBe(hostile.trim());
  });
});
