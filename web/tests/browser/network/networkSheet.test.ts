// SPDX-License-Identifier: Apache-2.0
// Who names the pool, and what is done when it changes: TEETEE=/path/to/teetee npm run test:page
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { formatPool } from "../../../src/chain/deployment";
import { accessibilityProblems, launch, type TestBrowser } from "../harness";
import { FrontProxy } from "./frontProxy";
import { hasNetwork, UpNetwork } from "./upNetwork";

const port = 5760;

describe.skipIf(!hasNetwork)("the pool that an entry names", () => {
  let network: UpNetwork;
  let front: FrontProxy;
  let browser: TestBrowser;
  let page: Page;

  beforeAll(async () => {
    network = await UpNetwork.start(port, "--shards", "2");
    front = await FrontProxy.start(port + 40, network.urls[0]!);
  });
  afterAll(async () => {
    await front?.stop();
    await network?.stop();
  });
  afterEach(async () => {
    front.change = undefined;
    await browser.close();
  });

  /** The same entry, as somebody has it say who wants its users' money. */
  function nameOther(member: string, value: unknown): void {
    front.change = (path, body) => {
      if (!path.startsWith("/v1/network")) return undefined;
      const document = JSON.parse(body.toString()) as { chain: Record<string, unknown> };
      if (member === "chain") document.chain = value as Record<string, unknown>;
      else document.chain[member] = value;
      return Buffer.from(JSON.stringify(document));
    };
  }

  async function visit(): Promise<void> {
    browser = await launch([...network.origins, front.url]);
    page = await browser.newPage();
    await page.goto(`${front.url}/#/chat`);
  }

  const badge = () => page.getByRole("button", { name: /Network:/ });
  const dialog = () => page.getByRole("dialog");
  const field = () => page.getByRole("textbox", { name: "Message" });
  const isAt = (word: string) => page.getByRole("button", { name: `Network: ${word}` }).waitFor();

  it("is remembered, and another one is refused until the user takes it", async () => {
    await visit();
    await isAt("SIMULATED");
    for (const [member, value] of [
      ["contract", `0x${"12".repeat(20)}`],
      ["pool", Number(network.pool) + 1],
      ["chain", null],
    ] as const) {
      nameOther(member, value);
      // Only what the page asks from here on counts.
      await page.goto("about:blank");
      front.seen.length = 0;
      await page.goto(`${front.url}/#/chat`);
      await isAt("Refused");
      await page.getByText("the entry names another network than before").waitFor();
      // Nothing but what it says of itself was asked of it.
      const asked = front.seen.filter((line) => /attestation|sealed|POST/.test(line));
      expect(asked).toEqual([]);
      expect(await page.getByRole("button", { name: "Send" }).isDisabled()).toBe(true);
    }
    await badge().click();
    await dialog().getByText("Now it is no contract").waitFor();
    expect(await accessibilityProblems(page)).toEqual([]);
    front.change = undefined;
    await dialog().getByRole("button", { name: "Try again now" }).click();
    await dialog().getByText("every check passed", { exact: false }).waitFor();
    expect(await dialog().getByRole("button", { name: "Use the new one" }).count()).toBe(0);
    expect(browser.problems).toEqual([]);
  });

  it("is held to while the page is open: another address of the network takes over", async () => {
    await visit();
    await isAt("SIMULATED");
    nameOther("contract", `0x${"12".repeat(20)}`);
    const looks = () => front.seen.filter((line) => line.includes("/v1/network")).length;
    const before = looks();
    await expect.poll(() => looks() > before, { timeout: 30_000 }).toBe(true);
    await field().fill("Once upon a time");
    await isAt("SIMULATED");
    // Only the first look at it was for nothing.
    const after = looks();
    await page.waitForTimeout(12_000);
    expect(looks()).toBe(after);
    await isAt("SIMULATED");
    expect(browser.problems).toEqual([]);
  });

  it("is taken when the user says so", async () => {
    await visit();
    await isAt("SIMULATED");
    await page.evaluate(() => {
      const known = JSON.parse(localStorage.getItem("teetee.known") ?? "[]") as [string, string][];
      const other = known.map(([url]) => [url, "none"]);
      localStorage.setItem("teetee.known", JSON.stringify(other));
    });
    await page.reload();
    await isAt("Refused");
    await badge().click();
    await dialog().getByRole("button", { name: "Use the new one" }).click();
    await dialog().getByText("every check passed", { exact: false }).waitFor();
    await page.reload();
    await isAt("SIMULATED");
    expect(browser.problems).toEqual([]);
  });

  it("can be set by the user, and is held to", async () => {
    await visit();
    await isAt("SIMULATED");
    await badge().click();
    await dialog().getByText("which the entry names, read where the entry says").waitFor();
    const poolField = dialog().getByRole("textbox", { name: "Pool" });
    await poolField.fill("31337:0x12:1");
    await dialog().getByText("need an address").waitFor();
    const pool = { deployment: network.reader.deployment, pool: network.pool };
    await poolField.fill(formatPool(pool));
    await dialog().getByRole("textbox", { name: "RPC endpoints" }).fill(network.rpcUrl);
    expect(await accessibilityProblems(page)).toEqual([]);
    await dialog().getByRole("button", { name: "Save and connect" }).click();
    await page.getByText("which you have set, read where you have set").waitFor();
    await badge().click();
    await poolField.fill(formatPool({ ...pool, pool: pool.pool + 1n }));
    await dialog().getByRole("button", { name: "Save and connect" }).click();
    await isAt("Refused");
    await page.getByText("your settings have", { exact: false }).first().waitFor();
    expect(browser.problems).toEqual([]);
  });
});
