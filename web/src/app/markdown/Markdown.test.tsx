// SPDX-License-Identifier: Apache-2.0
import { renderToStaticMarkup } from "react-dom/server";
import { describe, expect, it } from "vitest";
import { colour } from "./highlighter";
import { knownLanguage } from "./highlight";
import { decodeReferences, safeHref } from "./links";
import { Markdown } from "./Markdown";

const html = (text: string) => renderToStaticMarkup(<Markdown text={text} />);

describe("Markdown", () => {
  it("renders what people write", () => {
    const shown = html(
      "# T\n\n*a* **b** ~~c~~ `d` &amp; \\*\n\n1. x\n2. y\n\n- [x] done\n\n|h|\n|-|\n|v|\n\n---",
    );
    for (const part of [
      '<h3 data-level="1">T</h3>',
      "<em>a</em>",
      "<strong>b</strong>",
      "<del>c</del>",
      "<code>d</code> &amp; *",
      '<ol start="1"><li>',
      'aria-label="done"',
      "<th>h</th>",
      "<td>v</td>",
      "<hr/>",
    ]) {
      expect(shown).toContain(part);
    }
  });

  it("shows HTML as the text that it is", () => {
    for (const hostile of [
      "<script>alert(1)</script>",
      "<img src=x onerror=alert(1)>",
      'a <b onclick="x()">b</b>',
      "<style>*{display:none}</style>",
      "<!-- c -->",
      "- <iframe src=//evil.example>",
      "| <svg onload=x> |\n|-|\n| <math> |",
    ]) {
      const shown = html(hostile);
      expect(shown).not.toMatch(/<(?:script|img|b|style|!--|iframe|svg onload|math)/);
      expect(shown).toContain("&lt;");
    }
  });

  it("links only to http, https and mail, and tells the target nothing", () => {
    expect(html("[a](https://x.example/?q=1&r=2)")).toContain(
      '<a href="https://x.example/?q=1&amp;r=2" target="_blank" rel="noopener noreferrer nofollow">a</a>',
    );
    for (const href of [
      "javascript:alert(1)",
      "JaVaScRiPt:alert(1)",
      "java&#115;cript:alert(1)",
      "data:text/html,<script>1</script>",
      "vbscript:x",
      "file:///etc/passwd",
      "//evil.example",
      "/relative",
      "#/explorer?receipt=1",
      "&#x01;javascript:alert(1)",
    ]) {
      expect(html(`[a](<${href}>)`)).not.toContain("<a");
    }
    expect(html("<javascript:alert(1)>")).not.toContain("<a");
  });

  it("loads no image", () => {
    const shown = html("![cat](https://x.example/cat.png)\n\n![in](data:image/png;base64,AA==)");
    expect(shown).not.toContain("<img");
    expect(shown).toContain('href="https://x.example/cat.png"');
    expect(shown).not.toContain('href="data:');
  });

  it("shows code as it is, also when its fence is still open", () => {
    expect(html("```html\n<b>&amp;</b>\n```")).toContain(
      "<code>&lt;b&gt;&amp;amp;&lt;/b&gt;</code>",
    );
    expect(renderToStaticMarkup(<Markdown text={"```js\nlet x"} isStreaming />)).toContain(
      "<code>let x</code>",
    );
  });

  it("finds definitions that stand behind", () => {
    expect(html("[a][1]\n\ntext\n\n[1]: https://x.example/")).toContain(
      'href="https://x.example/"',
    );
  });

  it("stops nesting and keeps the text", () => {
    const shown = html(`${"> ".repeat(60)}deep`);
    expect(shown).toContain("deep");
    expect(shown.split("<blockquote>").length).toBeLessThan(20);
  });
});

describe("safeHref", () => {
  it("gives the absolute form", () => {
    expect(safeHref(" https://x.example ")).toBe("https://x.example/");
    expect(safeHref("mailto:a@x.example")).toBe("mailto:a@x.example");
    expect(safeHref("https://")).toBeUndefined();
  });
});

describe("decodeReferences", () => {
  it("decodes what is known and leaves the rest", () => {
    expect(decodeReferences("&lt;&#65;&#x42;&unknown;&constructor;&#0;&#xD800;")).toBe(
      "<AB&unknown;&constructor;\ufffd\ufffd",
    );
  });
});

describe("colour", () => {
  it("keeps every character", () => {
    const codes: [string, string][] = [
      ["python", "def f(x):\n    return f'{x}' # <b>\n"],
      ["xml", "<a href='x'><script>let y = 1;</script></a>"],
      ["typescript", "const x: number = `a${1 + 2}`;"],
      ["json", '{"a": [1, true, "&lt;"]}'],
    ];
    for (const [language, code] of codes) {
      const spans = colour(code, language);
      expect(spans.map(({ text }) => text).join("")).toBe(code);
      expect(spans.some(({ scope }) => scope !== "")).toBe(true);
    }
  });

  it("knows languages by the names that people use, and nothing else", () => {
    expect(knownLanguage("TS title=x")).toBe("typescript");
    for (const info of ["", "constructor", "__proto__", "klingon"]) {
      expect(knownLanguage(info)).toBeUndefined();
    }
  });
});
