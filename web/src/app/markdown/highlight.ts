// SPDX-License-Identifier: Apache-2.0

/** A piece of code; `scope` has names such as `keyword` or `title function`, or nothing. */
export interface Span {
  text: string;
  scope: string;
}

/** Names under which people write the languages that are coloured. */
const languages: Readonly<Record<string, string>> = {
  bash: "bash",
  c: "c",
  "c++": "cpp",
  cpp: "cpp",
  css: "css",
  diff: "diff",
  go: "go",
  golang: "go",
  html: "xml",
  java: "java",
  javascript: "javascript",
  js: "javascript",
  json: "json",
  jsx: "javascript",
  patch: "diff",
  py: "python",
  python: "python",
  rs: "rust",
  rust: "rust",
  sh: "bash",
  shell: "bash",
  sql: "sql",
  svg: "xml",
  ts: "typescript",
  tsx: "typescript",
  typescript: "typescript",
  xml: "xml",
  yaml: "yaml",
  yml: "yaml",
  zsh: "bash",
};

const codeLimit = 100_000;

/** The language's name for `highlight`; `undefined` where it is not coloured. */
export function knownLanguage(info: string): string | undefined {
  const name = /^\S*/.exec(info.trim().toLowerCase())?.[0] ?? "";
  return Object.hasOwn(languages, name) ? languages[name] : undefined;
}

/** Colours code; what is too long stays one span. Loads the highlighter at the first call. */
export async function highlight(code: string, language: string): Promise<Span[]> {
  if (code.length > codeLimit) return [{ text: code, scope: "" }];
  const { colour } = await import("./highlighter");
  return colour(code, language);
}
