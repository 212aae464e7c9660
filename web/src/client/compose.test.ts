// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import {
  composeHash,
  ensurePinned,
  gatewayUrls,
  hostAppCompose,
  hostCompose,
  hostEnvFile,
  hostVariables,
} from "./compose";

const digest = "a".repeat(64);
const image = `registry.example/teetee@sha256:${digest}`;

describe("a node's compose file", () => {
  // src/cli/compose_file_test.cpp has the same number: pools' policies name it.
  it("has the hash of the one that teetee host writes", async () => {
    expect(await composeHash(hostAppCompose(hostCompose({ image })))).toBe(
      "7b3a0c9f6ad7f10118c817b26ac28eb7505393691545804c29be7019f6270c51",
    );
  });

  it("takes the variables that it may, and no others", () => {
    const compose = hostCompose({ image });
    const used = [...compose.matchAll(/\$\{([A-Z_]+):-\}/g)].map(([, name]) => name);
    expect(new Set(used)).toEqual(new Set(hostVariables));
    const source = readFileSync("../src/cli/compose_file.cpp", "utf8");
    for (const name of hostVariables) expect(source).toContain(`"${name}"`);
  });

  it("is of an image whose bytes its name says", () => {
    for (const wrong of [
      "",
      "teetee",
      "teetee:1.0",
      `@sha256:${digest}`,
      `teetee@sha256:${digest.slice(1)}`,
      `${image}\n`,
      `tee tee@sha256:${digest}`,
      `${"a".repeat(500)}@sha256:${digest}`,
    ]) {
      expect(() => ensurePinned(wrong)).toThrow("invalid_argument");
      expect(() => hostCompose({ image: wrong })).toThrow("invalid_argument");
    }
  });
});

describe("the values of its variables", () => {
  const settings = {
    rpcUrls: ["https://a.example", "https://b.example"],
    contract: "0xC0",
    chainId: 84532,
    fromBlock: 7n,
    pool: 1n,
    slot: 2,
    host: "0xAb",
  };

  it("stand one a line, in one order", () => {
    const lines = hostEnvFile(settings).trimEnd().split("\n");
    expect(lines.filter((line) => !line.startsWith("#")).map((line) => line.split("=")[0])).toEqual(
      hostVariables,
    );
    expect(lines).toContain("TEETEE_RPC=https://a.example,https://b.example");
    expect(lines).toContain("TEETEE_SLOT=2");
    expect(lines).toContain("TEETEE_ADVERTISE=");
    expect(lines.join("\n")).toContain("# tls://HOST:PORT");
    expect(hostEnvFile({ ...settings, advertise: "tls://a:1" })).not.toContain("HOST:PORT");
  });

  it("are quoted where a variable could stand in them, and never end a line", () => {
    expect(hostEnvFile({ ...settings, apiUrl: "https://a/$X" })).toContain(
      "TEETEE_API_URL='https://a/$X'\n",
    );
    for (const apiUrl of ["a\nTEETEE_KEY=b", "it's", "\u00e4"]) {
      expect(() => hostEnvFile({ ...settings, apiUrl })).toThrow("invalid_argument");
    }
  });
});

describe("a node behind a gateway", () => {
  it("is found by its app id", () => {
    const id = "ab".repeat(20);
    expect(gatewayUrls(id, "g.example")).toEqual({
      advertise: `tls://${id}-5010s.g.example:443`,
      statusUrl: `https://${id}-5001.g.example`,
      apiUrl: `https://${id}-5002.g.example`,
      apiTlsUrl: `https://${id}-5003s.g.example`,
    });
    expect(() => gatewayUrls("ab", "g.example")).toThrow("invalid_argument");
    expect(() => gatewayUrls(id, "g.example/x")).toThrow("invalid_argument");
  });
});
