// SPDX-License-Identifier: Apache-2.0

export const pages = ["home", "chat", "models", "contribute", "dashboard", "explorer"] as const;
export type Page = (typeof pages)[number];

/** Where the page is. Everything is in the URL's fragment, which no server ever sees. */
export interface Route {
  page: Page | "missing";
  /** What stands behind the page's name, decoded: `#/chat/abc` has `["abc"]`. */
  rest: string[];
  query: URLSearchParams;
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** Reads `location.hash`: `""`, `#`, `#/` are home, unknown names are `missing`. */
export function parseRoute(hash: string): Route {
  const text = hash.replace(/^#\/?/, "");
  const mark = text.indexOf("?");
  const path = mark < 0 ? text : text.slice(0, mark);
  const query = new URLSearchParams(mark < 0 ? "" : text.slice(mark + 1));
  const [name = "", ...rest] = path.split("/").filter((part) => part !== "");
  if (name === "") return { page: "home", rest: [], query };
  const page = pages.find((known) => known === name && known !== "home");
  return { page: page ?? "missing", rest: rest.map(decode), query };
}

/** The link to a page: `hrefOf("explorer", [], { receipt: "ab" })` is `#/explorer?receipt=ab`. */
export function hrefOf(
  page: Page,
  rest: readonly string[] = [],
  query: Readonly<Record<string, string>> = {},
): string {
  const path = [page === "home" ? "" : page, ...rest.map(encodeURIComponent)].join("/");
  const words = new URLSearchParams(query).toString();
  return `#/${path}${words === "" ? "" : `?${words}`}`;
}
