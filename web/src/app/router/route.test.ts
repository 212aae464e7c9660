// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { hrefOf, parseRoute } from "./route";

describe("parseRoute", () => {
  it("takes every form of nothing for home", () => {
    for (const hash of ["", "#", "#/", "#//"]) expect(parseRoute(hash).page).toBe("home");
  });

  it("reads page, rest and query", () => {
    const route = parseRoute("#/explorer/a%20b?receipt=12&x=%26");
    expect(route.page).toBe("explorer");
    expect(route.rest).toEqual(["a b"]);
    expect(route.query.get("receipt")).toBe("12");
    expect(route.query.get("x")).toBe("&");
  });

  it("says missing for what is no page", () => {
    for (const hash of ["#/home", "#/chats", "#/__proto__", "#main"]) {
      expect(parseRoute(hash).page).toBe("missing");
    }
  });

  it("survives a broken escape", () => {
    expect(parseRoute("#/chat/%E0%A4%A").rest).toEqual(["%E0%A4%A"]);
  });
});

describe("hrefOf", () => {
  it("is read back by parseRoute", () => {
    const route = parseRoute(hrefOf("chat", ["a/b?c#d"], { q: "x y&z" }));
    expect(route.page).toBe("chat");
    expect(route.rest).toEqual(["a/b?c#d"]);
    expect(route.query.get("q")).toBe("x y&z");
  });

  it("links home without a name", () => {
    expect(hrefOf("home")).toBe("#/");
  });
});
