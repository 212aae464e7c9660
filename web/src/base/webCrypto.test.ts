// SPDX-License-Identifier: Apache-2.0
import { afterEach, expect, it, vi } from "vitest";
import { sha256, toHex, utf8 } from "./bytes";

afterEach(() => vi.unstubAllGlobals());

it("hashes by the browser's cryptography", async () => {
  expect(toHex(await sha256(utf8("abc")))).toBe(
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
  );
});

it("says what it needs where there is none", async () => {
  vi.stubGlobal("crypto", {});
  await expect(sha256(utf8("abc"))).rejects.toMatchObject({ code: "unsupported" });
});
