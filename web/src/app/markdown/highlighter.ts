// SPDX-License-Identifier: Apache-2.0
import hljs from "highlight.js/lib/core";
import bash from "highlight.js/lib/languages/bash";
import c from "highlight.js/lib/languages/c";
import cpp from "highlight.js/lib/languages/cpp";
import css from "highlight.js/lib/languages/css";
import diff from "highlight.js/lib/languages/diff";
import go from "highlight.js/lib/languages/go";
import java from "highlight.js/lib/languages/java";
import javascript from "highlight.js/lib/languages/javascript";
import json from "highlight.js/lib/languages/json";
import python from "highlight.js/lib/languages/python";
import rust from "highlight.js/lib/languages/rust";
import sql from "highlight.js/lib/languages/sql";
import typescript from "highlight.js/lib/languages/typescript";
import xml from "highlight.js/lib/languages/xml";
import yaml from "highlight.js/lib/languages/yaml";
import type { Span } from "./highlight";

/** The tree that the highlighter builds before it would write HTML of it. */
interface TreeNode {
  scope?: string;
  children?: (TreeNode | string)[];
}

function collect(node: TreeNode, outer: string, spans: Span[]): void {
  const isLanguage = node.scope?.startsWith("language:") === true;
  const scope = isLanguage ? "" : (node.scope?.replaceAll(".", " ") ?? outer);
  for (const child of node.children ?? []) {
    if (typeof child !== "string") {
      collect(child, scope, spans);
      continue;
    }
    const last = spans.at(-1);
    if (last?.scope === scope) last.text += child;
    else spans.push({ text: child, scope });
  }
}

const known = {
  bash,
  c,
  cpp,
  css,
  diff,
  go,
  java,
  javascript,
  json,
  python,
  rust,
  sql,
  typescript,
  xml,
  yaml,
};
for (const [name, language] of Object.entries(known)) hljs.registerLanguage(name, language);

/** The texts of the spans joined are the code. */
export function colour(code: string, language: string): Span[] {
  const result = hljs.highlight(code, { language, ignoreIllegals: true });
  const spans: Span[] = [];
  const { root } = result._emitter as unknown as { root?: TreeNode };
  if (root !== undefined) collect(root, "", spans);
  const isWhole = spans.reduce((sum, span) => sum + span.text.length, 0) === code.length;
  return isWhole ? spans : [{ text: code, scope: "" }];
}
